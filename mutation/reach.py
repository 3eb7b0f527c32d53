"""Which tests reach which lines, and how long each takes: found by running them once over the code as it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import coverage
import pytest

from .mutants import Mutant
from .running import run_pytest

__all__ = ["Reach", "measured"]

_LOADING: Final = ""
"""What the measurement calls the time outside of tests."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What one run of the tests showed.

    Args:
        seconds: How long each test took, by its node id.
        tests: For each file, and each line of it, the tests that ran it; what runs when modules are loaded,
            before any test, concerns every test.
    """

    seconds: dict[str, float] = field(default_factory=dict[str, float])
    tests: dict[Path, dict[int, set[str]]] = field(default_factory=dict[Path, dict[int, set[str]]])

    def runs_early(self, mutant: Mutant) -> bool:
        """Whether a mutant may concern what is made before any test runs: when modules are loaded, tests collected."""
        return not mutant.function or _LOADING in self._reached(mutant)

    def of(self, mutant: Mutant, files: Sequence[Path]) -> list[str]:
        """The tests in these files that a mutant may concern, the quickest first."""
        names = {file.name for file in files}
        asked = self.seconds if self.runs_early(mutant) else self._reached(mutant)
        return sorted(
            (test for test in asked if _file(test) in names), key=lambda test: (self.seconds[test], test)
        )

    def _reached(self, mutant: Mutant) -> set[str]:
        """The tests that run a line of its function."""
        first, last = mutant.lines
        lines = self.tests.get(mutant.path, {})
        return {test for line, tests in lines.items() if first <= line <= last for test in tests}


def _file(test: str) -> str:
    return test.partition("::")[0].rpartition("/")[2]


class _Watching:
    """A plugin that tells the measurement which test runs, and keeps how long it took."""

    def __init__(self, measurement: coverage.Coverage) -> None:
        self._measurement = measurement
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._measurement.switch_context(item.nodeid)
        yield
        self._measurement.switch_context(_LOADING)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] += report.duration


def measured(sources: Sequence[Path], files: Sequence[Path]) -> Reach | None:
    """Run the tests of some files and see which lines of the sources each reaches; None when one fails."""
    measurement = coverage.Coverage(data_file=None, config_file=False, include=list(map(str, sources)))
    watching = _Watching(measurement)
    measurement.start()
    code = run_pytest(files, watching)
    measurement.stop()
    if code:
        return None
    data = measurement.get_data()
    reach = Reach(dict(watching.seconds))
    for source in sources:
        lines = data.contexts_by_lineno(str(source))
        reach.tests[source] = {line: set(tests) for line, tests in lines.items()}
    return reach
