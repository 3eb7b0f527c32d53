"""What users of the older FastAPI client have, with only the import line changed: on Keycloak, and behind nginx."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.integration.parts.gateways import KEY, nginx
from tests.integration.parts.keycloak import AUDIENCE, SECRETS, Keycloak
from tests.integration.parts.programs import HOST, free_port, is_listening, running


def direct(keycloak: Keycloak) -> dict[str, str]:
    """The variables of a service that asks Keycloak itself."""
    return {
        "AUTH_MODE": "direct_keycloak",
        "KEYCLOAK_REALM_URL": keycloak.realm,
        "KEYCLOAK_CLIENT_ID": AUDIENCE,
        "KEYCLOAK_CLIENT_SECRET": SECRETS[AUDIENCE],
    }


def behind_kong(_: Keycloak) -> dict[str, str]:
    """Those of one behind a gateway that asks Keycloak; where the gateway is was never said before."""
    return {
        "AUTH_MODE": "kong_headers",
        "VERIFY_HMAC": "true",
        "INTERNAL_HMAC_KEY": KEY,
        "AUTHGATE_GATEWAY_PEERS": HOST,
        "AUTHGATE_SERVER_SHOWS_PEER": "1",
    }


@contextlib.contextmanager
def older_app(variables: dict[str, str]) -> Iterator[str]:
    """The application in a process of its own, as the address that it answers at."""
    port = free_port()
    where = ("--host", HOST, "--port", str(port), "--app-dir", str(Path(__file__).parents[2]))
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "tests.integration.older_app:app",
        "--no-proxy-headers",
        *where,
    ]
    env = {"AUTHGATE_PROFILE": "keycloak", **variables}
    with running("older-app", command, lambda: is_listening(port), env=env):
        yield f"http://{HOST}:{port}"


@dataclass(frozen=True)
class House:
    """The application, as its callers reach it.

    Args:
        client: What it is asked with.
        keycloak: Whose tokens they bring.
    """

    client: httpx2.Client
    keycloak: Keycloak

    def user(self, name: str, path: str) -> httpx2.Response:
        """What it answers a user."""
        return self.asked(self.keycloak.user_token(name), path)

    def asked(self, token: str, path: str) -> httpx2.Response:
        """What it answers who brings a token."""
        return self.client.get(path, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture(scope="module", params=[direct, behind_kong])
def house(request: pytest.FixtureRequest, running_keycloak: Keycloak) -> Iterator[House]:
    """The application on uvicorn, with Keycloak behind it or nginx in front of it."""
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(older_app(request.param(running_keycloak)))
        if request.param is behind_kong:
            client = (AUDIENCE, SECRETS[AUDIENCE])
            url = stack.enter_context(nginx(url, running_keycloak.introspection_url, client))
        asking = httpx2.Client(base_url=url, trust_env=False, timeout=30)
        yield House(stack.enter_context(asking), running_keycloak)


class TestOlderClient:
    def test_a_user_is_who_they_are(self, house: House) -> None:
        """Law 9.1: with the name and the roles that Keycloak has."""
        assert {"username": "ada", "customer": True} == house.user("ada", "/profile").json()

    def test_a_service_account_is_a_service(self, house: House) -> None:
        """Law 3.13: and no user."""
        token = house.keycloak.service_token()

        assert {"is_service": True} == house.asked(token, "/data").json()
        assert "billing" in house.asked(token, "/sync").json()["service"]
        assert 403 == house.asked(token, "/profile").status_code

    def test_roles_open_what_they_opened(self, house: House) -> None:
        """Law 8.1: any of the named ones does, and an admin has them all."""
        assert [200, 200] == [house.user(name, "/customers").status_code for name in ("ada", "grace")]
        assert 403 == house.asked(house.keycloak.service_token(), "/customers").status_code
        assert [403, 200] == [house.user(name, "/admin").status_code for name in ("ada", "grace")]

    def test_who_presents_nothing_is_told_so(self, house: House) -> None:
        """Law 1.1: with 401, and the path that is left alone answers all the same."""
        assert [401, 401] == [
            house.client.get("/data").status_code,
            house.asked("nothing", "/data").status_code,
        ]
