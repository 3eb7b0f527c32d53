"""Values that were used, remembered in this process's memory, in both colours."""

from __future__ import annotations

import heapq
import threading
from typing import Final

from ..clock import Clock, SystemClock
from ..errors import ReplaysUnavailable
from ..events import Notice
from ..replays import MemoryReplays
from .forks import survive_fork

__all__ = ["REMEMBERED_IN_ONE_PROCESS", "AsyncMemoryReplayStore", "MemoryReplayStore"]

_SYSTEM: Final = SystemClock()

REMEMBERED_IN_ONE_PROCESS: Final = Notice(
    "replays_in_memory",
    "memory",
    "what may be used once is remembered in this process only: another worker takes it once more; "
    "give replays=RedisReplays(...)",
)
"""What a gate says at its start where this is the store."""


class MemoryReplayStore:
    """A ``ReplayStore`` over a dictionary; a value is looked for and remembered in one step that no thread splits.

    Args:
        spec: How many values it may hold.
        clock: Where it gets the time from.
    """

    def __init__(self, spec: MemoryReplays = MemoryReplays(), clock: Clock = _SYSTEM) -> None:  # noqa: B008 - frozen
        self._limit = spec.limit
        self._clock = clock
        self._ends: dict[bytes, float] = {}
        self._endings: list[tuple[float, bytes]] = []
        self._lock = threading.Lock()
        survive_fork(self)

    def use(self, name: bytes, ttl: float) -> bool:
        """Use a value up; whether this was its first use.

        Raises:
            ReplaysUnavailable: If it holds as many as it may: one that is not remembered could be used again.
        """
        now = self._clock.now().mono
        with self._lock:
            self._forget(now)
            if name in self._ends:
                return False
            if len(self._ends) >= self._limit:
                raise ReplaysUnavailable(f"{self._limit} used values are remembered, and no more may be")
            self._ends[name] = now + ttl
            heapq.heappush(self._endings, (now + ttl, name))
            return True

    def _forget(self, now: float) -> None:
        while self._endings and self._endings[0][0] <= now:
            _, name = heapq.heappop(self._endings)
            del self._ends[name]

    def after_fork(self) -> None:
        """Take a new lock, and what is whole: another thread of the parent may have been about to write."""
        self._lock = threading.Lock()
        self._endings = [(ends, name) for name, ends in self._ends.items()]
        heapq.heapify(self._endings)

    def __len__(self) -> int:
        return len(self._ends)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} values)"


class AsyncMemoryReplayStore:
    """``MemoryReplayStore`` for ``AsyncGate``: it waits for nothing, so it runs on the loop (Law 9.2)."""

    def __init__(self, spec: MemoryReplays = MemoryReplays(), clock: Clock = _SYSTEM) -> None:  # noqa: B008 - frozen
        self._store = MemoryReplayStore(spec, clock)

    async def use(self, name: bytes, ttl: float) -> bool:
        """As ``MemoryReplayStore.use``."""
        return self._store.use(name, ttl)

    def __repr__(self) -> str:
        return f"Async{self._store!r}"
