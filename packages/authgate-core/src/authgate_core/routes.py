"""What stands before each route of an application or field of a schema, as every adapter lists it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Final, Literal, TypeAlias, cast

from .policy import Policy, compile_policy

__all__ = ["LISTERS", "GuardedRoute", "RouteGuard", "RouteKind", "routes_of"]

LISTERS: Final = "authgate.routes"
"""The group of entry points that list: each has the name of the package that makes the applications."""

RouteKind: TypeAlias = Literal["http", "websocket", "mount", "query", "mutation", "subscription"]
_BEFORE_EVERYTHING: Final = "before_request"


@dataclass(frozen=True, slots=True)
class RouteGuard:
    """One guard that stands before a route.

    Args:
        source: Who put it there: ``own``, ``protect``, ``default``, ``middleware`` or ``before_request``.
        policy: What it asks.
        optional: Whether it may let in who presents nothing (Law 1.4).
    """

    source: str
    policy: Policy
    optional: bool = False

    @property
    def decides(self) -> bool:
        """Whether somebody put it there for this route; that all requests are looked at decides of none."""
        return not self.optional or self.source != _BEFORE_EVERYTHING

    @property
    def is_open(self) -> bool:
        """Whether it may let in who presents nothing (Law 8.6)."""
        return self.optional or any(not branch.kinds for branch in compile_policy(self.policy).branches)

    def __str__(self) -> str:
        return f"{self.source}{' (optional)' if self.optional else ''}: {self.policy!r}"


@dataclass(frozen=True, slots=True)
class GuardedRoute:
    """One way into an application, and who is let in there.

    Args:
        kind: What it is; a ``mount`` is everything below its path, which nobody can look into.
        path: The path as it was written, or the root field of a schema, such as ``Query.orders``.
        methods: HTTP methods, in order; none where it takes any, or is not HTTP.
        guards: The guards that stand before it, as they are asked; each must let the caller in.
        is_public: Whether somebody wrote that it has none (Law 8.6).
    """

    kind: RouteKind
    path: str
    methods: tuple[str, ...] = ()
    guards: tuple[RouteGuard, ...] = ()
    is_public: bool = False

    @property
    def is_unguarded(self) -> bool:
        """Whether anybody gets in although nobody decided that of this route."""
        return not self.is_public and not any(guard.decides for guard in self.guards)

    @property
    def is_open(self) -> bool:
        """Whether anybody gets in, be that decided or not."""
        return all(guard.is_open for guard in self.guards)

    @property
    def policy(self) -> Policy | None:
        """What its guards ask together of whoever presents something; None where nothing stands before it."""
        if not self.guards:
            return None
        first, *others = (guard.policy for guard in self.guards)
        for policy in others:
            first &= policy
        return first

    @property
    def standing(self) -> str:
        """The guards in words, and where there is none whether that is meant."""
        words = [str(guard) for guard in self.guards]
        if self.is_public or self.is_unguarded:
            words.append("public" if self.is_public else "UNGUARDED")
        return ", ".join(words)

    def __str__(self) -> str:
        how = ", ".join(self.methods) if self.kind == "http" else self.kind
        return f"{how} {self.path}".lstrip()


def routes_of(app: object) -> tuple[GuardedRoute, ...]:
    """The routes of an application, or the root fields of a schema, as the adapter of its framework lists them.

    Args:
        app: An application of Flask or FastAPI, or a schema of Strawberry or Graphene.

    Raises:
        TypeError: If no installed adapter knows it.
        ConfigurationError: What the adapter finds wrong with its guards (Law 1.6).
    """
    for made_by in type(app).__mro__:
        for found in entry_points(group=LISTERS, name=made_by.__module__.partition(".")[0]):
            lister = cast("Callable[[object], Iterable[GuardedRoute]]", found.load())
            return tuple(lister(app))
    raise TypeError(
        f"nobody can list the routes of {type(app).__name__}: give the Flask or FastAPI application itself, or the "
        "Strawberry or Graphene schema, with the adapter of its framework installed"
    )
