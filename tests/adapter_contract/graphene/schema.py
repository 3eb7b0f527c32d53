"""A schema with a guarded resolver for each row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import graphene
from graphene.types.generic import GenericScalar
from graphql import GraphQLSchema

from authgate_graphql.graphene import get_admission, protect, requires
from tests.adapter_contract.adapter import ids
from tests.adapter_contract.row import Row

__all__ = ["schema", "whom", "whom_async"]

Resolver: TypeAlias = Callable[[Any, Any], Any]  # Graphene's root and info have no types


def whom(_root: object, info: Any) -> dict[str, str]:
    """Whom the guard of a field has let in."""
    return ids(get_admission(info))


async def whom_async(_root: object, info: Any) -> dict[str, str]:
    """The same, for execution in a loop."""
    return ids(get_admission(info))


def schema(rows: Sequence[Row], resolver: Resolver, *, http_status: bool = False) -> GraphQLSchema:
    """A schema whose queries are the rows."""
    members: dict[str, object] = {}
    for row in rows:
        members[row.slug] = graphene.Field(GenericScalar)
        members[f"resolve_{row.slug}"] = requires(row.policy, optional=row.optional)(resolver)
    made = graphene.Schema(type("Query", (graphene.ObjectType,), members), auto_camelcase=False)
    if http_status:
        protect(made, None, http_status=True)
    core: GraphQLSchema = made.graphql_schema
    return core
