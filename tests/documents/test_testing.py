"""The page about tests: its files, as they stand, are a project whose tests pass."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "testing.md"


def files() -> dict[str, str]:
    """The files of the page: an example that names none goes on with ``test_orders.py``."""
    found: dict[str, str] = {}
    for text in re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE):
        named = re.match(r"# (\w+\.py)\n", text)
        name = named[1] if named else "test_orders.py"
        found[name] = found.get(name, "") + text
    return found


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """The project of the page."""
    for name, text in files().items():
        (pytester.path / name).write_text(text)
    return pytester


class TestPage:
    def test_its_tests_pass(self, project: pytest.Pytester) -> None:
        """All of them, in a project that has nothing but authgate installed."""
        outcomes = project.runpytest_subprocess("-p", "no:valkey").parseoutcomes()

        assert {"passed"} == outcomes.keys() - {"warnings"}
        assert 6 < outcomes["passed"]

    def test_they_fail_where_the_application_stands_open(self, project: pytest.Pytester) -> None:
        """Without the guard of one route, the tests about it do, and the one about all routes."""
        opened = (project.path / "orders.py").read_text().replace(", dependencies=[requires(is_user)]", "")
        (project.path / "orders.py").write_text(opened)
        outcomes = project.runpytest_subprocess(
            "-p", "no:valkey", "-k", "oversight or strangers or clerks"
        ).parseoutcomes()

        assert (1, 2) == (outcomes["passed"], outcomes["failed"])
