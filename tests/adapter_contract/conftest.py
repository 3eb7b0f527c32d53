"""One world for each module, and in it each adapter once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import Any

import pytest

from tests.adapter_contract.adapter import Adapter
from tests.adapter_contract.cases import AnyAdapter, asked
from tests.adapter_contract.world import World, opened


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
