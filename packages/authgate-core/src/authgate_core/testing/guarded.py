"""Asserting that nothing of an application stands open by oversight."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..routes import GuardedRoute, routes_of

__all__ = ["assert_all_routes_guarded"]


def assert_all_routes_guarded(app: object, *, public: Collection[str] | None = None) -> None:
    """Assert that every route, WebSocket or root field of a schema is guarded, or open because somebody wrote so.

    Args:
        app: An application of Flask or FastAPI, or a schema of Strawberry or Graphene. The endpoint of a schema is one
            route of its application; what is behind it, the schema says.
        public: Everything that anybody may use, and nothing else: paths, paths with a method (``GET /health``) or
            fields (``Query.version``). Without it, what says itself that it is public is believed (Law 8.6).

    Raises:
        AssertionError: Naming what anybody may use, and what ``public`` names without need.
        ConfigurationError: If the guards themselves are wrong, or the application has no gate (Law 1.6).
        TypeError: If no installed adapter knows the application, or ``public`` is one string.
    """
    if isinstance(public, str):
        raise TypeError(f"public takes several paths: write public={{{public!r}}}")
    routes = routes_of(app)
    problems = [*_problems(routes, None if public is None else {*public})]
    if problems:
        raise AssertionError("\n".join(problems))


def _problems(routes: tuple[GuardedRoute, ...], public: set[str] | None) -> Iterator[str]:
    if not routes:
        yield "the application has no routes: is it the one that is served, and are they registered?"
    for route in routes:
        if route.is_unguarded if public is None else route.is_open and not _is_among(route, public):
            yield f"anybody may use {route} ({route.standing}): {_remedy(public)}"
    used = {name for route in routes if route.is_open for name in _names(route)}
    for name in sorted((public or set()) - used):
        yield f"public= names {name!r}, which is not there or is guarded: take it out"


def _remedy(public: set[str] | None) -> str:
    return "guard it, or mark it as public" if public is None else "guard it, or name it in public="


def _is_among(route: GuardedRoute, public: set[str]) -> bool:
    if public & {route.path, str(route)}:
        return True
    return bool(route.methods) and {f"{method} {route.path}" for method in route.methods} <= public


def _names(route: GuardedRoute) -> Iterator[str]:
    yield from (route.path, str(route))
    yield from (f"{method} {route.path}" for method in route.methods)
