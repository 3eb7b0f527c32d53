"""Tokens as issuers hand them out, of many users, and gates that know their issuer."""

from __future__ import annotations

import asyncio
import itertools
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeVar

import authgate_core as ag
from authgate_core.testing import FakeIssuer

from .rounds import Work

__all__ = ["AUDIENCE", "HEADERS", "READS", "USERS", "Issued", "by_turns", "show"]

T = TypeVar("T")

AUDIENCE: Final = "orders-api"
READS: Final = ag.is_user & ag.all_scopes("orders:read")
"""What a route of the benchmarks asks."""
USERS: Final = 64
"""How many there are."""
HEADERS: Final = (
    ("host", "api.example.com"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"),
    ("accept", "application/json"),
    ("accept-language", "en-GB,en;q=0.8"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("x-request-id", "0f6c1f0e-6a55-4d43-9f4e-3f2a6f6f1c11"),
    ("x-forwarded-for", "203.0.113.7"),
)
"""What a request has besides its credentials."""
REVOKED: Final = 100


@dataclass(frozen=True)
class Issued:
    """An issuer, and a token for each of its users.

    Args:
        fake: The issuer; not served unless its keys are to be fetched.
    """

    fake: FakeIssuer

    @classmethod
    def by(cls, algorithm: str = "RS256") -> Issued:
        """An issuer that signs with this algorithm."""
        return cls(FakeIssuer(audience=AUDIENCE, algorithm=algorithm))

    @property
    def algorithm(self) -> str:
        """What it signs with."""
        return self.fake.key().algorithm

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """The users' tokens: all are used by turns, as on a server."""
        return tuple(self.token(number) for number in range(USERS))

    @property
    def issuer(self) -> ag.Issuer:
        """Its keys are known beforehand."""
        return ag.Issuer.static(self.fake.jwks(), issuer=self.fake.url, audience=AUDIENCE)

    def token(self, number: int, **claims: object) -> str:
        """The token of a user: about 1.2 kB of fourteen claims, as Keycloak and its like make them.

        Args:
            number: Which user.
            claims: Other values.
        """
        issued = self.fake.claims()["iat"]
        usual = {
            "iss": self.fake.url,
            "aud": [AUDIENCE, "account"],
            "sub": _id("user", number),
            "exp": issued + 900,
            "nbf": issued,
            "iat": issued,
            "jti": _id("token", number),
            "type": "access",
            "azp": "shop-web",
            "sid": _id("session", number),
            "scope": "openid profile email orders:read orders:write",
            "project_uuid": _id("project", number % 7),
            "email": f"user-{number:05}@mail.example.com",
            "roles": ["user", "supplier", "moderator"],
        }
        header = json.dumps(self.fake.header(), separators=(",", ":"))
        payload = json.dumps({**usual, **claims}, separators=(",", ":"))
        return self.fake.raw_token(header.encode(), payload.encode())

    def config(self, **options: Any) -> ag.GateConfig:
        """A gate's configuration as it is by default, with revocations in memory."""
        return ag.GateConfig(**{"issuers": [self.issuer], "revocation": ag.MemoryRevocation(), **options})

    def gate(self, **options: Any) -> ag.Gate:
        """A gate that knows of revocations, of others than these users."""
        gate = ag.Gate(self.config(**options))
        for number in range(REVOKED):
            gate.revocations.revoke_token(_id("other token", number))
            gate.revocations.revoke_session(_id("other session", number))
        return gate

    def async_gate(self, **options: Any) -> ag.AsyncGate:
        """``gate`` for event loops."""
        gate = ag.AsyncGate(self.config(**options))
        asyncio.run(_revoke(gate))
        return gate

    def headers(self, number: int = 0) -> list[tuple[str, str]]:
        """Those of a user's request."""
        return [*HEADERS, ("authorization", f"Bearer {self.tokens[number % USERS]}")]


def _id(kind: str, number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind} {number}"))


async def _revoke(gate: ag.AsyncGate) -> None:
    for number in range(REVOKED):
        await gate.revocations.revoke_token(_id("other token", number))
        await gate.revocations.revoke_session(_id("other session", number))


def by_turns(things: Sequence[T], act: Callable[[T], object]) -> Work:
    """The work of doing something with one thing after the other, from the first again after the last."""

    def work(times: int) -> None:
        for thing in itertools.islice(itertools.cycle(things), times):
            act(thing)

    return work


def show(measured: Mapping[str, float]) -> None:
    """Tell whoever started this process what was measured."""
    print(json.dumps(dict(measured)))
