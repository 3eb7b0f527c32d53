"""Time as a value: pure code is handed an ``Instant`` and never asks for one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Clock", "Instant", "SystemClock"]


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment on both clocks.

    Args:
        wall: Unix time in seconds; only token times, cut-offs and signature timestamps read it.
        mono: Monotonic seconds; every TTL, cooldown, age and breaker reads it.
    """

    wall: float
    mono: float

    def plus(self, seconds: float) -> Instant:
        """The moment ``seconds`` later on both clocks."""
        return Instant(self.wall + seconds, self.mono + seconds)


class Clock(Protocol):
    """Where a gate gets the time from."""

    def now(self) -> Instant:
        """The present moment."""
        ...


class SystemClock:
    """The machine's clocks."""

    __slots__ = ()

    def now(self) -> Instant:
        """The present moment."""
        return Instant(time.time(), time.monotonic())
