"""What the root fields of a schema ask where they are closed by default (Law 8.8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema

from authgate_core import AsyncGate, ConfigurationError, Gate, Policy
from authgate_core.challenge import OnRefusal

from ..context import visit_of
from ..errors import checked_words
from ..requirement import Requirement, requirement
from ..resolvers import Place, guarded
from .public import guards_of, is_public

__all__ = ["Hold", "Roots", "fields_of", "holding", "is_root", "roots"]

Hold: TypeAlias = Callable[..., Any]
"""Takes a resolver and its arguments, and resolves once the request is let in."""

_THIRD: Final = Place(2, "info")


@dataclass(frozen=True, slots=True)
class Roots:
    """How the root fields of a schema are held.

    Args:
        default: What is asked where a field says nothing itself; None for nothing.
        gate: Who judges, where that is not the gate of the app around the view.
        http_status: Whether a refusal becomes the status of the response.
        on_refusal: The application's own words for refusals (Law 1.10).
    """

    default: Requirement | None
    gate: Gate | AsyncGate | None
    http_status: bool
    on_refusal: OnRefusal | None

    @property
    def prepares(self) -> bool:
        """Whether an operation must be prepared for its guards."""
        return self.gate is not None or self.http_status or self.on_refusal is not None

    def prepare(self, context: object) -> None:
        """Tell an operation who judges it and how it is answered, before any guard asks."""
        visit = visit_of(context, self.gate)
        visit.answers_status = visit.answers_status or self.http_status
        visit.words = visit.words or self.on_refusal

    def asked_by_default(self, *resolvers: object) -> tuple[Requirement, ...]:
        """What is asked before a field of these resolvers, where none of them says anything itself."""
        if self.default is None or any(guards_of(one) or is_public(one) for one in resolvers):
            return ()
        return (self.default,)

    def asked_of_events(self, field: GraphQLField) -> tuple[Requirement, ...]:
        """What is asked before an event of a subscription is resolved.

        That is what its source asks: a view that executes a subscription like a query never calls the source.
        """
        return guards_of(field.subscribe) or self.asked_by_default(field.subscribe, field.resolve)

    def unseen(self, schema: GraphQLSchema) -> Iterator[str]:
        """The subscriptions whose source nothing guards."""
        for name, field in fields_of(schema.subscription_type):
            if self.asked_by_default(field.subscribe):
                yield name


def fields_of(kind: GraphQLObjectType | None) -> Iterable[tuple[str, GraphQLField]]:
    """The fields of a root type, with their names; none where the schema has no such type."""
    return () if kind is None else kind.fields.items()


def is_root(kind: GraphQLObjectType, schema: GraphQLSchema) -> bool:
    """Whether operations begin at a type, though this one may have come to it from elsewhere."""
    return kind is schema.query_type or kind is schema.mutation_type or kind is schema.subscription_type


def roots(
    what: str,
    default: Policy | None,
    gate: Gate | AsyncGate | None,
    *,
    http_status: bool,
    on_refusal: OnRefusal | None,
) -> Roots:
    """How to hold root fields.

    Args:
        what: What is being configured, for the error.
        default: Who is let in where a field says nothing itself.
        gate: Who judges.
        http_status: Whether a refusal becomes the status of the response.
        on_refusal: The application's own words for refusals.

    Raises:
        TypeError: If the default is no policy.
        ConfigurationError: If the policy can never be judged, or nothing would be done.
    """
    words = checked_words(on_refusal)
    if default is None and gate is None and words is None and not http_status:
        raise ConfigurationError(f"{what} guards nothing: give it a default, such as is_user")
    asked = None if default is None else requirement(default)
    return Roots(asked, gate, http_status, words)


@lru_cache(maxsize=256)
def holding(asked: tuple[Requirement, ...]) -> Hold:
    """What resolves a field once a request meets all of this."""
    hold: Hold = _proceed
    for one in reversed(asked):
        hold = guarded(hold, one, _THIRD)
    return hold


def _proceed(resolve: Callable[..., Any], root: object, info: Any, /, **arguments: Any) -> Any:  # noqa: ANN401 - of graphql-core
    return resolve(root, info, **arguments)
