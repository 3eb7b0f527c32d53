"""docs/reference/laws.md says of each law which test keeps it, and says the truth."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.architecture.house import ROOT

# How many laws each section has; numbers are stable, so a section only ever grows.
SECTIONS = {1: 11, 2: 9, 3: 15, 4: 13, 5: 13, 6: 8, 7: 5, 8: 8, 9: 6, 10: 3, 11: 1}
NUMBERS = [f"{section}.{law}" for section, laws in SECTIONS.items() for law in range(1, laws + 1)]

STATE = re.compile(
    r"^State: (kept since \d+\.\d+|kept in part since \d+\.\d+|not built yet)\b(.*)$", re.MULTILINE
)
TEST = re.compile(r"^Test: (.+)$", re.MULTILINE)
CITATION = re.compile(r"\b[Ll]aws?((?:[\s,]+|\band\b|\d+\.\d+)+)")
NODE = re.compile(r"`([\w./-]+\.py)::(\w+)(?:::(\w+))?`")


@dataclass(frozen=True, slots=True)
class Law:
    """One law as the page states it.

    Args:
        number: Its stable number.
        text: Everything under its heading.
    """

    number: str
    text: str

    @property
    def state(self) -> str:
        """What the page says about how far the law is kept."""
        match = STATE.search(self.text)
        return match[1] if match else "missing"

    @property
    def nodes(self) -> list[tuple[str, str, str]]:
        """The tests that keep it: file, class or function, and method or nothing."""
        return [node for line in TEST.findall(self.text) for node in NODE.findall(line)]


@cache
def laws() -> dict[str, Law]:
    """Every law of the page by its number."""
    page = (ROOT / "docs/reference/laws.md").read_text("utf-8")
    parts = re.split(r"^### (\d+\.\d+)\b.*$", page, flags=re.MULTILINE)
    return {number: Law(number, text) for number, text in zip(parts[1::2], parts[2::2], strict=True)}


@cache
def tree_of(path: str) -> ast.Module | None:
    """A file of tests, read once; None where there is none."""
    file = ROOT / path
    return ast.parse(file.read_text("utf-8")) if file.is_file() else None


def find(path: str, *names: str) -> ast.AST | None:
    """The class or function that a test's address names, or None."""
    node: ast.AST | None = tree_of(path)
    for name in filter(None, names):
        body = getattr(node, "body", [])
        node = next((one for one in body if getattr(one, "name", None) == name), None)
    return node


def cited(text: str) -> set[str]:
    """The numbers of the laws that a text cites: ``Law 4.3`` or ``Laws 6.2, 6.6 and 7.1``."""
    return {number for run in CITATION.findall(text) for number in re.findall(r"\d+\.\d+", run)}


def cites(node: ast.AST, number: str) -> bool:
    """Whether a docstring of the test, its methods or its class cites the law."""
    documented = (ast.ClassDef, ast.FunctionDef)
    texts = [ast.get_docstring(one) or "" for one in ast.walk(node) if isinstance(one, documented)]
    return number in cited("\n".join(texts))


class TestLaws:
    def test_the_page_states_every_one(self) -> None:
        """Every number is there, once, in order."""
        assert NUMBERS == list(laws())

    def test_the_page_says_how_far_each_is_kept(self) -> None:
        """A law is kept, kept in part, or not built yet, and what is kept, and only that, names its tests."""
        assert [] == [one.number for one in laws().values() if "missing" == one.state]
        assert [] == [
            one.number for one in laws().values() if ("not built yet" == one.state) != (not one.nodes)
        ]

    def test_the_tests_that_it_names_exist(self) -> None:
        """Each address of a test leads to a class or a function."""
        nodes = {node for one in laws().values() for node in one.nodes}

        assert [] == sorted("::".join(filter(None, node)) for node in nodes if find(*node) is None)

    def test_one_of_its_tests_cites_it(self) -> None:
        """At least one test of a law says in its docstring that it keeps that law."""
        uncited = [
            one.number
            for one in laws().values()
            if one.nodes
            and not any(cites(tree, one.number) for node in one.nodes if (tree := find(*node)) is not None)
        ]

        assert [] == uncited


class TestCitations:
    def test_only_laws_that_exist_are_cited(self) -> None:
        """A law that code or a test cites is one of the page's."""
        citations = {
            (number, str(path.relative_to(ROOT)))
            for folder in ("packages", "tests", "demo", "docs", "bench", "fuzz", "mutation", "torture")
            for path in _written(ROOT / folder)
            for number in cited(path.read_text("utf-8"))
        }

        assert [] == sorted((number, path) for number, path in citations if number not in laws())


def _written(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.suffix in {".py", ".md"} and path.is_file()]
