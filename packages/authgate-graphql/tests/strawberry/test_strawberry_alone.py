"""The environment of these tests."""

from __future__ import annotations

import importlib.metadata
import importlib.util

import authgate_graphql.strawberry


class TestEnvironment:
    def test_it_holds_strawberry_and_no_graphene(self) -> None:
        """What is tried here is what a service that took the extra `strawberry` has."""
        assert authgate_graphql.strawberry.__all__
        assert importlib.util.find_spec("graphene") is None
        assert (3, 3) <= tuple(map(int, importlib.metadata.version("graphql-core").split(".")[:2]))
