"""The environment of these tests."""

from __future__ import annotations

import importlib.metadata
import importlib.util

import graphene


class TestEnvironment:
    def test_it_holds_graphene_and_no_strawberry(self) -> None:
        """What is tried here is what a service that took the extra `graphene` has."""
        assert graphene.VERSION >= (3, 4)
        assert importlib.util.find_spec("strawberry") is None
        assert (3, 3) > tuple(map(int, importlib.metadata.version("graphql-core").split(".")[:2]))
