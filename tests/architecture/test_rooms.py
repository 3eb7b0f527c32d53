"""The one-line laws of the house: who may import what, who may wait, and who may touch which header."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest

from tests.architecture import checks
from tests.architecture.house import PACKAGES, ROOT, layers, modules, rooms_below

EXEMPT = ("testing", "__main__")
CREDENTIAL_CONSTANTS = frozenset({"AUTHORIZATION", "X_APP_ID", "X_APP_SECRET"})
CREDENTIAL_HEADERS = frozenset({"authorization", "x-app-id", "x-app-secret"})
WAITING = ("asyncio", "concurrent", "httpcore2", "httpx2", "redis", "socket", "threading", "time")

Check = Callable[[ast.Module], list[str]]


def offences(check: Check, *allowed: str, package: str = "authgate_core") -> list[str]:
    """What a check finds in a package outside the places where that is allowed."""
    return [
        f"{one}, {what}" for one in modules(package) if not one.within(*allowed) for what in check(one.tree)
    ]


class TestRooms:
    def test_every_module_is_in_a_room_of_the_contract(self) -> None:
        """A module of the core lives in a room that the import contract knows."""
        rooms = {one.room for one in modules()} - {""}

        assert set() == rooms - frozenset().union(*layers())

    def test_every_room_is_explained(self) -> None:
        """docs/explanation/architecture.md names each room of the import contract."""
        page = (ROOT / "docs/explanation/architecture.md").read_text("utf-8")

        assert [] == [room for layer in layers() for room in sorted(layer) if f"`{room}`" not in page]


class TestColour:
    def test_only_the_shell_is_async(self) -> None:
        """Only runner, gate, outbound, ports, io, apex and m8 contain async code; everything else has no colour."""
        assert [] == offences(
            checks.waits, "runner", "gate", "outbound", "ports", "io", "apex", "m8", *EXEMPT
        )

    def test_nothing_below_the_runner_waits(self) -> None:
        """Below the runner nothing imports what waits, but the clock for the time."""
        below = rooms_below("runner")

        found = [
            f"{one}, {what}"
            for one in modules()
            if one.room in below and one.room != "clock"
            for what in checks.imports(one.tree, *WAITING)
        ]

        assert [] == found

    def test_the_clock_imports_the_time_only(self) -> None:
        """Of what waits, the clock knows the time and nothing else."""
        (clock,) = (one for one in modules() if one.room == "clock")
        others = [name for name in WAITING if name != "time"]

        assert [] == checks.imports(clock.tree, *others)


class TestBorders:
    def test_only_jose_keys_and_signature_know_cryptography(self) -> None:
        """Only jose.keys and jose.signature import cryptography or jwt."""

        def check(tree: ast.Module) -> list[str]:
            return checks.imports(tree, "cryptography", "jwt")

        assert [] == offences(check, "jose.keys", "jose.signature", *EXEMPT)

    def test_only_io_opens_a_socket(self) -> None:
        """Only io imports what can open a connection."""

        def check(tree: ast.Module) -> list[str]:
            clients = (
                "hiredis",
                "http.client",
                "httpx",
                "httpcore2",
                "httpx2",
                "redis",
                "socket",
                "ssl",
                "urllib.request",
            )
            return checks.imports(tree, *clients)

        assert [] == offences(check, "io", *EXEMPT)

    @pytest.mark.parametrize("package", PACKAGES)
    def test_only_config_reads_the_environment(self, package: str) -> None:
        """Only the core's config reads environment variables; adapters ask it to."""
        allowed = ("config",) if package == "authgate_core" else ()

        assert [] == offences(checks.reads_environment, *allowed, package=package)


class TestHeaders:
    def test_only_credentials_knows_the_credential_headers(self) -> None:
        """Only credentials reads what callers present; clients, io, outbound and testing write it, a command too."""

        def check(tree: ast.Module) -> list[str]:
            return checks.mentions(tree, CREDENTIAL_CONSTANTS, CREDENTIAL_HEADERS)

        assert [] == offences(
            check, "credentials", "headers", "clients", "io", "outbound", "hash_secret", *EXEMPT
        )

    @pytest.mark.parametrize("package", PACKAGES)
    def test_nobody_else_looks_a_credential_up(self, package: str) -> None:
        """No other room and no adapter looks a credential header up, also where it may write one."""

        def check(tree: ast.Module) -> list[str]:
            return checks.looks_up(tree, CREDENTIAL_CONSTANTS, CREDENTIAL_HEADERS)

        allowed = ("credentials", "testing") if package == "authgate_core" else ()

        assert [] == offences(check, *allowed, package=package)

    @pytest.mark.parametrize("package", PACKAGES)
    def test_only_cookies_reads_cookies(self, package: str) -> None:
        """Only cookies knows the header that browsers send them in, and credentials what responses call it."""

        def check(tree: ast.Module) -> list[str]:
            return checks.mentions(tree, {"COOKIE"}, {"cookie"})

        core = ("cookies", "credentials", "headers", "testing")
        # OpenAPI has the word as well, and so had the SDK of an auth service.
        allowed = core if package == "authgate_core" else ("requirements", "compat")

        assert [] == offences(check, *allowed, package=package)

    @pytest.mark.parametrize("package", PACKAGES)
    def test_only_challenge_writes_challenges(self, package: str) -> None:
        """Only challenge knows WWW-Authenticate; adapters pass on the headers that it made."""

        def check(tree: ast.Module) -> list[str]:
            return checks.mentions(tree, {"WWW_AUTHENTICATE"}, {"www-authenticate"})

        allowed = ("challenge", "headers", "testing") if package == "authgate_core" else ()

        assert [] == offences(check, *allowed, package=package)
