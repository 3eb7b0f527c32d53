"""Trying mutants, each in a process of its own that is forked from one that has every library loaded."""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType
from typing import Final

import pytest

from .mutants import Mutant
from .running import run_pytest
from .verdict import Outcome

__all__ = ["Trial", "tried"]

_PATIENCE: Final = 20.0
"""Seconds that each mutant has beyond ten times what its tests took on the code as it is."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A mutant and the tests that are asked about it, the first first.

    Args:
        mutant: Of which module.
        tests: Their node ids.
        seconds: What they took on the code as it is.
    """

    mutant: Mutant
    tests: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class _Running:
    trial: Trial
    deadline: float


def tried(trials: Iterable[Trial], workers: int, log: Path) -> Iterator[tuple[Trial, Outcome]]:
    """Try each mutant, so many at a time, and say what became of it.

    Args:
        trials: What to try.
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
            deadline = time.monotonic() + _PATIENCE + 10 * trial.seconds
            running[_forked(trial, log)] = _Running(trial, deadline)
        yield from _ended(running)


def _ended(running: dict[int, _Running]) -> Iterator[tuple[Trial, Outcome]]:
    time.sleep(0.01)
    for process, attempt in list(running.items()):
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
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


def _forked(trial: Trial, log: Path) -> int:
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        os.setsid()
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        code = _attempt(trial)
    finally:
        os._exit(code)


def _attempt(trial: Trial) -> int:
    """Run the tests of a trial on its mutant; 0 when nothing noticed."""
    sys.meta_path.insert(0, _Mutated(trial.mutant))
    root = Path.cwd()
    files = dict.fromkeys(root / test.partition("::")[0] for test in trial.tests)
    code = run_pytest(list(files), _Chosen(trial.tests))
    return 0 if code == pytest.ExitCode.NO_TESTS_COLLECTED else code


class _Chosen:
    """A plugin that runs the tests of a trial alone, in its order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._places = {test: place for place, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        places = self._places
        items[:] = sorted(
            (item for item in items if item.nodeid in places), key=lambda item: places[item.nodeid]
        )


class _Mutated(SourceFileLoader):
    """Finds one module, and loads the mutant's code for it."""

    def __init__(self, mutant: Mutant) -> None:
        super().__init__(mutant.module, str(mutant.path))
        self._mutant = mutant

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002  # as the import system calls it
        mutant = self._mutant
        if name != mutant.module:
            return None
        places = [str(mutant.path.parent)] if mutant.path.name == "__init__.py" else None
        return spec_from_file_location(name, mutant.path, loader=self, submodule_search_locations=places)

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._mutant.source, self.get_filename(fullname), "exec")
