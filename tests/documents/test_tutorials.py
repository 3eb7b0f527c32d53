"""The tutorials of FastAPI and Flask, done to the letter; those of GraphQL are done where their libraries are.

``nox -s tutorials`` does them with the wheels, from an empty environment on, as a reader does. In the suite they are
done in the environment at hand, which says as much about their text in less time.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.tutorials import blocks, walk


@pytest.mark.parametrize("name", ["fastapi.md", "flask.md"])
class TestTutorial:
    def test_it_ends_green(self, name: str, tmp_path: Path) -> None:
        """Each file, each command, and everything that the page says they print."""
        assert walk(name, tmp_path) > 0

    def test_it_ends_with_a_test(self, name: str) -> None:
        """What its last command prints are tests that pass."""
        assert " passed in " in blocks(name)[-1].text

    def test_it_installs_what_it_uses(self, name: str) -> None:
        """In its first command, from the distribution of the framework."""
        assert f"authgate-{Path(name).stem}" in blocks(name)[0].text
