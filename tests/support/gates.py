"""Both gates behind one synchronous face, so that one row of tests runs in both colours (Law 9.3)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import authgate_core as ag
from authgate_core.clock import Clock, SystemClock
from authgate_core.testing import FakeIssuer

__all__ = [
    "APP_SECRET",
    "PROJECT",
    "Asked",
    "AsyncFace",
    "Face",
    "SyncFace",
    "bearer",
    "face",
    "gates",
    "store",
    "trusted",
    "view",
]

APP_SECRET = "a-chosen-secret-of-thirty-two-characters"
PROJECT = (("x-app-id", "shop"), ("x-app-secret", APP_SECRET))


def bearer(token: str) -> tuple[str, str]:
    """The header of a token."""
    return ("Authorization", f"Bearer {token}")


def view(*headers: tuple[str, str], **options: Any) -> ag.RequestView:
    """A request with these headers."""
    return ag.RequestView("GET", "/orders?x=1", headers, **options)


@dataclass
class SyncFace:
    """``Gate`` as tests ask it."""

    gate: ag.Gate

    def admit(self, request: ag.RequestView, policy: ag.Policy, *, optional: bool = False) -> ag.Admission:
        return self.gate.admit(request, policy, optional=optional)

    def verify_token(self, token: str, policy: ag.Policy | None = None) -> ag.Admission:
        return self.gate.verify_token(token, policy)

    def revoke(self, how: str, *args: Any, **options: Any) -> None:
        getattr(self.gate.revocations, how)(*args, **options)

    def warm_up(self, timeout: float) -> None:
        self.gate.warm_up(timeout)

    def close(self) -> None:
        self.gate.close()


@dataclass
class AsyncFace:
    """``AsyncGate`` as tests ask it: each call in a loop of its own, which a gate must bear (Law 4.11)."""

    gate: ag.AsyncGate

    def admit(self, request: ag.RequestView, policy: ag.Policy, *, optional: bool = False) -> ag.Admission:
        return asyncio.run(self.gate.admit(request, policy, optional=optional))

    def verify_token(self, token: str, policy: ag.Policy | None = None) -> ag.Admission:
        return asyncio.run(self.gate.verify_token(token, policy))

    def revoke(self, how: str, *args: Any, **options: Any) -> None:
        asyncio.run(getattr(self.gate.revocations, how)(*args, **options))

    def warm_up(self, timeout: float) -> None:
        asyncio.run(self.gate.warm_up(timeout))

    def close(self) -> None:
        asyncio.run(self.gate.aclose())


Face = SyncFace | AsyncFace


def face(colour: str, config: ag.GateConfig, clock: Clock = SystemClock()) -> Face:
    """A gate of this colour."""
    if colour == "sync":
        return SyncFace(ag.Gate(config, clock=clock))
    return AsyncFace(ag.AsyncGate(config, clock=clock))


@contextlib.contextmanager
def gates(fake: FakeIssuer, colour: str) -> Iterator[Callable[..., Face]]:
    """Makes gates of this colour around one static issuer and two projects, and closes them."""
    made: list[Face] = []

    def make(*, issuer: dict[str, Any] | None = None, **options: Any) -> Face:
        projects = ag.StaticProjects(
            {
                "shop": {"secret": APP_SECRET, "enabled_services": ["orders"]},
                "barred": {"secret": APP_SECRET, "enabled_services": ["carts"]},
            }
        )
        given = {"issuers": [trusted(fake, **(issuer or {}))], "projects": projects, **options}
        made.append(face(colour, ag.GateConfig(**given)))
        return made[-1]

    yield make
    for gate in made:
        gate.close()


def trusted(fake: FakeIssuer, **options: Any) -> ag.Issuer:
    """The fake issuer, with static keys."""
    return ag.Issuer.static(
        fake.jwks(), **{"issuer": fake.url, "audience": fake.audience, "name": "id", **options}
    )


class Asked:
    """A revocation store of a user's own, in both colours by turns.

    Args:
        answer: What it answers, or raises.
    """

    def __init__(self, answer: bool | BaseException = False) -> None:
        self.answer = answer
        self.asked = 0

    def is_revoked(self, ref: object) -> bool:
        self.asked += 1
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


class AsyncAsked(Asked):
    """``Asked`` for AsyncGate."""

    async def is_revoked(self, ref: object) -> bool:  # type: ignore[override]  # the other colour
        return super().is_revoked(ref)


def store(colour: str, answer: bool | BaseException = False, **members: Any) -> Any:
    """A store of this colour with further members, which are no part of its port."""
    base = Asked if colour == "sync" else AsyncAsked
    return type("Store", (base,), members)(answer)
