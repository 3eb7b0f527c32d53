"""Schemas with a guarded field for each row."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import strawberry
from strawberry.scalars import JSON
from strawberry.tools import create_type
from strawberry.types.field import StrawberryField

from authgate_graphql.strawberry import AuthGateExtension, Guard, get_admission, requires
from tests.adapter_contract.adapter import ids
from tests.adapter_contract.row import Row

__all__ = ["bare_schema", "extended", "permitted", "schema", "subscriptions", "whom", "whom_async"]

Resolver: TypeAlias = Callable[[strawberry.Info], Any]
FieldOf: TypeAlias = Callable[[Row, Resolver], StrawberryField]


def whom(info: strawberry.Info) -> JSON:
    """Whom the guard of a field has let in."""
    return JSON(ids(get_admission(info)))


async def whom_async(info: strawberry.Info) -> JSON:
    """The same, for execution in a loop."""
    return whom(info)


async def events(info: strawberry.Info) -> AsyncGenerator[JSON, None]:
    """The same, as the one event of a subscription."""
    yield whom(info)


def permitted(row: Row, resolver: Resolver) -> StrawberryField:
    """A field behind a permission class."""
    guard = requires(row.policy, optional=row.optional)
    return strawberry.field(resolver, name=row.slug, permission_classes=[guard])


def extended(row: Row, resolver: Resolver) -> StrawberryField:
    """A field behind a field extension."""
    guard = Guard(row.policy, optional=row.optional)
    return strawberry.field(resolver, name=row.slug, extensions=[guard])


def subscribed(row: Row, resolver: Resolver) -> StrawberryField:
    """A subscription behind a permission class."""
    guard = requires(row.policy, optional=row.optional)
    return strawberry.subscription(resolver, name=row.slug, permission_classes=[guard])


@strawberry.type
class Hello:
    """What a schema with subscriptions has besides."""

    hello: str = "hello"


def bare_schema(rows: Sequence[Row], field: FieldOf, resolver: Resolver) -> strawberry.Schema:
    """A schema whose queries are the rows, and nothing else."""
    return strawberry.Schema(_type("Query", rows, field, resolver))


def schema(
    rows: Sequence[Row], field: FieldOf, resolver: Resolver, *, http_status: bool = False
) -> strawberry.Schema:
    """The same with the extension."""
    extension: Any = partial(AuthGateExtension, http_status=http_status)
    return strawberry.Schema(_type("Query", rows, field, resolver), extensions=[extension])


def subscriptions(rows: Sequence[Row]) -> strawberry.Schema:
    """A schema whose subscriptions are the rows."""
    made = _type("Subscription", rows, subscribed, events)
    return strawberry.Schema(Hello, subscription=made, extensions=[AuthGateExtension])


def _type(name: str, rows: Sequence[Row], field: FieldOf, resolver: Resolver) -> type:
    fields = [field(row, resolver) for row in rows]
    for row, one in zip(rows, fields, strict=True):
        one.python_name = row.slug
    return create_type(name, fields)
