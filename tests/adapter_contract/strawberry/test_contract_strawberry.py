"""The contract, kept by Strawberry: in Flask, in FastAPI, and by subscriptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.adapter_contract.adapter import Adapter
from tests.adapter_contract.cases import AnyAdapter, cases, needless
from tests.adapter_contract.row import Row
from tests.adapter_contract.strawberry.strawberry_async import (
    StrawberryAsync,
    StrawberryAsyncBare,
    StrawberryAsyncGuard,
    StrawberryAsyncStatus,
)
from tests.adapter_contract.strawberry.strawberry_subscription import (
    StrawberrySubscription,
    StrawberrySubscriptionHeaders,
)
from tests.adapter_contract.strawberry.strawberry_sync import (
    StrawberryFlaskAsync,
    StrawberrySync,
    StrawberrySyncGuard,
    StrawberrySyncStatus,
)
from tests.adapter_contract.world import World

ADAPTERS = (
    StrawberrySync,
    StrawberrySyncStatus,
    StrawberrySyncGuard,
    StrawberryAsync,
    StrawberryAsyncStatus,
    StrawberryAsyncBare,
    StrawberryAsyncGuard,
    StrawberryFlaskAsync,
    StrawberrySubscription,
    StrawberrySubscriptionHeaders,
)


class TestStrawberry:
    @pytest.mark.parametrize(("adapter", "row"), cases(*ADAPTERS))
    def test_keeps_its_promises(
        self, of: Callable[[AnyAdapter], Adapter[Any]], adapter: AnyAdapter, row: Row
    ) -> None:
        """Law 9.3: every row ends here as it ends everywhere."""
        assert adapter.tells(row.promised) == of(adapter).ask(row)

    def test_needs_its_exceptions(self, world: World) -> None:
        """A row that it is not asked is one that it could not keep."""
        assert [] == needless(world, *ADAPTERS)
