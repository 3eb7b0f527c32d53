"""Measuring two ways of doing the same work by turns, so that a machine's moods meet both of them alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from statistics import median
from typing import Final, TypeAlias

__all__ = ["Work", "ratio"]

Work: TypeAlias = Callable[[int], object]
"""Does the work so many times."""

ROUNDS: Final = 41
SECONDS: Final = 0.02
"""How long each is measured in a round: a machine that changes its speed seldom does so within one."""


def ratio(measured: Work, plain: Work) -> float:
    """How many times as long one work takes as another: the median over rounds that measure both.

    What counts is the time that this process computes, not the time that others take from it.

    Args:
        measured: The one.
        plain: What it is compared with.
    """
    measured(3)
    times = _times(plain)
    gc.collect()
    gc.freeze()  # what is there already is looked through no more
    found: list[float] = []
    for turn in range(ROUNDS):
        if turn % 2:
            taken = _taken(measured, times)
            found.append(taken / _taken(plain, times))
        else:
            taken = _taken(plain, times)
            found.append(_taken(measured, times) / taken)
    return median(found)


def _times(work: Work) -> int:
    """How often a work is done in a round."""
    times = 1
    while (taken := _taken(work, times)) < SECONDS:
        times = max(times + 1, int(times * SECONDS / max(taken, 1e-6)))
    return times


def _taken(work: Work, times: int) -> float:
    gc.collect()
    gc.disable()
    try:
        started = time.process_time()
        work(times)
        return time.process_time() - started
    finally:
        gc.enable()
