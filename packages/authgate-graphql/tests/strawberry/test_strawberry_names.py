"""What the modules for Strawberry export, and what the reference says of it."""

from __future__ import annotations

import importlib

import pytest

from tests.architecture.test_code import documented


@pytest.mark.parametrize("module", ["authgate_graphql.strawberry", "authgate_graphql.compat.mercury"])
class TestNames:
    def test_the_reference_lists_what_is_exported(self, module: str) -> None:
        """``__all__`` and docs/reference/names.md hold the same names."""
        assert documented(module) == sorted(importlib.import_module(module).__all__)

    def test_every_exported_name_says_what_it_is(self, module: str) -> None:
        """It is there, and has a docstring of its own."""
        loaded = importlib.import_module(module)
        assert [] == [name for name in documented(module) if not vars(loaded)[name].__doc__]
