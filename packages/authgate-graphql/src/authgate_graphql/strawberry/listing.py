"""The root fields of a schema as tests and commands list them."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import GraphQLField
from strawberry import Schema

from authgate_core.routes import GuardedRoute, RouteGuard, RouteKind

from ..requirement import Requirement
from .extension import AuthGateExtension
from .fields import schema_of
from .protected import asked_of, is_opened

__all__ = ["guarded_fields"]


def guarded_fields(schema: Schema) -> tuple[GuardedRoute, ...]:
    """The root fields of a schema, each with the guards that stand before it.

    What is below a root field is reached through that, and has guards of its own; introspection is not listed.
    """
    core = schema_of(schema)
    defaults = tuple(_defaults(schema))
    roots: tuple[RouteKind, ...] = ("query", "mutation", "subscription")
    kinds = zip(roots, (core.query_type, core.mutation_type, core.subscription_type), strict=True)
    return tuple(
        _listed(kind, f"{root.name}.{name}", field, defaults)
        for kind, root in kinds
        if root is not None
        for name, field in root.fields.items()
    )


def _defaults(schema: Schema) -> Iterator[Requirement]:
    for extension in schema.get_extensions(sync=True):
        if isinstance(extension, AuthGateExtension) and extension.default is not None:
            yield extension.default


def _listed(
    kind: RouteKind, path: str, field: GraphQLField, defaults: tuple[Requirement, ...]
) -> GuardedRoute:
    own = tuple(RouteGuard("own", asked.policy, asked.optional) for asked in asked_of(field))
    if own or is_opened(field):
        return GuardedRoute(kind, path, guards=own, is_public=is_opened(field))
    return GuardedRoute(kind, path, guards=tuple(RouteGuard("default", asked.policy) for asked in defaults))
