"""By how much a process grew."""

from __future__ import annotations

import gc
import resource
import sys

__all__ = ["Growth"]


class Growth:
    """Compares the most memory that this process ever held with the most that it had held at the start."""

    def __init__(self) -> None:
        gc.collect()
        self._before = _peak()

    @property
    def kib(self) -> int:
        """The difference, in KiB."""
        return _peak() - self._before


def _peak() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak  # there it is told in bytes
