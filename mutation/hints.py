"""Which tests to ask first: what noticed one mutant of a function notices most others of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .mutants import Mutant
from .trials import Trial

__all__ = ["Hints"]


@dataclass(frozen=True, slots=True)
class Hints:
    """What the processes that try mutants tell those that come after them.

    Args:
        path: A file that each of them reads and adds to.
    """

    path: Path

    def ordered(self, trial: Trial) -> list[str]:
        """The tests of a trial, those first that noticed its neighbours."""
        noticed = [line.split("\t") for line in self._lines()]
        mutant, asked = trial.mutant, set(trial.tests)
        near = [test for place, test in noticed if place == _place(mutant)]
        far = [test for place, test in noticed if place.startswith(f"{mutant.file} ")]
        first = dict.fromkeys(test for test in (*reversed(near), *reversed(far[-20:])) if test in asked)
        return [*first, *(test for test in trial.tests if test not in first)]

    def add(self, mutant: Mutant, test: str) -> None:
        """Remember that a test noticed a mutant."""
        with self.path.open("a", encoding="utf-8") as hints:
            hints.write(f"{_place(mutant)}\t{test}\n")

    def _lines(self) -> list[str]:
        return self.path.read_text("utf-8").splitlines() if self.path.exists() else []


def _place(mutant: Mutant) -> str:
    return f"{mutant.file} {mutant.within}"
