"""The contract, kept by Graphene: in Flask and in FastAPI."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.adapter_contract.adapter import Adapter
from tests.adapter_contract.cases import AnyAdapter, cases, needless
from tests.adapter_contract.graphene.graphene_async import (
    GrapheneAsync,
    GrapheneAsyncPlain,
    GrapheneAsyncStatus,
)
from tests.adapter_contract.graphene.graphene_sync import GrapheneFlaskAsync, GrapheneSync, GrapheneSyncStatus
from tests.adapter_contract.row import Row
from tests.adapter_contract.world import World

ADAPTERS = (
    GrapheneSync,
    GrapheneSyncStatus,
    GrapheneAsync,
    GrapheneAsyncStatus,
    GrapheneAsyncPlain,
    GrapheneFlaskAsync,
)


class TestGraphene:
    @pytest.mark.parametrize(("adapter", "row"), cases(*ADAPTERS))
    def test_keeps_its_promises(
        self, of: Callable[[AnyAdapter], Adapter[Any]], adapter: AnyAdapter, row: Row
    ) -> None:
        """Law 9.3: every row ends here as it ends everywhere."""
        assert adapter.tells(row.promised) == of(adapter).ask(row)

    def test_needs_its_exceptions(self, world: World) -> None:
        """A row that it is not asked is one that it could not keep."""
        assert [] == needless(world, *ADAPTERS)
