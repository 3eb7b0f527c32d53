"""Graphene: a guarded field of a hundred items, over the same query of the same user with that field open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

import graphene

import authgate_core as ag
from authgate_graphql.graphene import requires

from .requests import Counting, Requests, requests, show
from .rounds import Work, ratio

Guard: TypeAlias = Callable[[Any], Any]

QUERY: Final = "{ items { name price } }"
CLOSED: Final[Guard] = requires(ag.is_user)


@dataclass(frozen=True)
class Product:
    """What resolvers find."""

    name: str
    amount: float


def open_to_all(resolver: Any) -> Any:  # noqa: ANN401 - a resolver, as Graphene takes them
    """No guard."""
    return resolver


def schema(price_guard: Guard, items_guard: Guard = CLOSED) -> graphene.Schema:
    """A schema with these guards.

    Args:
        price_guard: That of the field of each item.
        items_guard: That of the list; by it a request is authenticated whether or not another one is there.
    """

    class Item(graphene.ObjectType):
        name = graphene.String()
        price = graphene.Float()

        @price_guard
        def resolve_price(root: Product, info: object) -> float:
            return root.amount

    class Query(graphene.ObjectType):
        items = graphene.List(Item)

        @items_guard
        def resolve_items(root: object, info: object) -> list[Product]:
            return [Product("tea", 1.0) for _ in range(100)]

    return graphene.Schema(Query)


def measured(made: Requests) -> dict[str, float]:
    """Every key, with what was measured."""
    counting = Counting()
    with made.app(counting).app_context():
        _sync(made, schema(CLOSED, open_to_all))(1)
    waiting = partial(_async, asyncio.new_event_loop(), made, ag.AsyncGate(made.config()))
    with made.app().app_context():
        closed, unguarded = _sync(made, schema(CLOSED)), _sync(made, schema(open_to_all))
        return {
            "graphene_100_authentications": counting.asked,
            "graphene_100_over_plain": ratio(closed, unguarded),
            "graphene_100_async_over_plain": ratio(waiting(schema(CLOSED)), waiting(schema(open_to_all))),
            "graphene_100_and_authentication": ratio(
                _sync(made, schema(CLOSED, open_to_all)), _sync(made, schema(open_to_all, open_to_all))
            ),
        }


def _sync(made: Requests, served: graphene.Schema) -> Work:
    def work(times: int) -> None:
        for _ in range(times):
            assert served.execute(QUERY, context=made.wsgi()).errors is None

    return work


def _async(
    loop: asyncio.AbstractEventLoop, made: Requests, gate: ag.AsyncGate, served: graphene.Schema
) -> Work:
    async def work(times: int) -> None:
        for _ in range(times):
            result = await served.execute_async(QUERY, context=made.asgi(gate))
            assert result.errors is None

    return lambda times: loop.run_until_complete(work(times))


if __name__ == "__main__":
    with requests() as prepared:
        show(measured(prepared))
