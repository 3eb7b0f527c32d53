"""Trying a mutant by giving a function other code: a tenth of the work, since nothing is loaded anew.

The tests are collected once, and what they make while they are collected is made by the code as it is. So a mutant of a
function that ran by then, and survives here, is tried once more by importing it; so is one that cannot be given.
"""

from __future__ import annotations

import gc
import os
import pickle
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType
from typing import BinaryIO

import pytest

from .hints import Hints
from .mutants import Mutant
from .running import run_pytest
from .trials import Trial, tried, write_to
from .verdict import Outcome

__all__ = ["swapped"]

_UNNOTICED = 0


def swapped(
    trials: Sequence[Trial], files: Sequence[Path], hints: Hints, *, workers: int, log: Path
) -> Iterator[tuple[Trial, Outcome | None]]:
    """Collect the tests of some files in a child, and try mutants of functions there; None where that cannot be."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        write_to(log)
        with os.fdopen(writer, "wb") as pipe:
            run_pytest(files, _Session(trials, hints, workers, log, pipe))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        for _ in trials:
            if not pipe.peek():
                raise RuntimeError(f"the tests ended early: {log.read_text('utf-8', 'replace')}")
            place, outcome = pickle.load(pipe)  # noqa: S301  # from our own child
            yield trials[place], outcome
    os.waitpid(child, 0)


class _Session:
    """A plugin that tries mutants where pytest would run what it collected."""

    def __init__(
        self, trials: Sequence[Trial], hints: Hints, workers: int, log: Path, pipe: BinaryIO
    ) -> None:
        self._trials = trials
        self._hints = hints
        self._workers = workers
        self._log = log
        self._pipe = pipe

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        functions = _functions()
        places = {id(trial): place for place, trial in enumerate(self._trials)}
        given = [trial for trial in self._trials if _swaps(trial.mutant, functions)]
        for place in places.keys() - map(id, given):
            self._tell(places[place], None)

        def attempt(trial: Trial) -> int:
            for function, code in _swaps(trial.mutant, functions):
                function.__code__ = code
            noticed = _noticed(session, [items[test] for test in self._hints.ordered(trial)])
            if noticed is None:
                return _UNNOTICED
            self._hints.add(trial.mutant, noticed)
            return 1

        for trial, outcome in tried(given, attempt, workers=self._workers, log=self._log):
            self._tell(places[id(trial)], outcome)
        return True

    def _tell(self, place: int, outcome: Outcome | None) -> None:
        pickle.dump((place, outcome), self._pipe)
        self._pipe.flush()


def _functions() -> dict[tuple[str, str], list[FunctionType]]:
    """Every function that is loaded, by its module and name."""
    found: defaultdict[tuple[str, str], list[FunctionType]] = defaultdict(list)
    for thing in gc.get_objects():
        if isinstance(thing, FunctionType):
            found[thing.__module__, thing.__code__.co_qualname].append(thing)
    return found


def _swaps(
    mutant: Mutant, functions: dict[tuple[str, str], list[FunctionType]]
) -> list[tuple[FunctionType, CodeType]]:
    """The mutant's code for each function of its name; none where it cannot be given."""
    codes = dict(_codes(compile(mutant.source, str(mutant.path), "exec")))
    swaps = [
        (function, codes[mutant.function, function.__code__.co_firstlineno])
        for function in functions[mutant.module, mutant.function]
    ]
    if any(function.__code__.co_freevars != code.co_freevars for function, code in swaps):
        return []
    return swaps


def _codes(code: CodeType) -> Iterator[tuple[tuple[str, int], CodeType]]:
    """The code of every function in this, by its name and first line."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield (constant.co_qualname, constant.co_firstlineno), constant
            yield from _codes(constant)


def _noticed(session: pytest.Session, items: Sequence[pytest.Item]) -> str | None:
    """The first of these tests that fails, if one does."""
    for item, following in zip(items, (*items[1:], None), strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return item.nodeid
    return None
