"""Trying mutants, each in a process of its own that is forked from this one."""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from .mutants import Mutant
from .verdict import Outcome

__all__ = ["Attempt", "Trial", "tried", "write_to"]

_PATIENCE: Final = 10.0
"""Seconds that each mutant has beyond five times what its tests took on the code as it is."""

_BROKEN: Final = 70
"""How a process ends that could not ask any test: that says nothing of the mutant."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A mutant and the tests that are asked about it, the first first.

    Args:
        mutant: Of which module.
        tests: Their node ids.
        seconds: What they took on the code as it is.
        early: Whether it may concern what is made before any of them runs.
    """

    mutant: Mutant
    tests: tuple[str, ...]
    seconds: float
    early: bool


Attempt: TypeAlias = Callable[[Trial], int]


@dataclass(frozen=True, slots=True)
class _Running:
    trial: Trial
    deadline: float


def tried(
    trials: Iterable[Trial], attempt: Attempt, *, workers: int, log: Path
) -> Iterator[tuple[Trial, Outcome]]:
    """Try each mutant, so many at a time, and say what became of it.

    Args:
        trials: What to try.
        attempt: What a process of its own does with one: 0 when no test noticed.
        workers: How many processes run at once.
        log: Where the output of the last trial of a process is written.
    """
    waiting = iter(trials)
    running: dict[int, _Running] = {}
    gc.freeze()
    more = True
    while more or running:
        while more and len(running) < workers:
            trial = next(waiting, None)
            more = trial is not None
            if trial is None:
                break
            if not trial.tests:
                yield trial, Outcome.SURVIVED
                continue
            deadline = time.monotonic() + _PATIENCE + 5 * trial.seconds
            running[_forked(trial, attempt, log)] = _Running(trial, deadline)
        yield from _ended(running, log)


def _ended(running: dict[int, _Running], log: Path) -> Iterator[tuple[Trial, Outcome]]:
    time.sleep(0.01)
    for process, attempt in list(running.items()):
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            if code == _BROKEN:
                raise RuntimeError(f"a mutant could not be tried: {log.read_text('utf-8', 'replace')}")
            outcome = Outcome.KILLED if code else Outcome.SURVIVED
        elif time.monotonic() > attempt.deadline:
            outcome = Outcome.TIMED_OUT
        else:
            continue
        _end(process, reap=not ended)
        del running[process]
        yield attempt.trial, outcome


def _end(process: int, *, reap: bool) -> None:
    """End whatever an attempt left running; its processes are a group of their own."""
    with suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    if reap:
        os.waitpid(process, 0)


def _forked(trial: Trial, attempt: Attempt, log: Path) -> int:
    process = os.fork()
    if process:
        return process
    code = _BROKEN
    try:
        os.setsid()
        write_to(log)
        code = min(attempt(trial), 1)
    finally:
        if code == _BROKEN:
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(code)


def write_to(log: Path) -> None:
    """Let whatever this process and its children print go to a file."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
