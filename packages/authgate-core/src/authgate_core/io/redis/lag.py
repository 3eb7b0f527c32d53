"""Whether an event loop ran late while something waited on it (Law 5.5)."""

from __future__ import annotations

import asyncio
import math
from typing import Final, Self

__all__ = ["LagMeter"]

_TICK: Final = 0.01
_LATE: Final = 0.03


class LagMeter:
    """Notes when a loop calls back more than 30 ms late, for as long as at least one user is in its context.

    All users of a loop share one, so that a thousand that wait cost one callback every 10 ms.

    Args:
        loop: The running loop.
    """

    __slots__ = ("_due", "_handle", "_last", "_loop", "_users")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._users = 0
        self._last = -math.inf
        self._due = math.inf
        self._handle: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._users += 1
        if self._users == 1:
            self._schedule()
        return self

    def __exit__(self, *exception: object) -> None:
        self._users -= 1
        if self._users == 0 and self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def was_late_since(self, moment: float) -> bool:
        """Whether the loop ran late after a moment in its time; a call that is overdue right now counts.

        Args:
            moment: When the user came, or later.
        """
        self._note()
        return self._last >= moment

    def _schedule(self) -> None:
        self._due = self._loop.time() + _TICK
        self._handle = self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        self._note()
        self._schedule()

    def _note(self) -> None:
        now = self._loop.time()
        if now - self._due > _LATE:
            self._last = now
