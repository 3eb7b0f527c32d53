"""The pages that explain: what they show runs, and does what is said beside it."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from authgate_core.flows.revoked import check_revoked
from authgate_core.flows.token import verify_token

PAGES = Path(__file__).parents[2] / "docs" / "explanation"


def pasted(page: str) -> dict[str, Any]:
    """The names that the one example of a page leaves."""
    (snippet,) = re.findall(r"```python\n(.*?)```", (PAGES / page).read_text("utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(snippet, page, "exec"), names)
    return names


class TestTheGate:
    """the-gate.md."""

    def test_policies_are_values(self, capsys: pytest.CaptureFixture[str]) -> None:
        """They are printed as the page says, and have no truth value."""
        names = pasted("the-gate.md")

        assert f"{names['may_write']}\n" == capsys.readouterr().out
        with pytest.raises(TypeError):
            bool(names["may_read"])

    def test_its_policies_are_compared(self) -> None:
        """The same words are the same value."""
        assert pasted("the-gate.md")["may_write"] == pasted("the-gate.md")["may_write"]


def test_a_flow_needs_no_loop() -> None:
    """one-flow-two-runners.md: its example asserts that somebody was let in."""
    assert "gate" in pasted("one-flow-two-runners.md")


def test_the_story_of_a_token() -> None:
    """architecture.md shows a flow, a little shortened: what it calls is what the flow calls."""
    (snippet,) = re.findall(r"```python\n(.*?)```", (PAGES / "architecture.md").read_text("utf-8"), re.DOTALL)
    called = {
        node.func.id
        for node in ast.walk(ast.parse(snippet))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }

    assert {check_revoked.__name__, verify_token.__name__} == called
