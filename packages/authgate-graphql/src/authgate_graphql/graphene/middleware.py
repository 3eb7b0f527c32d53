"""A middleware of graphql-core that closes a schema by default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from graphql import GraphQLResolveInfo, GraphQLSchema

from authgate_core import AsyncGate, ConfigurationError, Gate, Policy
from authgate_core.challenge import OnRefusal

from ..requirement import Requirement
from .roots import Roots, holding, is_root, roots

__all__ = ["AuthGateMiddleware"]

_INTROSPECTION: Final = ("__schema", "__type")
_TYPENAME: Final = "__typename"


class AuthGateMiddleware:
    """Closes every root field that says nothing itself: ``middleware=[AuthGateMiddleware(is_user)]``.

    A field with a guard is judged by that alone, one that is ``@public`` by nobody, and what is below a root field
    by its own guards (Law 8.8); a field of a root type is a root field wherever it is reached, as in the ``query`` of a
    payload. Introspection (``__schema`` and ``__type``) is closed like the rest;
    ``__typename`` is not, which says nothing and which clients add to what they ask.

    graphql-core calls a middleware for each field, and for none of a subscription's source: with subscriptions,
    and behind the views of graphql-server, which take no middleware, write ``protect(schema, is_user)``.

    Args:
        default: Who is let in where a field says nothing itself; None leaves such fields open.
        gate: Who judges, where that is not the gate of the app around the view.
        http_status: Whether a refusal becomes the status of the response, which else stays 200.
        on_refusal: Called with the error and the problem of each refusal, and returns what stands in the
            ``extensions`` besides code, missing and status, and another ``message``; or None (Law 1.10).

    Raises:
        TypeError: If the default is no policy.
        ConfigurationError: If the policy can never be judged, or nothing was given.
    """

    def __init__(
        self,
        default: Policy | None = None,
        *,
        gate: Gate | AsyncGate | None = None,
        http_status: bool = False,
        on_refusal: OnRefusal | None = None,
    ) -> None:
        self._roots: Final[Roots] = roots(
            "AuthGateMiddleware()", default, gate, http_status=http_status, on_refusal=on_refusal
        )
        self._seen: GraphQLSchema | None = None

    def resolve(
        self, next_: Callable[..., Any], root: object, info: GraphQLResolveInfo, /, **arguments: Any
    ) -> Any:  # noqa: ANN401 - the field's value
        """Resolve a field, a root field once its request is let in.

        Raises:
            Refusal: If it is not.
            ConfigurationError: If no gate can judge it here, or the schema has subscriptions that stay open.
        """
        if info.path.prev is not None and not is_root(info.parent_type, info.schema):
            return next_(root, info, **arguments)
        if info.schema is not self._seen:
            self._look_at(info.schema)
        if self._roots.prepares:
            self._roots.prepare(info.context)
        return holding(self._asked(info))(next_, root, info, **arguments)

    def _asked(self, info: GraphQLResolveInfo) -> tuple[Requirement, ...]:
        if info.field_name == _TYPENAME:
            return ()
        if info.field_name in _INTROSPECTION:
            return self._roots.asked_by_default()
        field = info.parent_type.fields[info.field_name]
        if info.parent_type is info.schema.subscription_type:
            return self._roots.asked_of_events(field)
        return self._roots.asked_by_default(field.resolve)

    def _look_at(self, schema: GraphQLSchema) -> None:
        unseen = ", ".join(self._roots.unseen(schema))
        if unseen:
            raise ConfigurationError(
                f"AuthGateMiddleware(default) sees no subscriptions, and nothing guards {unseen}: write "
                "protect(schema, default) instead, or guard each"
            )
        self._seen = schema
