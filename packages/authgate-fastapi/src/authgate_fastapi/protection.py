"""Routers that are guarded as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from fastapi import APIRouter, Depends, params
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_parameterless_sub_dependant
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from authgate_core import ConfigurationError, Policy

from .blanket import Blanket
from .carrier import CONNECTIONS
from .selection import selected

__all__ = ["protect", "protections"]


def protect(router: APIRouter, policy: Policy) -> None:
    """Guard every route of a router, those that it includes and those that are added later (Law 8.8).

    Guards of its routes must hold as well; ``@public`` opts out, and a preflight passes (Law 1.11).

    Args:
        router: A router that an application, or another router, includes.
        policy: Who is let in.

    Raises:
        TypeError: If it is no ``APIRouter``.
        ConfigurationError: If the policy can never be judged, or the router cannot be guarded any more.
    """
    _check(router)
    guard = Blanket(f"protect({router.prefix or 'router'!r}, {policy!r})", policy)
    depends = Depends(guard)
    router.dependencies.insert(0, depends)
    _guard_present(router.routes, depends)
    router.handle = _Protection(router.handle, guard, _included)  # type: ignore[method-assign]  # a door of it
    router.middleware_stack = _Protection(router.middleware_stack, guard, lambda _: router.routes)


def protections(router: object) -> Iterator[Blanket]:
    """The guards by which a router is protected, the outermost first."""
    run: object = getattr(router, "handle", None)
    while isinstance(run, _Protection):
        yield run.guard
        run = run.before


def _check(router: object) -> None:
    if not isinstance(router, APIRouter):
        raise TypeError(
            f"protect takes an APIRouter, not {router!r}: for a whole application write AuthGate(app, default=...)"
        )
    if router.dependency_overrides_provider is not None:
        raise ConfigurationError(
            "protect: this is the router of an application: write AuthGate(app, default=...)"
        )
    if getattr(router, "_low_priority_routes", None):
        raise ConfigurationError("protect: write protect(router, ...) before router.frontend(...)")


def _guard_present(routes: Iterable[BaseRoute], depends: params.Depends) -> None:
    """FastAPI copies the dependencies of a router into each route when it is added: do so for those there."""
    for route in routes:
        included: Any = getattr(route, "include_context", None)
        dependant = getattr(route, "dependant", None)
        if included is not None:
            included.dependencies.insert(0, depends)
        elif isinstance(dependant, Dependant):
            added: Any = route
            added.dependencies.insert(0, depends)
            dependant.dependencies.insert(
                0, get_parameterless_sub_dependant(depends=depends, path=added.path_format)
            )


def _included(scope: Scope) -> Iterable[BaseRoute]:
    """The routes that FastAPI looks at where a router was included."""
    return [scope["fastapi"]["included_router"]]


class _Protection:
    """Stands where a router takes a request, included or mounted, for what FastAPI runs no dependencies of.

    Those are routes of Starlette's, and mounted applications.

    Args:
        run: What takes the request then.
        guard: The guard.
        routes: Which routes that looks at.
    """

    def __init__(self, run: ASGIApp, guard: Blanket, routes: Callable[[Scope], Iterable[BaseRoute]]) -> None:
        self.before = run
        self.guard = guard
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in CONNECTIONS:
            await self._judge(scope)
        await self.before(scope, receive, send)

    async def _judge(self, scope: Scope) -> None:
        found = selected(self._routes(scope), scope)
        if found is not None and not found.runs(self.guard):
            found.enter(scope)
            await self.guard(HTTPConnection(scope))
