"""Whether an event loop ran late while something was measured on it (Law 5.5)."""

from __future__ import annotations

import asyncio
from typing import Final, Self

__all__ = ["LagMeter"]

_TICK: Final = 0.01
_LATE: Final = 0.03


class LagMeter:
    """A context in which ``lagged`` becomes true once the loop calls back more than 30 ms late.

    Args:
        loop: The running loop.
    """

    __slots__ = ("_due", "_handle", "_loop", "_worst")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._worst = 0.0
        self._due = loop.time() + _TICK
        self._handle = loop.call_at(self._due, self._tick)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._handle.cancel()

    @property
    def lagged(self) -> bool:
        """Whether it ran late so far; a call that is overdue right now counts."""
        self._note()
        return self._worst > _LATE

    def _tick(self) -> None:
        self._note()
        self._due = self._loop.time() + _TICK
        self._handle = self._loop.call_at(self._due, self._tick)

    def _note(self) -> None:
        self._worst = max(self._worst, self._loop.time() - self._due)
