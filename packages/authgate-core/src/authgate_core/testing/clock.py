"""Time that stands still until a test moves it."""

from __future__ import annotations

import threading
from typing import Final

from ..clock import Instant

__all__ = ["ManualClock"]

_START: Final = Instant(wall=1_800_000_000.0, mono=10_000.0)


class ManualClock:
    """A ``Clock`` that a test moves by hand; safe to share between threads.

    Args:
        start: The first moment; by default one in January 2027.
    """

    def __init__(self, start: Instant = _START) -> None:
        self._now = start
        self._lock = threading.Lock()

    def now(self) -> Instant:
        """The moment at which the clock stands."""
        return self._now

    def advance(self, seconds: float) -> Instant:
        """Let time pass on both clocks; answers the new moment.

        Raises:
            ValueError: If ``seconds`` is negative: monotonic time never goes back; see ``jump_wall``.
        """
        if seconds < 0:
            raise ValueError("monotonic time never goes back; jump_wall() moves the wall clock alone")
        with self._lock:
            self._now = self._now.plus(seconds)
            return self._now

    def jump_wall(self, seconds: float) -> Instant:
        """Set the wall clock forward or back while no time passes; answers the new moment."""
        with self._lock:
            self._now = Instant(self._now.wall + seconds, self._now.mono)
            return self._now

    def __repr__(self) -> str:
        return f"ManualClock({self._now!r})"
