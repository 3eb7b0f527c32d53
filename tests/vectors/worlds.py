"""Where hostile tokens are sent: what a gate trusts, for each kind of trust, and the doors through which they come."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final, TypeAlias

import authgate_core as ag
from authgate_core.flows.explain import Explanation
from authgate_core.testing import FakeIssuer, FakeMercury, ManualClock
from authgate_core.testing.attacks import Attack, attacks
from authgate_core.testing.attacks.documents import Misfits
from authgate_core.testing.attacks.secrets import on_a_secret
from authgate_core.testing.attacks.strict import STRICT, on_strict_terms
from authgate_core.testing.attacks.tenants import across_tenants
from tests.support.gates import bearer, view

__all__ = ["DOORS", "WORLDS", "Outcome", "World", "answers", "explanations"]

_SECRET: Final = b"a shared secret of 32 characters"
_CLOCK: Final = ManualClock()
"""Time stands still, so that no key set grows old while a busy machine is at it."""


@dataclass(frozen=True, slots=True)
class World:
    """A configuration and the attacks on it.

    Args:
        config: Whom the gate trusts.
        attacks: The attacks.
        served: Whose keys are fetched; None where they are configured.
    """

    config: ag.GateConfig
    attacks: tuple[Attack, ...]
    served: FakeIssuer | FakeMercury | None = None

    def fetches_of(self, door: str, tokens: Iterable[str]) -> Counter[str]:
        """How often a new gate asks for what, all in all, where these tokens are presented to it."""
        if self.served is None:
            answers(door, self, tokens)
            return Counter()
        self.served.reset_hits()
        answers(door, self, tokens)
        return self.served.hits


@contextmanager
def _provider() -> Iterator[World]:
    """An issuer that is asked for its keys, one for each kind of key, and another beside it."""
    fake = FakeIssuer(url="https://id.test", algorithm="ES256", clock=_CLOCK)
    for algorithm in ("ES384", "ES512", "EdDSA", "RS256"):
        fake.rotate(algorithm=algorithm)
    other = FakeIssuer(url="https://other.test", algorithm="ES256", clock=_CLOCK)
    other.rotate(algorithm="ES384")
    with fake:
        issuers = [
            ag.Issuer.jwks(fake.jwks_url, issuer=fake.url, audience=fake.audience, namespace="a|"),
            ag.Issuer.static(other.jwks(), issuer=other.url, audience=other.audience, namespace="b|"),
        ]
        yield World(ag.GateConfig(issuers=issuers), attacks(fake, other), fake)


def _secret() -> AbstractContextManager[World]:
    """An issuer that shares a secret."""
    mint = FakeIssuer(url="https://id.test", clock=_CLOCK)
    secret = ag.Secret(_SECRET.decode())
    issuer = ag.Issuer.static(secret, issuer=mint.url, audience=mint.audience)
    return nullcontext(World(ag.GateConfig(issuers=[issuer]), tuple(on_a_secret(mint, _SECRET))))


def _misfits() -> AbstractContextManager[World]:
    """An issuer in whose key set there are keys that do not fit."""
    mint = FakeIssuer(url="https://id.test", clock=_CLOCK)
    misfits = Misfits.of(mint)
    issuer = ag.Issuer.static(misfits.document, issuer=mint.url, audience=mint.audience)
    return nullcontext(World(ag.GateConfig(issuers=[issuer]), misfits.attacks))


def _strict() -> AbstractContextManager[World]:
    """An issuer of whose tokens all is asked that can be."""
    mint = FakeIssuer(url="https://id.test", clock=_CLOCK)
    issuer = ag.Issuer.static(mint.jwks(), issuer=mint.url, audience=mint.audience, **STRICT)
    return nullcontext(World(ag.GateConfig(issuers=[issuer]), tuple(on_strict_terms(mint))))


@contextmanager
def _tenants() -> Iterator[World]:
    """A Mercury with two projects that are served here, whose keys have the same names."""
    with FakeMercury(clock=_CLOCK) as mercury:
        one, other = (mercury.add_project(kid="shared") for _ in range(2))
        issuer = ag.Issuer.mercury(
            mercury.url,
            signing_secret=mercury.secret,
            audience=mercury.audience,
            tenants=[one.uuid, other.uuid, mercury.nexus_id],
            fallback_tenant=mercury.nexus_id,
        )
        config = ag.GateConfig(issuers=[issuer], service_id=mercury.service_id)
        yield World(config, tuple(across_tenants(mercury, one, other)), mercury)


WORLDS: Final[Mapping[str, Callable[[], AbstractContextManager[World]]]] = {
    "provider": _provider,
    "secret": _secret,
    "misfits": _misfits,
    "strict": _strict,
    "tenants": _tenants,
}
"""Every world, by name."""

Outcome: TypeAlias = ag.Admission | ag.AuthgateError
Door: TypeAlias = Callable[[World, Iterable[str]], list[Outcome]]


def answers(door: str, world: World, tokens: Iterable[str]) -> list[Outcome]:
    """What a new gate that has its keys answers to each token, in order.

    Args:
        door: One of ``DOORS``.
        world: What it trusts.
        tokens: What is presented.
    """
    return DOORS[door](world, tokens)


def explanations(world: World, tokens: Iterable[str]) -> list[Explanation]:
    """How a new gate that has its keys explains each token, in order."""
    with ag.Gate(world.config, clock=_CLOCK) as gate:
        gate.warm_up(10)
        return [gate.explain(token) for token in tokens]


def _sync(
    world: World, ask: Callable[[ag.Gate], Callable[[str], ag.Admission]], tokens: Iterable[str]
) -> list[Outcome]:
    with ag.Gate(world.config, clock=_CLOCK) as gate:
        gate.warm_up(10)
        judge = ask(gate)
        return [_answer(judge, token) for token in tokens]


def _answer(judge: Callable[[str], ag.Admission], token: str) -> Outcome:
    try:
        return judge(token)
    except ag.AuthgateError as error:
        return error


async def _async(world: World, tokens: Iterable[str], *, whole: bool) -> list[Outcome]:
    async with ag.AsyncGate(world.config, clock=_CLOCK) as gate:
        await gate.warm_up(10)
        return [await _awaited(gate, token, whole=whole) for token in tokens]


async def _awaited(gate: ag.AsyncGate, token: str, *, whole: bool) -> Outcome:
    try:
        if whole:
            return await gate.admit(view(bearer(token)), ag.is_user)
        return await gate.verify_token(token, ag.is_user)
    except ag.AuthgateError as error:
        return error


DOORS: Final[Mapping[str, Door]] = {
    "verify_token": lambda world, tokens: _sync(world, lambda gate: gate.verify_token, tokens),
    "admit": lambda world, tokens: _sync(
        world, lambda gate: lambda token: gate.admit(view(bearer(token)), ag.is_user), tokens
    ),
    "async verify_token": lambda world, tokens: asyncio.run(_async(world, tokens, whole=False)),
    "async admit": lambda world, tokens: asyncio.run(_async(world, tokens, whole=True)),
}
"""The ways into a gate: a token alone or a whole request, in either colour."""
