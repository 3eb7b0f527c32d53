"""What a process holds, and whether that grows."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["MOST_GROWTH", "WARM_UP", "Sample", "leaks", "slope", "steady", "take"]

MOST_GROWTH: Final = 1024.0
"""How many KiB a process may grow by in a minute: at some thousand requests a second, less than ten bytes each."""

WARM_UP: Final = 1 / 3
"""The share of the time in which caches fill, entries reach their number, and nothing is judged."""

_PROCESS: Final = Path("/proc/self")
_FEWEST: Final = 6
_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process held while nobody asked and nothing was wrong.

    Args:
        at: When, in seconds since the start.
        memory: Its resident memory, in KiB.
        files: How many file descriptors it had open.
        threads: How many threads it had.
    """

    at: float
    memory: float
    files: int
    threads: int


def take(at: float) -> Sample:
    """Look now; of descriptors and threads the fewest of a few looks count, since some are about to end."""
    gc.collect()
    looks: list[tuple[int, int]] = []
    for _ in range(_ATTEMPTS):
        looks.append((_count("fd"), _count("task")))
        time.sleep(0.05)
    resident = int((_PROCESS / "statm").read_text("ascii").split()[1])
    memory = resident * os.sysconf("SC_PAGE_SIZE") / 1024
    return Sample(at, memory, min(files for files, _ in looks), min(threads for _, threads in looks))


def _count(what: str) -> int:
    return sum(1 for _ in (_PROCESS / what).iterdir())


def slope(samples: Sequence[Sample]) -> float:
    """By how many KiB a minute memory grows, by least squares."""
    mean_at = sum(sample.at for sample in samples) / len(samples)
    mean_memory = sum(sample.memory for sample in samples) / len(samples)
    spread = sum((sample.at - mean_at) ** 2 for sample in samples)
    if not spread:
        return 0.0
    rise = sum((sample.at - mean_at) * (sample.memory - mean_memory) for sample in samples)
    return 60.0 * rise / spread


def steady(samples: Sequence[Sample]) -> Sequence[Sample]:
    """The samples after the warm-up."""
    until = samples[-1].at * WARM_UP if samples else 0.0
    return [sample for sample in samples if sample.at >= until]


def leaks(samples: Sequence[Sample]) -> list[str]:
    """What grew that should not have, in words; none if all is flat.

    Connections come and go with faults, so of descriptors and threads the best of the last third is held against
    the worst of the first third after the warm-up: what leaks passes it.
    """
    judged = steady(samples)
    if len(judged) < _FEWEST:
        return [f"only {len(judged)} samples after the warm-up, too few to judge; let it run for longer"]
    found: list[str] = []
    grown = slope(judged)
    if grown > MOST_GROWTH:
        found.append(f"memory grew by {grown:.0f} KiB a minute")
    third = len(judged) // 3
    for what, counted in (
        ("file descriptors", [sample.files for sample in judged]),
        ("threads", [sample.threads for sample in judged]),
    ):
        if min(counted[-third:]) > max(counted[:third]):
            found.append(
                f"{what} grew from at most {max(counted[:third])} to at least {min(counted[-third:])}"
            )
    return found
