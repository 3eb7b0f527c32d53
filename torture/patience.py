"""How much a busy machine is forgiven, in the one place that says so."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

__all__ = ["ALLOWANCE", "MachineLag", "Stopwatch", "within"]

ALLOWANCE: Final = 0.25
"""Seconds that any wait may be longer than its law says: what else runs here takes the processor away meanwhile."""

STALLED: Final = 0.1
"""Seconds by which the machine wakes a process up too late that does nothing: from then on it is not to be judged."""

CROWDED: Final = 2.0
"""How many want to run for each processor, from which on what others were promised is not to be judged either."""

_NAP: Final = 0.01
_SCHEDULED: Final = Path("/proc/thread-self/schedstat")


def within(wait: float, bound: float) -> bool:
    """Whether a wait kept a law's bound, with the allowance; both in seconds."""
    return wait <= bound + ALLOWANCE


@dataclass(slots=True)
class MachineLag:
    """Watches how late the machine wakes this process up, which does nothing else.

    Attributes:
        worst: The worst so far, in seconds.
        crowd: How many wanted to run for each processor in the last minute, at most.
    """

    worst: float = 0.0
    crowd: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def stalled(self) -> bool:
        """Whether what was measured meanwhile says more of the machine than of anything else."""
        return self.worst > STALLED or self.crowd > CROWDED

    def _watch(self) -> None:
        while not self._over.is_set():
            started = time.monotonic()
            time.sleep(_NAP)
            self.worst = max(self.worst, time.monotonic() - started - _NAP)
            self.crowd = max(self.crowd, os.getloadavg()[0] / (os.cpu_count() or 1))

    @classmethod
    @contextmanager
    def watching(cls) -> Generator[MachineLag]:
        """Watch for as long as the block lasts."""
        lag = cls()
        thread = threading.Thread(target=lag._watch, name="torture-lag", daemon=True)
        thread.start()
        try:
            yield lag
        finally:
            lag._over.set()
            thread.join()


class Stopwatch:
    """Measures a block without the time in which its thread could have run and no processor was free.

    Linux counts that for each thread; elsewhere it is not taken off.

    Attributes:
        started: When the block began, monotonic seconds.
        took: How long it took, in seconds.
    """

    __slots__ = ("_queued", "started", "took")

    def __enter__(self) -> Self:
        self._queued = _queued()
        self.took = 0.0
        self.started = time.monotonic()
        return self

    def __exit__(self, *exception: object) -> None:
        elapsed = time.monotonic() - self.started
        self.took = max(0.0, elapsed - (_queued() - self._queued))


def _queued() -> float:
    """For how long this thread waited for a processor since it began, in seconds."""
    try:
        return int(_SCHEDULED.read_text("ascii").split()[1]) / 1e9
    except FileNotFoundError:
        return 0.0
