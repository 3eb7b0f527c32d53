"""The routes of an app as tests and commands list them, and what stands before each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.routing import Host, Router, WebSocketRoute

from authgate_core import AsyncGate, ConfigurationError
from authgate_core.routes import GuardedRoute, RouteGuard, RouteKind

from .blanket import Blanket
from .carrier import carried_by, default_carried_by
from .middleware import AuthMiddleware, doors_before
from .protection import protections
from .public import is_public
from .routes import check_policies
from .selection import guards_of, has_fallback, router_behind

__all__ = ["guarded_routes"]

_METHODS: Final = ("DELETE", "GET", "PATCH", "POST", "PUT")


def guarded_routes(app: FastAPI) -> tuple[GuardedRoute, ...]:
    """The routes and WebSockets of an app and of what is mounted in it, each with the guards that stand before it.

    Pages that FastAPI adds itself are among them, and so are files. What is mounted and cannot be looked into is
    one route of kind ``mount``. Middleware around the app, and any that is not ``AuthMiddleware``, is not seen.

    Raises:
        ConfigurationError: If the app has no gate, or with everything that is wrong with its guards (Law 1.6).
    """
    gate = carried_by(app)
    if gate is None:
        raise ConfigurationError(
            f"the app {app.title!r} has no gate: write AuthGate(app) after app = FastAPI()"
        )
    check_policies(app, gate)
    way = _Way(gate, default_carried_by(app)).through(app, "")
    return tuple(_listed(app.router, way))


@dataclass(frozen=True, slots=True)
class _Door:
    """Middleware, and where the paths that it reads begin."""

    middleware: AuthMiddleware
    root: str


@dataclass(frozen=True, slots=True)
class _Way:
    """What lies before the routes of one router.

    Args:
        gate: Who judges there.
        default: The guard of routes that have none.
        path: Where the router is mounted.
        host: The hosts on the way, which are no part of the path that middleware reads.
        doors: Middleware on the way.
        held: The protections of routers on the way, which a route may opt out of.
        passed: Those of routers that what is around this router is mounted in.
    """

    gate: AsyncGate
    default: Blanket | None
    path: str = ""
    host: str = ""
    doors: tuple[_Door, ...] = ()
    held: tuple[Blanket, ...] = ()
    passed: tuple[RouteGuard, ...] = ()

    def through(self, app: Starlette, path: str) -> _Way:
        """The way into an application that is mounted here."""
        gate = carried_by(app)
        doors = (*self.doors, *(_Door(door, path) for door in doors_before(app)))
        if gate is None:
            return replace(self, doors=doors)
        return replace(self, doors=doors, gate=gate, default=default_carried_by(app))

    def to(self, route: object) -> _Way:
        """The way to a route, which may be one of a host alone."""
        return replace(self, host=f"{self.host}{route.host}") if isinstance(route, Host) else self

    def mounted(self, route: object, path: str) -> _Way:
        """The way into what a route mounts."""
        passed = (*self.passed, *self._protections(route))
        inside = replace(self, path=path, held=(), passed=passed)
        app: object = getattr(route, "app", None)
        return inside.through(app, path) if isinstance(app, Starlette) else inside

    def guards(self, route: object, path: str, method: str | None) -> tuple[RouteGuard, ...]:
        """What is asked of one method of a route, as it is asked."""
        doors = (door.middleware.guard_of(path[len(door.root) :], method, self.gate) for door in self.doors)
        return (
            *(door for door in doors if door is not None),
            *self.passed,
            *self._protections(route),
            *self._own(route),
        )

    def _protections(self, route: object) -> Iterator[RouteGuard]:
        """Those that FastAPI does not run as dependencies of the route."""
        own = [guard for guard, _ in guards_of(route)]
        if not is_public(_endpoint(route)):
            for guard in self.held:
                if all(one is not guard for one in own):
                    yield RouteGuard("protect", guard.policy_for(self.gate))

    def _own(self, route: object) -> Iterator[RouteGuard]:
        open_to_all, guards = is_public(_endpoint(route)), list(guards_of(route))
        for guard, scopes in guards:
            if not isinstance(guard, Blanket):
                yield RouteGuard("own", guard.policy_for(self.gate, scopes), guard.optional)
            elif not open_to_all:
                yield RouteGuard("protect", guard.policy_for(self.gate, scopes))
        if self.default is not None and not guards and not open_to_all:
            yield RouteGuard("default", self.default.policy_for(self.gate))


def _listed(router: Router, way: _Way) -> Iterator[GuardedRoute]:
    held = (*way.held, *protections(router))
    for route, way_there in _flat(router.routes, replace(way, held=held)):
        around = way_there.to(route)
        path = f"{way.path}{getattr(route, 'path', '')}"
        inner = router_behind(route)
        if inner is None:
            yield from _answers(route, _kind(route), path, around)
        else:
            yield from _listed(inner, around.mounted(route, path))
    for path, files in _after_routes(router):
        yield from _answers(files, "mount", f"{way.path}{path}", way)


def _flat(routes: Iterable[object], way: _Way) -> Iterator[tuple[Any, _Way]]:
    """Routes with what the routers that include them add; Any, as for ``Selected``."""
    for route in routes:
        included: Any = getattr(route, "effective_candidates", None)
        if included is None:
            yield getattr(route, "starlette_route", None) or route, way
        else:
            router: object = getattr(route, "original_router", None)
            yield from _flat(included(), replace(way, held=(*way.held, *protections(router))))


def _after_routes(router: Router) -> Iterator[tuple[str, object]]:
    """What is looked at after all routes: the files of ``frontend``, and an application for the rest."""
    groups: Any = getattr(router, "_iter_low_priority_routes", tuple)
    for group in groups():
        for files in getattr(group, "original_route", group).routes:
            yield f"{getattr(group, 'frontend_prefix', '')}{files.path}", group
    if has_fallback(router):
        yield "/", router.default


def _answers(route: object, kind: RouteKind, path: str, way: _Way) -> Iterator[GuardedRoute]:
    """A route, once for each way in which it answers its methods."""
    template = f"{path.rstrip('/')}/{{rest:path}}" if kind == "mount" else path
    answers: dict[tuple[RouteGuard, ...], list[str]] = {}
    for method in _methods(route, kind):
        answers.setdefault(way.guards(route, template, method or None), []).append(method)
    takes_any = kind != "http" and len(answers) == 1
    for guards, methods in answers.items():
        # Middleware that guards nothing here was told to leave the path alone (Law 8.7).
        is_open = is_public(_endpoint(route)) or (bool(way.doors) and not guards)
        yield GuardedRoute(kind, f"{way.host}{path}", () if takes_any else tuple(methods), guards, is_open)


def _kind(route: object) -> RouteKind:
    if isinstance(route, WebSocketRoute):
        return "websocket"
    return "http" if hasattr(route, "endpoint") else "mount"


def _methods(route: object, kind: RouteKind) -> Iterable[str]:
    """The methods that somebody wrote: Starlette adds HEAD to GET."""
    if kind == "websocket":
        return ("",)
    written: set[str] | None = getattr(route, "methods", None)
    if written:
        return sorted(written - {"HEAD"} if "GET" in written else written)
    return _handled(getattr(route, "endpoint", None)) or _METHODS


def _handled(endpoint: object) -> list[str]:
    """The methods that a class of Starlette's has handlers for; none of what takes any, as an ASGI class does."""
    if not isinstance(endpoint, type) or not issubclass(endpoint, HTTPEndpoint):
        return []
    handled = [one for one in (*_METHODS, "HEAD", "OPTIONS") if hasattr(endpoint, one.lower())]
    return sorted({*handled} - {"HEAD"} if "GET" in handled else handled)


def _endpoint(route: object) -> object:
    """What a router says is asked for."""
    return getattr(route, "endpoint", None) or getattr(route, "app", None)
