"""One world for each module, and in it each adapter once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from importlib.util import find_spec
from typing import Any

import pytest

from tests.adapter_contract.adapter import Adapter
from tests.adapter_contract.cases import AnyAdapter, asked
from tests.adapter_contract.world import World, opened

collect_ignore = [library for library in ("graphene", "strawberry") if find_spec(library) is None]
"""Each GraphQL library has an environment of its own."""


@pytest.fixture(name="world", scope="module")
def _world() -> Iterator[World]:
    with opened() as world:
        yield world


@pytest.fixture(name="of", scope="module")
def _of(world: World) -> Iterator[Callable[[AnyAdapter], Adapter[Any]]]:
    """Gives an adapter, which stays open until the module ends."""
    with ExitStack() as stack:

        @cache
        def of(adapter: AnyAdapter) -> Adapter[Any]:
            return stack.enter_context(adapter(world, asked(adapter)))

        yield of
