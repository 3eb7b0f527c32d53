"""Which route a router is about to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Match, Route, Router, WebSocketRoute
from starlette.types import Scope

from .guards import Guard

__all__ = ["Selected", "guards_of", "has_fallback", "router_behind", "selected"]

_KNOWN: Final = frozenset({FastAPI.__call__, Starlette.__call__, Router.__call__})


@dataclass(frozen=True, slots=True)
class Selected:
    """The route that a router runs.

    Args:
        route: The route, with what the routers that include it add; Any, as FastAPI's is no class of its own.
        found: What it takes from the path, as ASGI, which Any stands for.
    """

    route: Any
    found: Mapping[str, Any]

    def runs(self, guard: Guard[Any]) -> bool:
        """Whether FastAPI runs this guard before the endpoint."""
        return any(one is guard for one, _ in guards_of(self.route))

    def enter(self, scope: Scope) -> None:
        """Tell policies which endpoint is asked for, and the parameters of its path; the router does so too."""
        scope["endpoint"] = self.found.get("endpoint")
        scope["path_params"] = self.found.get("path_params", {})


def selected(routes: Iterable[BaseRoute], scope: Scope) -> Selected | None:
    """The first route that matches in full; None where the router answers by itself (404, 405, a redirect)."""
    for route in _as_included(routes):
        match, found = route.matches(scope)
        if match is Match.FULL:
            return Selected(route, found)
    return None


def _as_included(routes: Iterable[BaseRoute]) -> Iterator[Any]:
    """``iter_route_contexts`` without an object for each route: this is done for each request."""
    for route in routes:
        if isinstance(route, (Route, WebSocketRoute)):
            yield route
            continue
        included: Callable[[], Iterable[Any]] | None = getattr(route, "effective_route_contexts", None)
        if included is None:
            yield from iter_route_contexts([route])
        else:
            yield from (context.starlette_route or context for context in included())


def router_behind(route: object) -> Router | None:
    """The router of an application that is mounted here.

    Returns:
        None for an endpoint, and for what may answer without the router, which nobody can look into.
    """
    app: object = getattr(route, "app", None)
    if isinstance(app, Starlette) and type(app).__call__ in _KNOWN:
        app = app.router
    return app if isinstance(app, Router) and type(app).__call__ in _KNOWN else None


def has_fallback(router: Router) -> bool:
    """Whether somebody gave a router an application for what it has no route for, which may do anything."""
    return getattr(router.default, "__func__", None) is not Router.not_found


def guards_of(route: object) -> Iterator[tuple[Guard[Any], list[str]]]:
    """The guards that FastAPI runs before an endpoint, each with the scopes that ``Security`` asks of it."""
    dependant = getattr(route, "dependant", None)
    return _guards(dependant) if isinstance(dependant, Dependant) else iter(())


def _guards(dependant: Dependant) -> Iterator[tuple[Guard[Any], list[str]]]:
    if isinstance(dependant.call, Guard):
        yield dependant.call, [*(dependant.parent_oauth_scopes or ()), *(dependant.own_oauth_scopes or ())]
    for needed in dependant.dependencies:
        yield from _guards(needed)
