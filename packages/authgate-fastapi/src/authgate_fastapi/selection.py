"""Which route a router is about to run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Match, Router
from starlette.types import Scope

from .guards import Guard

__all__ = ["Selected", "guards_of", "router_behind", "selected"]


@dataclass(frozen=True, slots=True)
class Selected:
    """The route that a router runs.

    Args:
        route: The route, with what the routers that include it add.
        found: What it takes from the path, as ASGI, which Any stands for.
    """

    route: RouteContext
    found: Mapping[str, Any]

    def runs(self, guard: Guard[Any]) -> bool:
        """Whether FastAPI runs this guard before the endpoint."""
        return any(one is guard for one, _ in guards_of(self.route))

    def enter(self, scope: Scope) -> None:
        """Tell policies which endpoint is asked for, and the parameters of its path; the router does so too."""
        scope["endpoint"] = self.found.get("endpoint")
        scope["path_params"] = self.found.get("path_params", {})


def selected(routes: Sequence[BaseRoute], scope: Scope) -> Selected | None:
    """The first route that matches in full; None where the router answers by itself (404, 405, a redirect)."""
    for route in iter_route_contexts(routes):
        match, found = route.matches(scope)
        if match is Match.FULL:
            return Selected(route, found)
    return None


def router_behind(route: RouteContext) -> Router | None:
    """The router of an application that is mounted here; None for an endpoint, or for what hides its routes."""
    app: object = getattr(route, "app", None)
    if isinstance(app, Starlette):
        return app.router
    return app if isinstance(app, Router) else None


def guards_of(route: RouteContext) -> Iterator[tuple[Guard[Any], list[str]]]:
    """The guards that FastAPI runs before an endpoint, each with the scopes that ``Security`` asks of it."""
    dependant = getattr(route, "dependant", None)
    return _guards(dependant) if isinstance(dependant, Dependant) else iter(())


def _guards(dependant: Dependant) -> Iterator[tuple[Guard[Any], list[str]]]:
    if isinstance(dependant.call, Guard):
        yield dependant.call, [*(dependant.parent_oauth_scopes or ()), *(dependant.own_oauth_scopes or ())]
    for needed in dependant.dependencies:
        yield from _guards(needed)
