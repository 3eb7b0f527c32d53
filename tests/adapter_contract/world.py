"""What the rows need, of real parts: two issuers and a Mercury over HTTP, a Valkey, and what is down of each."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import authgate_core as ag
from authgate_core.api_keys import mint_key
from authgate_core.clock import SystemClock
from authgate_core.credentials import ApiKeyCredential, AppCredentials
from authgate_core.io.redis.protocol import LIMITS
from authgate_core.testing import FakeIssuer, FakeMercury, ManualClock
from tests.support.valkey import valkey

__all__ = [
    "CARTS",
    "ENDED_KEY",
    "GOOD_KEY",
    "LOST_KEY",
    "REALM",
    "SHOP",
    "UNKNOWN_KEY",
    "Colour",
    "Headers",
    "World",
    "opened",
]

Headers: TypeAlias = tuple[tuple[str, str], ...]
Colour: TypeAlias = Literal["sync", "async"]

REALM: Final = "contract"
SHOP: Final = "0b6f6c1e-8d55-4a3e-9a53-0f5a0a4f6d01"
"""A project of Mercury's that may use this service."""
CARTS: Final = "0b6f6c1e-8d55-4a3e-9a53-0f5a0a4f6d02"
"""A project of Mercury's that may use another."""

_AUDIENCE: Final = "orders-api"
_SECRET: Final = "a-chosen-secret-of-thirty-two-characters"
_PROJECTS: Final = ag.StaticProjects(
    {
        "shop": {"id": "p1", "secret": _SECRET, "roles": ["admin"], "tenant": "acme"},
        "barred": {"secret": _SECRET, "enabled_services": ["carts"]},
        "rotated": {"secret": _SECRET, "secret_version": 1},
    }
)


GOOD_KEY: Final = mint_key()
ENDED_KEY: Final = mint_key()
UNKNOWN_KEY: Final = mint_key()
LOST_KEY: Final = mint_key()
"""A key that the application's own store cannot answer about."""
_KEYS: Final = ag.ApiKeys.static(
    {
        GOOD_KEY.id: {"secret_hash": GOOD_KEY.secret_hash, "scopes": ["a"], "roles": ["owner"]},
        ENDED_KEY.id: {"secret_hash": ENDED_KEY.secret_hash, "expires_at": 1.0},
    }
)


class KeyStore:
    """A store of API keys of an application's own, which is down."""

    def look_up(self, _credential: ApiKeyCredential) -> ag.ApiKey | None:
        """The key."""
        raise ag.ApiKeysUnavailable("the store is down", retry_after=7.0)


class AsyncKeyStore:
    """``KeyStore`` for AsyncGate."""

    async def look_up(self, credential: ApiKeyCredential) -> ag.ApiKey | None:
        """The key."""
        return KeyStore().look_up(credential)


class Directory:
    """A directory of an application's own, which cannot answer about one of the app ids."""

    def look_up(self, credentials: AppCredentials) -> ag.Project | None:
        """The project."""
        if credentials.app_id == "unreachable":
            raise ag.ProjectsUnavailable("the directory is down", retry_after=7.0)
        return _PROJECTS.find(credentials)


class AsyncDirectory:
    """``Directory`` for AsyncGate."""

    async def look_up(self, credentials: AppCredentials) -> ag.Project | None:
        """The project."""
        return Directory().look_up(credentials)


