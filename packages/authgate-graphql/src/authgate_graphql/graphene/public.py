"""``@public``: root fields that are open though the schema is closed by default (Law 8.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, TypeVar

from ..requirement import Requirement
from ..resolvers import requirements_of

__all__ = ["guards_of", "is_public", "public"]

R = TypeVar("R", bound=Callable[..., Any])  # a resolver takes and returns whatever its field does

_MARK: Final = "__authgate_public__"


def public(resolver: R) -> R:
    """Open a root field to anybody: ``@public`` above ``resolve_x``, ``mutate`` or ``subscribe_x``.

    It takes the field out of the default of ``AuthGateMiddleware`` and ``protect``; a guard beside it stands.

    Raises:
        TypeError: If that is no resolver function.
    """
    given: object = resolver
    if isinstance(given, (staticmethod, classmethod)):
        public(given.__func__)
        return resolver
    if isinstance(given, type) or not callable(given):
        raise TypeError("@public marks a resolver function: put it above resolve_x, mutate or subscribe_x")
    vars(resolver)[_MARK] = True
    return resolver


def is_public(resolver: object) -> bool:
    """Whether a resolver is marked so."""
    return any(getattr(one, _MARK, False) is True for one in _inside(resolver))


def guards_of(resolver: object) -> tuple[Requirement, ...]:
    """What the guards of a resolver ask; nothing where it has none."""
    return next((asked for one in _inside(resolver) if (asked := requirements_of(one))), ())


def _inside(resolver: object) -> Iterator[object]:
    """A resolver; of a partial also what it calls, which for connections of relay is its first argument."""
    yield resolver
    if isinstance(resolver, partial):
        yield resolver.func
        yield from resolver.args[:1]
