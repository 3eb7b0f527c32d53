"""Which adapter is asked which rows, and why not all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

import pytest

from tests.adapter_contract.adapter import Adapter
from tests.adapter_contract.row import Row
from tests.adapter_contract.rows import ROWS
from tests.adapter_contract.world import World

__all__ = ["ADAPTERS", "EXCEPTIONS", "AnyAdapter", "asked", "cases", "needless"]

AnyAdapter: TypeAlias = type[Adapter[Any]]  # each has doors of its own

ADAPTERS = (
    "flask_sync",
    "flask_async",
    "flask_waitress",
    "fastapi_dependency",
    "fastapi_middleware",
    "fastapi_websocket",
    "fastapi_websocket_accepted",
    "strawberry_sync",
    "strawberry_sync_status",
    "strawberry_sync_guard",
    "strawberry_async",
    "strawberry_async_status",
    "strawberry_async_guard",
    "strawberry_async_bare",
    "strawberry_flask_async",
    "strawberry_subscription",
    "strawberry_subscription_headers",
    "graphene_sync",
    "graphene_sync_status",
    "graphene_async",
    "graphene_async_status",
    "graphene_async_plain",
    "graphene_flask_async",
)
"""Every adapter, wherever it can be run."""

_CONTROL = "a control character in a token"
_PATHS = (
    "oneself in the path",
    "another in the path",
    "one's tenant in the path",
    "another tenant in the path",
)

_BY_ITSELF = "the server answers before any application is asked"
_NOT_SENT = "clients do not send it, and the server would answer by itself"
_BEFORE_PATHS = "it stands before the router, which alone knows what is in the path"

EXCEPTIONS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("flask_waitress", _CONTROL): _BY_ITSELF,
        ("fastapi_websocket", _CONTROL): _NOT_SENT,
        ("fastapi_websocket_accepted", _CONTROL): _NOT_SENT,
        ("strawberry_subscription_headers", _CONTROL): _NOT_SENT,
        **{("fastapi_middleware", row): _BEFORE_PATHS for row in _PATHS},
    }
)
"""Rows that an adapter cannot express, by the names of both, and why."""


def asked(adapter: AnyAdapter) -> Sequence[Row]:
    """The rows that an adapter is asked."""
    return [row for row in ROWS if (adapter.name, row.name) not in EXCEPTIONS]


def cases(*adapters: AnyAdapter) -> list[Any]:
    """Each adapter with each of its rows, as parameters of a test."""
    assert {adapter.name for adapter in adapters} <= {*ADAPTERS}
    return [
        pytest.param(adapter, row, id=f"{adapter.name}-{row.law}-{row.slug}")
        for adapter in adapters
        for row in asked(adapter)
    ]


def needless(world: World, *adapters: AnyAdapter) -> list[str]:
    """The rows that an adapter is not asked although it keeps their promise."""
    return [
        f"{adapter.name}: {row.name}"
        for adapter in adapters
        for row in ROWS
        if (adapter.name, row.name) in EXCEPTIONS and _keeps(world, adapter, row)
    ]


def _keeps(world: World, adapter: AnyAdapter, row: Row) -> bool:
    try:
        with adapter(world, [row]) as alone:
            return adapter.tells(row.promised) == alone.ask(row)
    except Exception:  # noqa: BLE001 - whatever a framework, a server or a client has against the row
        return False
