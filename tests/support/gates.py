"""Both gates behind one synchronous face, so that one row of tests runs in both colours (Law 9.3)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import authgate_core as ag
from authgate_core.clock import Clock, SystemClock

__all__ = ["AsyncFace", "Face", "SyncFace", "view"]


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
