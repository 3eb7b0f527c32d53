"""The checks of the architecture tests find what they are there to find."""

from __future__ import annotations

import ast

import pytest

from tests.architecture import checks


class TestChecks:
    @pytest.mark.parametrize(
        "source",
        [
            "import httpx2",
            "import httpx2 as client",
            "from httpx2 import Client",
            "from httpx2.types import X",
            "def f():\n    import httpx2._api",
        ],
    )
    def test_an_import_is_found_wherever_it_stands(self, source: str) -> None:
        """An import counts in every spelling, and inside a function as well."""
        assert 1 == len(checks.imports(ast.parse(source), "httpx2"))

    @pytest.mark.parametrize("source", ["import httpx2x", "from .httpx2 import x", "from . import httpx2"])
    def test_other_names_are_not_mistaken(self, source: str) -> None:
        """A longer name and a neighbour of the same name are no import of the library."""
        assert [] == checks.imports(ast.parse(source), "httpx2")

    @pytest.mark.parametrize(
        "source",
        [
            "async def f(): ...",
            "async def f():\n    await g()",
            "async def f():\n    return [x async for x in y]",
            "async def f():\n    async with a: ...",
        ],
    )
    def test_async_code_is_found(self, source: str) -> None:
        """Functions, awaits, loops, contexts and comprehensions count."""
        assert [] != checks.waits(ast.parse(source))

    @pytest.mark.parametrize(
        "source",
        [
            "import os\nos.environ['A']",
            "import os\nos.getenv('A')",
            "from os import environ",
            "from pydantic_settings import BaseSettings",
        ],
    )
    def test_a_look_at_the_environment_is_found(self, source: str) -> None:
        """Reading a variable counts, and so does the library that reads them."""
        assert [] != checks.reads_environment(ast.parse(source))

    @pytest.mark.parametrize(
        "source",
        [
            "headers['Authorization']",
            "headers.get('authorization')",
            "values(headers, AUTHORIZATION)",
            "[v for k, v in headers if k == 'authorization']",
        ],
    )
    def test_a_header_that_is_looked_up_is_found(self, source: str) -> None:
        """A subscript, a call and a comparison count as reading."""
        assert [] != checks.looks_up(ast.parse(source), {"AUTHORIZATION"}, {"authorization"})

    def test_a_header_that_is_written_is_not_looked_up(self) -> None:
        """Writing a header is no look-up, though it is a mention."""
        tree = ast.parse("headers['Authorization'] = token\nsend({'authorization': token})")

        assert [] == checks.looks_up(tree, set(), {"authorization"})
        assert 2 == len(checks.mentions(tree, set(), {"authorization"}))

    def test_a_missing_docstring_is_found(self) -> None:
        """Public classes, functions and methods need one; private ones and overloads do not."""
        source = (
            'class A:\n    """Yes."""\n    def b(self): ...\n    def _c(self): ...\n@overload\ndef d(): ...'
        )

        assert ["line 3: b"] == checks.undocumented(ast.parse(source))

    def test_an_assert_is_found(self) -> None:
        """An assert statement counts wherever it stands."""
        assert ["line 2: assert"] == checks.asserts(ast.parse("def f():\n    assert x"))
