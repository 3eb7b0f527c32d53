"""Closing a schema by default where views take no middleware."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial, wraps
from typing import Any, Final, Protocol

from graphql import (
    GraphQLResolveInfo,
    GraphQLSchema,
    SchemaMetaFieldDef,
    TypeMetaFieldDef,
    default_field_resolver,
)

from authgate_core import AsyncGate, ConfigurationError, Gate, Policy
from authgate_core.challenge import OnRefusal

from ..requirement import Requirement
from ..resolvers import Place, guarded
from .roots import Roots, fields_of, holding, roots

__all__ = ["GrapheneSchema", "protect", "protected_by"]

_SECOND: Final = Place(1, "info")
_PROTECTED: Final = "authgate"


class GrapheneSchema(Protocol):
    """A ``graphene.Schema``."""

    @property
    def graphql_schema(self) -> GraphQLSchema:
        """That of graphql-core in it."""
        ...


def protect(
    schema: GrapheneSchema | GraphQLSchema,
    default: Policy | None,
    *,
    gate: Gate | AsyncGate | None = None,
    http_status: bool = False,
    on_refusal: OnRefusal | None = None,
) -> None:
    """Close every root field of a schema that says nothing itself: ``protect(schema, is_user)``, once, when it is made.

    The promise is that of ``AuthGateMiddleware``, subscriptions included, for whoever executes the schema.
    Introspection without any context is the program's own (``schema.introspect()``) and stays open to it.

    Args:
        schema: A ``graphene.Schema``, or one of graphql-core; its root fields are changed in place.
        default: Who is let in where a field says nothing itself; None leaves such fields open, with a gate or
            statuses for those that have guards.
        gate: Who judges, where that is not the gate of the app around the view.
        http_status: Whether a refusal becomes the status of the response, which else stays 200.
        on_refusal: Called with the error and the problem of each refusal, and returns what stands in the
            ``extensions`` besides code, missing and status, and another ``message``; or None (Law 1.10).

    Raises:
        TypeError: If that is no schema, or the default no policy.
        ConfigurationError: If the policy can never be judged, nothing would be done, or it was done before.
    """
    core: object = getattr(schema, "graphql_schema", schema)
    if not isinstance(core, GraphQLSchema):
        raise TypeError(f"protect takes a schema, not {core!r}: write protect(graphene.Schema(...), is_user)")
    held = roots("protect(schema, None)", default, gate, http_status=http_status, on_refusal=on_refusal)
    if _PROTECTED in core.extensions:
        raise ConfigurationError(
            "protect: this schema is protected already; write one protect(...) for all of it"
        )
    core.extensions[_PROTECTED] = held
    _close_introspection()
    for kind in (core.query_type, core.mutation_type):
        for _, field in fields_of(kind):
            field.resolve = _behind(field.resolve, held.asked_by_default(field.resolve), held)
    for _, field in fields_of(core.subscription_type):
        of_events = held.asked_of_events(field)
        field.subscribe = _behind(field.subscribe, held.asked_by_default(field.subscribe), held)
        field.resolve = _behind(field.resolve, of_events, held)


def protected_by(schema: GraphQLSchema) -> Requirement | None:
    """What the root fields of a schema ask that say nothing themselves; None where it was not protected."""
    held: Roots | None = schema.extensions.get(_PROTECTED)
    return None if held is None else held.default


def _behind(
    resolver: Callable[..., Any] | None, asked: tuple[Requirement, ...], held: Roots
) -> Callable[..., Any] | None:
    if not asked and not held.prepares:
        return resolver
    made = resolver or default_field_resolver
    for one in reversed(asked):
        made = guarded(made, one, _SECOND)
    return _prepared(made, held) if held.prepares else made


def _prepared(resolver: Callable[..., Any], held: Roots) -> Callable[..., Any]:
    @wraps(resolver)
    def resolve(root: object, info: GraphQLResolveInfo, /, **arguments: Any) -> Any:  # noqa: ANN401 - the field's value
        held.prepare(info.context)
        return resolver(root, info, **arguments)

    return resolve


@cache
def _close_introspection() -> None:
    """Have the fields of introspection, which graphql-core keeps once for all schemas, ask the schema at hand."""
    # docs/adr/0018 has the ways that there were besides.
    for field in (SchemaMetaFieldDef, TypeMetaFieldDef):
        if field.resolve is not None:
            field.resolve = partial(_introspect, field.resolve)


def _introspect(
    resolver: Callable[..., Any], root: object, info: GraphQLResolveInfo, /, **arguments: Any
) -> Any:  # noqa: ANN401 - as above
    held: Roots | None = info.schema.extensions.get(_PROTECTED)
    if held is None or info.context is None:
        return resolver(root, info, **arguments)
    if held.prepares:
        held.prepare(info.context)
    return holding(held.asked_by_default())(resolver, root, info, **arguments)
