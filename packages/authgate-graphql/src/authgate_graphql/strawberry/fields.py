"""What Strawberry knows of a field, by the names that it keeps to itself or leaves untyped."""

from __future__ import annotations

from typing import Any, cast

from graphql import GraphQLField, GraphQLNamedType, GraphQLSchema, get_named_type
from strawberry.schema import BaseSchema
from strawberry.types import Info
from strawberry.types.field import StrawberryField

__all__ = [
    "field_of",
    "function_of",
    "named_type_of",
    "resolver_of",
    "schema_of",
    "takes_info",
    "takes_source",
]


def field_of(info: Info) -> StrawberryField:
    """The field that is being resolved."""
    field: StrawberryField = cast("Any", info)._field  # noqa: SLF001 - it has no other name
    return field


def schema_of(schema: BaseSchema) -> GraphQLSchema:
    """The schema that graphql-core executes."""
    core: GraphQLSchema = cast("Any", schema)._schema  # noqa: SLF001 - it has no other name
    return core


def named_type_of(field: GraphQLField) -> GraphQLNamedType:
    """The type of a field without its lists and non-nulls."""
    return cast("GraphQLNamedType", get_named_type(cast("Any", field).type))


def resolver_of(field: StrawberryField) -> object:
    """The function that resolves a field, or None where it shows an attribute."""
    resolver = _base_resolver(field)
    return None if resolver is None else function_of(resolver.wrapped_func)


def function_of(resolver: object) -> object:
    """A resolver itself, or the function of a static method, which shows neither its marks nor its colour."""
    return resolver.__func__ if isinstance(resolver, staticmethod) else resolver


def takes_source(field: StrawberryField) -> bool:
    """Whether the resolver takes what has the field as its first argument."""
    resolver = _base_resolver(field)
    return resolver is not None and resolver.self_parameter is not None


def takes_info(field: StrawberryField) -> bool:
    """Whether it takes an argument named ``info``, which Strawberry keeps from extensions."""
    resolver = _base_resolver(field)
    parameter = None if resolver is None else resolver.info_parameter
    return parameter is not None and parameter.name == "info"


def _base_resolver(field: StrawberryField) -> Any:  # noqa: ANN401 - it is generic and untyped
    return cast("Any", field).base_resolver
