"""The root fields of a schema as tests and commands list them."""

from __future__ import annotations

from typing import Final

from graphql import GraphQLField, GraphQLSchema

from authgate_core.routes import GuardedRoute, RouteGuard, RouteKind

from ..requirement import Requirement
from .protection import GrapheneSchema, protected_by
from .public import guards_of, is_public
from .roots import fields_of

__all__ = ["guarded_fields"]

_GRAPHENES: Final = "graphene.types.schema"
"""Where the resolver is from that Graphene gives to subscriptions without one."""


def guarded_fields(schema: GrapheneSchema | GraphQLSchema) -> tuple[GuardedRoute, ...]:
    """The root fields of a schema, each with the guards that stand before it.

    What is below a root field is reached through that, and has guards of its own; introspection is not listed.
    A default of ``AuthGateMiddleware`` is not seen, which is given to executions and not to the schema:
    ``protect(schema, default)`` is.

    Raises:
        TypeError: If that is no schema.
    """
    core: object = getattr(schema, "graphql_schema", schema)
    if not isinstance(core, GraphQLSchema):
        raise TypeError(f"guarded_fields takes a schema, not {core!r}")
    held = protected_by(core)
    roots: tuple[RouteKind, ...] = ("query", "mutation", "subscription")
    kinds = zip(roots, (core.query_type, core.mutation_type, core.subscription_type), strict=True)
    return tuple(
        _listed(kind, f"{root.name}.{name}", field, held)
        for kind, root in kinds
        if root is not None
        for name, field in fields_of(root)
    )


def _listed(kind: RouteKind, path: str, field: GraphQLField, default: Requirement | None) -> GuardedRoute:
    entrances = (field.subscribe, field.resolve) if kind == "subscription" else (field.resolve,)
    asked = guards_of(entrances[0])
    # A view that executes a subscription like a query calls its resolver and never its source.
    if any(_is_written(also) and not guards_of(also) for also in entrances[1:]):
        asked = ()
    guards = (RouteGuard("default" if one is default else "own", one.policy, one.optional) for one in asked)
    return GuardedRoute(kind, path, guards=tuple(guards), is_public=is_public(entrances[0]))


def _is_written(resolver: object) -> bool:
    """Whether somebody wrote it; else it shows an event as its source has it, and nothing without one."""
    return resolver is not None and getattr(resolver, "__module__", "") != _GRAPHENES
