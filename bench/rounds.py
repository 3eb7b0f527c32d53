"""Measuring several ways of doing the same work by turns, so that a machine's moods meet all of them alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Final, TypeAlias

__all__ = ["Work", "ratio", "ratios"]

Work: TypeAlias = Callable[[int], object]
"""Does the work so many times."""
Clock: TypeAlias = Callable[[], float]

ROUNDS: Final = 25
SECONDS: Final = 0.02
"""How long each is measured in a round: a machine that changes its speed seldom does so within one."""


def ratio(measured: Work, plain: Work, clock: Clock = time.process_time) -> float:
    """How many times as long one work takes as another.

    Args:
        measured: The one.
        plain: What it is compared with.
        clock: As for ``ratios``.
    """
    return ratios(measured, {"plain": plain}, clock)["plain"]


def ratios(measured: Work, others: Mapping[str, Work], clock: Clock = time.process_time) -> dict[str, float]:
    """How many times as long one work takes as each of several others: medians over rounds that measure all.

    Args:
        measured: The one.
        others: What it is compared with, by name.
        clock: What counts, in seconds: by default the time that this process computes, and not what other
            processes take from it. Where a work waits for somebody, that counts as well: ``time.perf_counter``.
    """
    works = {"": measured, **others}
    times = {name: _times(work, clock) for name, work in works.items()}
    gc.collect()
    gc.freeze()  # what is there already is looked through no more
    found: dict[str, list[float]] = {name: [] for name in others}
    for turn in range(ROUNDS):
        order = list(works)[:: -1 if turn % 2 else 1]
        taken = {name: _taken(works[name], times[name], clock) / times[name] for name in order}
        for name in others:
            found[name].append(taken[""] / taken[name])
    return {name: median(ratios) for name, ratios in found.items()}


def _times(work: Work, clock: Clock) -> int:
    """How often a work is done in a round; it is warm then."""
    work(3)
    times = 1
    while (taken := _taken(work, times, clock)) < SECONDS:
        times = max(times + 1, int(times * SECONDS / max(taken, 1e-6)))
    return times


def _taken(work: Work, times: int, clock: Clock) -> float:
    gc.collect()
    gc.disable()
    try:
        started = clock()
        work(times)
        return clock() - started
    finally:
        gc.enable()
