"""The tutorial of Strawberry, done to the letter."""

from __future__ import annotations

from pathlib import Path

from tests.support.tutorials import blocks, walk


class TestTutorial:
    def test_it_ends_green(self, tmp_path: Path) -> None:
        """Each file, each command, and everything that the page says they print."""
        assert walk("strawberry.md", tmp_path) > 0

    def test_it_ends_with_a_test(self) -> None:
        """What its last command prints are tests that pass."""
        assert " passed in " in blocks("strawberry.md")[-1].text
