"""The machine's clocks, moved: hours pass at once, and everything that waits waits in truth."""

from __future__ import annotations

import time
from types import SimpleNamespace

from authgate_core.clock import Instant

__all__ = ["MovedClock"]


class MovedClock:
    """A ``Clock`` that goes on by itself, from wherever it was put."""

    def __init__(self) -> None:
        self._wall = 0.0
        self._mono = 0.0

    def now(self) -> Instant:
        """The present moment."""
        return Instant(time.time() + self._wall, time.monotonic() + self._mono)

    def advance(self, seconds: float) -> None:
        """Let time pass at once, on both clocks."""
        self._wall += seconds
        self._mono += seconds

    def jump_wall(self, seconds: float) -> None:
        """Set the wall clock forward or back."""
        self._wall += seconds

    def module(self) -> SimpleNamespace:
        """What stands in the place of ``time`` in a library that cannot be given a clock."""
        return SimpleNamespace(monotonic=lambda: self.now().mono, time=lambda: self.now().wall)
