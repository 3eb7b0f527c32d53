"""The contract, kept by FastAPI: with dependencies, with a middleware, and by WebSockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.adapter_contract.adapter import Adapter
from tests.adapter_contract.adapters.fastapi_dependency import FastApiDependency
from tests.adapter_contract.adapters.fastapi_middleware import FastApiMiddleware
from tests.adapter_contract.adapters.fastapi_websocket import FastApiWebSocket, FastApiWebSocketAccepted
from tests.adapter_contract.cases import AnyAdapter, cases, needless
from tests.adapter_contract.row import Row
from tests.adapter_contract.world import World

ADAPTERS = (FastApiDependency, FastApiMiddleware, FastApiWebSocket, FastApiWebSocketAccepted)


class TestFastApi:
    @pytest.mark.parametrize(("adapter", "row"), cases(*ADAPTERS))
    def test_keeps_its_promises(
        self, of: Callable[[AnyAdapter], Adapter[Any]], adapter: AnyAdapter, row: Row
    ) -> None:
        """Law 9.3: every row ends here as it ends everywhere."""
        assert adapter.tells(row.promised) == of(adapter).ask(row)

    def test_needs_its_exceptions(self, world: World) -> None:
        """A row that it is not asked is one that it could not keep."""
        assert [] == needless(world, *ADAPTERS)
