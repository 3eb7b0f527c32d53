"""The comparison: it compares what is measured, and nothing else."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

from bench.subjects import BOUNDS
from torture.registry import every_row

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "comparison.md").read_text("utf-8")


class TestRows:
    def test_each_is_a_row_of_the_torture(self) -> None:
        """So that whoever doubts it can run it by its name."""
        shown = re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)

        assert [] == [name for name in shown if name not in {row.name for row in every_row()}]
        assert 20 < len(shown) == len(set(shown))


class TestFigures:
    def test_they_are_those_of_the_benchmarks(self) -> None:
        """The table is that of bench/README.md, between the marks that the page names."""
        readme = (ROOT / "bench" / "README.md").read_text("utf-8")
        _, start, end = re.split(r":(?:start-after|end-before): ", PAGE)

        for mark in (start, end):
            assert 1 == readme.count(mark.partition("\n")[0])

    def test_the_keys_that_are_explained_are_measured(self) -> None:
        """Each stands for some keys of the table."""
        (explained,) = re.findall(r"^```\n\n((?:-.*\n|  .*\n)+)", PAGE, re.MULTILINE)
        patterns = re.findall(r"`(\w+\*?)`(?=[,:])", explained)

        assert [] == [pattern for pattern in patterns if not any(fnmatch(key, pattern) for key in BOUNDS)]
        assert "hit_over_raw" in patterns
