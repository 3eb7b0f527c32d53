"""Trying a mutant by importing it in the place of its module, which any change can be tried by."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType

import pytest

from .hints import Hints
from .mutants import Mutant
from .running import run_pytest
from .trials import Trial

__all__ = ["attempt"]


def attempt(trial: Trial, hints: Hints) -> int:
    """Import a mutant as its module, and run the tests of its trial; 0 when none noticed."""
    sys.meta_path.insert(0, _Mutated(trial.mutant))
    root = Path.cwd()
    files = dict.fromkeys(root / test.partition("::")[0] for test in trial.tests)
    code = run_pytest(list(files), _Chosen(trial, hints))
    return 0 if code == pytest.ExitCode.NO_TESTS_COLLECTED else code


class _Chosen:
    """A plugin that runs the tests of a trial alone, in its order."""

    def __init__(self, trial: Trial, hints: Hints) -> None:
        self._mutant = trial.mutant
        self._hints = hints
        self._places = {test: place for place, test in enumerate(hints.ordered(trial))}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        places = self._places
        items[:] = sorted(
            (item for item in items if item.nodeid in places), key=lambda item: places[item.nodeid]
        )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._hints.add(self._mutant, report.nodeid)


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
