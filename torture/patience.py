"""How much a busy machine is forgiven, in the one place that says so."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

__all__ = ["ALLOWANCE", "MachineLag", "within"]

ALLOWANCE: Final = 0.25
"""Seconds that any wait may be longer than its law says: what else runs here takes the processor away meanwhile."""

STALLED: Final = 0.1
"""Seconds by which the machine wakes a process up too late that does nothing: from then on it is not to be judged."""

_NAP: Final = 0.01


def within(wait: float, bound: float) -> bool:
    """Whether a wait kept a law's bound, with the allowance; both in seconds."""
    return wait <= bound + ALLOWANCE


@dataclass(slots=True)
class MachineLag:
    """Watches how late the machine wakes this process up, which does nothing else.

    Attributes:
        worst: The worst so far, in seconds.
    """

    worst: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def stalled(self) -> bool:
        """Whether what was measured meanwhile says more of the machine than of anything else."""
        return self.worst > STALLED

    def _watch(self) -> None:
        while not self._over.is_set():
            started = time.monotonic()
            time.sleep(_NAP)
            self.worst = max(self.worst, time.monotonic() - started - _NAP)

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
