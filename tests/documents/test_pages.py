"""Every page of the documentation: its examples are Python, and a test runs them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [page for page in sorted(DOCS.rglob("*.md")) if "_build" not in page.parts]
WITH_CODE = [page for page in PAGES if "```python" in page.read_text("utf-8")]
EXPLAINED = [page for page in WITH_CODE if page.parent.name != "adr"]
"""All but the decisions, which show code that was weighed."""


def _name(page: Path) -> str:
    return str(page.relative_to(DOCS))


def snippets(page: Path) -> list[str]:
    """The Python of a page, without what it is indented by."""
    found = re.findall(r"^( *)```python\n(.*?)^ *```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


@pytest.mark.parametrize("page", WITH_CODE, ids=_name)
def test_its_examples_are_python(page: Path) -> None:
    """Each can be pasted into a file as it stands."""
    for snippet in snippets(page):
        ast.parse(snippet)


@pytest.mark.parametrize("page", EXPLAINED, ids=_name)
def test_its_examples_are_run(page: Path) -> None:
    """Some test reads the page by its name."""
    readers = [*ROOT.glob("tests/documents/**/test_*.py"), *ROOT.glob("packages/*/tests/**/test_*.py")]

    assert [] != [one for one in readers if one != Path(__file__) and page.name in one.read_text("utf-8")]
