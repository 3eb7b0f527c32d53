"""Graphene: a list of a hundred items with a guarded field each, over the same query of a schema without guards.

The whole operation is measured, the request's one authentication included, of users who have been here before: sync
execution, as behind Flask's view, and async execution, as behind an ASGI app's. ``checks`` leaves the authentication
out: the plain side authenticates as well, by a guard of the list.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import graphene

import authgate_core as ag
from authgate_graphql.graphene import requires

from .issued import READS, USERS, Issued, show
from .requests import Counting, Requests
from .rounds import Work, ratio

Guard: TypeAlias = Callable[[Any], Any]

QUERY: Final = "{ items { id name description price currency stock vendor { id name } } }"
CLOSED: Final[Guard] = requires(READS)


@dataclass(frozen=True)
class Vendor:
    """Who sells."""

    id: str
    name: str


@dataclass(frozen=True)
class Product:
    """What resolvers find."""

    id: str
    name: str
    description: str
    amount: float
    currency: str
    stock: int
    vendor: Vendor


def open_to_all(resolver: Any) -> Any:  # noqa: ANN401 - a resolver, as Graphene takes them
    """No guard."""
    return resolver


def schema(price_guard: Guard, items_guard: Guard = open_to_all) -> graphene.Schema:
    """A shop's schema with these guards.

    Args:
        price_guard: That of the field of each item.
        items_guard: That of the list.
    """

    class Seller(graphene.ObjectType):
        id = graphene.ID()
        name = graphene.String()

    class Item(graphene.ObjectType):
        id = graphene.ID()
        name = graphene.String()
        description = graphene.String()
        price = graphene.Float()
        currency = graphene.String()
        stock = graphene.Int()
        vendor = graphene.Field(Seller)

        @price_guard
        def resolve_price(root: Product, info: object) -> float:
            return root.amount

    class Query(graphene.ObjectType):
        items = graphene.List(Item)

        @items_guard
        def resolve_items(root: object, info: object) -> list[Product]:
            vendor = Vendor("v1", "Tea & Co")
            return [
                Product(
                    f"i{number}", "tea", "Second flush, whole leaves", 1.0 + number, "EUR", number, vendor
                )
                for number in range(100)
            ]

    return graphene.Schema(Query)


def measured() -> dict[str, float]:
    """Every key, with what was measured."""
    made = Requests(Issued.by("RS256"))
    loop, counting, gate = asyncio.new_event_loop(), Counting(), made.issued.async_gate()
    with made.app(ag.Gate(made.issued.config(revocation=counting))).app_context():
        _sync(made, schema(CLOSED))(1)
    assert counting.asked == 1, "a request is authenticated once"

    def waiting(served: graphene.Schema) -> Work:
        return _async(loop, made, gate, served)

    with made.app(made.issued.gate()).app_context():
        closed, closed_async = _sync(made, schema(CLOSED)), waiting(schema(CLOSED))
        for work in (closed, closed_async):
            work(USERS)  # in a round there is time for a few of them only
        return {
            "graphene_100_authentications": counting.asked,
            "graphene_100_over_plain": ratio(closed, _sync(made, schema(open_to_all))),
            "graphene_100_async_over_plain": ratio(closed_async, waiting(schema(open_to_all))),
            "graphene_100_checks_over_authenticated": ratio(
                _sync(made, schema(CLOSED, CLOSED)), _sync(made, schema(open_to_all, CLOSED))
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
    show(measured())