@dataclass(frozen=True)
class World:
    """What is running. Time stands still in it: no row waits, and none is a race.

    Args:
        clock: The one clock of everything.
        issuer: Whose tokens most rows present; it publishes two keys, of which one is revoked.
        partner: Another issuer of users.
        absent: An issuer that nobody can reach, and never could.
        mercury: A Mercury with two projects.
        store: The URL of a revocation store.
        nowhere: The URL of one that does not answer.
        secret: The secret of every static project.
    """

    clock: ManualClock
    issuer: FakeIssuer
    partner: FakeIssuer
    absent: FakeIssuer
    mercury: FakeMercury
    store: str
    nowhere: str
    secret: str = _SECRET

    def gate(self, name: str) -> ag.Gate:
        """A gate of the world, in the colour of threads."""
        return ag.Gate(self.config(name, "sync"), clock=self.clock)

    def async_gate(self, name: str) -> ag.AsyncGate:
        """The same, in the colour of event loops."""
        return ag.AsyncGate(self.config(name, "async"), clock=self.clock)

    def config(self, name: str, colour: Colour) -> ag.GateConfig:
        """What a gate of the world is built from.

        Args:
            name: ``main``; ``shadow`` and ``explaining`` are like it; ``outage`` has a store that is down;
                ``parts`` has none, but an issuer and a project that cannot be asked about; ``mercury``.
            colour: Of its directory.
        """
        if name == "mercury":
            return self._of_mercury()
        own = name in {"parts", "outage"}
        revocation = {"parts": None, "outage": ag.RedisRevocation(self.nowhere)}
        return ag.GateConfig(
            issuers=[*self._issuers(), *([self._trusted(self.absent, "absent")] if own else [])],
            projects=_own_directory(colour) if own else _PROJECTS,
            api_keys=_own_keys(colour) if own else _KEYS,
            revocation=revocation.get(name, ag.RedisRevocation(self.store)),
            roles=ag.RoleHierarchy({"owner": ["clerk"]}),
            service_id="orders",
            credential_limit=6 * 1024,  # under what servers allow, so that it is authgate that refuses
            shared_subjects=True,
            realm=REALM,
            explain=name == "explaining",
            shadow=name == "shadow",
        )

    def _issuers(self) -> list[ag.Issuer]:
        services = {"gty": "client-credentials"}
        return [
            ag.Issuer.oidc(self.issuer.url, audience=_AUDIENCE, name="id", service_when=services),
            self._trusted(self.partner, "partner"),
        ]

    def _trusted(self, issuer: FakeIssuer, name: str) -> ag.Issuer:
        return ag.Issuer.jwks(issuer.jwks_url, issuer=issuer.url, audience=_AUDIENCE, name=name)

    def _of_mercury(self) -> ag.GateConfig:
        url, secret = self.mercury.url, self.mercury.secret
        return ag.GateConfig(
            issuers=[
                ag.Issuer.mercury(url, signing_secret=secret, audience=_AUDIENCE, tenants=[SHOP, CARTS])
            ],
            projects=ag.RemoteProjects(url, signing_secret=secret, service_id="orders"),
            realm=REALM,
            explain=False,
        )

    def settle(self) -> None:
        """Revoke, once, what rows present as revoked."""
        with self.gate("main") as gate:
            gate.revocations.revoke_token("stolen", issuer="id")
            gate.revocations.revoke_session("ended", issuer="id")
            gate.revocations.revoke_before(subject="u9", issuer="id")
            gate.revocations.revoke_key(self.issuer.kids[0], issuer="id")
            gate.revocations.require_secret_version("rotated", 2)


def _own_keys(colour: Colour) -> ag.ApiKeys:
    return ag.ApiKeys(KeyStore() if colour == "sync" else AsyncKeyStore())


def _own_directory(colour: Colour) -> Directory | AsyncDirectory:
    return Directory() if colour == "sync" else AsyncDirectory()


@contextlib.contextmanager
def _patience() -> Iterator[None]:
    """Let a store take longer than gates wait for one (Law 5.4): a busy machine is no outage here."""
    usual = {"reply": LIMITS.reply, "total": LIMITS.total}
    try:
        for name in usual:
            object.__setattr__(LIMITS, name, 10.0)
        yield
    finally:
        for name, seconds in usual.items():
            object.__setattr__(LIMITS, name, seconds)


@contextlib.contextmanager
def opened() -> Iterator[World]:
    """Start a world, and end it with the block."""
    clock = ManualClock(SystemClock().now())
    with (
        FakeIssuer(audience=_AUDIENCE, clock=clock) as issuer,
        FakeIssuer(audience=_AUDIENCE, clock=clock) as partner,
        FakeIssuer(audience=_AUDIENCE, clock=clock) as absent,
        FakeMercury(audience=_AUDIENCE, clock=clock) as mercury,
        valkey() as server,
        socket.socket() as closed,
        _patience(),
    ):
        closed.bind(("127.0.0.1", 0))  # held, so that nobody else answers there
        issuer.rotate()
        absent.outage(None)
        mercury.add_project(SHOP, name="Shop", app_id="shop", app_secret=_SECRET)
        mercury.add_project(
            CARTS, name="Carts", app_id="carts", app_secret=_SECRET, enabled_services=["carts"]
        )
        nowhere = f"redis://127.0.0.1:{closed.getsockname()[1]}/0"
        world = World(clock, issuer, partner, absent, mercury, f"redis://127.0.0.1:{server.port}/0", nowhere)
        world.settle()
        yield world
