"""Strawberry: a list of a hundred items with a guarded field each, over the same query of a schema without guards.

The whole operation is measured, the request's one authentication included, of users who have been here before: async
execution, as behind FastAPI's router, and sync execution, as behind Flask's view. ``checks`` leaves the authentication
out: the plain side authenticates as well, by a guard of the list.
"""

# Without `from __future__ import annotations`: Strawberry reads those of the types that are made in a function.
import asyncio
from typing import Any, Final, TypeAlias

import strawberry

import authgate_core as ag
from authgate_graphql.strawberry import AuthGateExtension, Guard, requires

from .issued import READS, USERS, Issued, show
from .requests import AsyncCounting, Requests
from .rounds import Work, ratio

Guards: TypeAlias = dict[str, Any]
"""What ``strawberry.field`` is given."""

QUERY: Final = "{ items { id name description price currency stock vendor { id name } } }"
OPEN: Final[Guards] = {}
BY_CLASS: Final[Guards] = {"permission_classes": [requires(READS)]}
BY_EXTENSION: Final[Guards] = {"extensions": [Guard(READS)]}


def schema(price_guard: Guards, items_guard: Guards = OPEN) -> strawberry.Schema:
    """A shop's schema with these guards, and with the extension where there are any.

    Args:
        price_guard: That of the field of each item.
        items_guard: That of the list.
    """

    @strawberry.type
    class Vendor:
        id: strawberry.ID
        name: str

    @strawberry.type
    class Item:
        id: strawberry.ID
        name: str
        description: str
        currency: str
        stock: int
        vendor: Vendor
        amount: strawberry.Private[float]

        @strawberry.field(**price_guard)
        def price(self) -> float:
            return self.amount

    @strawberry.type
    class Query:
        @strawberry.field(**items_guard)
        def items(self) -> list[Item]:
            vendor = Vendor(id=strawberry.ID("v1"), name="Tea & Co")
            return [
                Item(
                    id=strawberry.ID(f"i{number}"),
                    name="tea",
                    description="Second flush, whole leaves",
                    currency="EUR",
                    stock=number,
                    vendor=vendor,
                    amount=1.0 + number,
                )
                for number in range(100)
            ]

    is_guarded = bool(price_guard or items_guard)
    return strawberry.Schema(Query, extensions=[AuthGateExtension] if is_guarded else [])


def measured() -> dict[str, float]:
    """Every key, with what was measured."""
    made = Requests(Issued.by("RS256"))
    loop, counting = asyncio.new_event_loop(), AsyncCounting()
    gate = made.issued.async_gate()

    def waiting(served: strawberry.Schema) -> Work:
        return _async(loop, made, gate, served)

    counted = ag.AsyncGate(made.issued.config(revocation=counting))
    _async(loop, made, counted, schema(BY_EXTENSION))(1)
    assert counting.asked == 1, "a request is authenticated once"
    plain, closed = waiting(schema(OPEN)), waiting(schema(BY_EXTENSION))
    with made.app(made.issued.gate()).app_context():
        closed_sync = _sync(made, schema(BY_EXTENSION))
        for work in (closed, closed_sync):
            work(USERS)  # in a round there is time for a few of them only
        return {
            "strawberry_100_authentications": counting.asked,
            "strawberry_100_over_plain": ratio(closed, plain),
            "strawberry_100_permission_over_plain": ratio(waiting(schema(BY_CLASS)), plain),
            "strawberry_100_sync_over_plain": ratio(closed_sync, _sync(made, schema(OPEN))),
            "strawberry_100_checks_over_authenticated": ratio(
                waiting(schema(BY_EXTENSION, BY_EXTENSION)), waiting(schema(OPEN, BY_EXTENSION))
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
    show(measured())
