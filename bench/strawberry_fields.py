"""Strawberry: a guarded field of a hundred items, over the same query of the same user with that field open."""

# Without `from __future__ import annotations`: Strawberry reads those of the types that are made in a function.
import asyncio
from functools import partial
from typing import Any, Final, TypeAlias

import strawberry

import authgate_core as ag
from authgate_graphql.strawberry import AuthGateExtension, Guard, requires

from .requests import AsyncCounting, Requests, requests, show
from .rounds import Work, ratio

Guards: TypeAlias = dict[str, Any]
"""What ``strawberry.field`` is given."""

QUERY: Final = "{ items { name price } }"
OPEN: Final[Guards] = {}
BY_CLASS: Final[Guards] = {"permission_classes": [requires(ag.is_user)]}
BY_EXTENSION: Final[Guards] = {"extensions": [Guard(ag.is_user)]}


def schema(price_guard: Guards, items_guard: Guards = BY_CLASS) -> strawberry.Schema:
    """A schema with these guards.

    Args:
        price_guard: That of the field of each item.
        items_guard: That of the list; by it a request is authenticated whether or not another one is there.
    """

    @strawberry.type
    class Item:
        name: str
        amount: strawberry.Private[float]

        @strawberry.field(**price_guard)
        def price(self) -> float:
            return self.amount

    @strawberry.type
    class Query:
        @strawberry.field(**items_guard)
        def items(self) -> list[Item]:
            return [Item(name="tea", amount=1.0) for _ in range(100)]

    return strawberry.Schema(Query, extensions=[AuthGateExtension] if items_guard else [])


def measured(made: Requests) -> dict[str, float]:
    """Every key, with what was measured."""
    loop, counting = asyncio.new_event_loop(), AsyncCounting()
    waiting = partial(_async, loop, made, ag.AsyncGate(made.config()))
    blocking = partial(_sync, made)
    _async(loop, made, ag.AsyncGate(made.config(counting)), schema(BY_CLASS, OPEN))(1)
    unguarded = waiting(schema(OPEN))
    return {
        "strawberry_100_authentications": counting.asked,
        "strawberry_100_over_plain": ratio(waiting(schema(BY_CLASS)), unguarded),
        "strawberry_100_guard_over_plain": ratio(waiting(schema(BY_EXTENSION)), unguarded),
        "strawberry_100_sync_over_plain": ratio(blocking(schema(BY_CLASS)), blocking(schema(OPEN))),
        "strawberry_100_and_authentication": ratio(
            waiting(schema(BY_CLASS, OPEN)), waiting(schema(OPEN, OPEN))
        ),
    }


def _async(
    loop: asyncio.AbstractEventLoop, made: Requests, gate: ag.AsyncGate, served: strawberry.Schema
) -> Work:
    async def work(times: int) -> None:
        for _ in range(times):
            result: Any = await served.execute(QUERY, context_value=made.asgi(gate))
            assert result.errors is None

    return lambda times: loop.run_until_complete(work(times))


def _sync(made: Requests, served: strawberry.Schema) -> Work:
    def work(times: int) -> None:
        for _ in range(times):
            result = served.execute_sync(QUERY, context_value=made.wsgi())
            assert result.errors is None

    return work


if __name__ == "__main__":
    with requests() as prepared, prepared.app().app_context():
        show(measured(prepared))
