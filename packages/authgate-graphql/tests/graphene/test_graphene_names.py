"""What the module for Graphene exports, and what the reference says of it."""

from __future__ import annotations

from authgate_graphql import graphene
from tests.architecture.test_code import documented

NAMES = documented("authgate_graphql.graphene")


class TestNames:
    def test_the_reference_lists_what_is_exported(self) -> None:
        """``__all__`` and docs/reference/names.md hold the same names."""
        assert sorted(graphene.__all__) == NAMES

    def test_every_exported_name_says_what_it_is(self) -> None:
        """It is there, and has a docstring of its own."""
        assert [] == [name for name in NAMES if not vars(graphene)[name].__doc__]
