"""Authentication before routing, for a whole application."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Final, TypedDict

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from authgate_core import (
    Admission,
    ApiKey,
    AsyncGate,
    AuthgateError,
    ConfigurationError,
    Policy,
    Project,
    Service,
    User,
)
from authgate_core.policy import compile_policy
from authgate_core.policy.terms import ClaimEquals, SameTenant
from authgate_core.routes import RouteGuard

from .carrier import CONNECTIONS, carrier_before
from .entrance import admit
from .locate import carried_gate, gate_of
from .paths import Asked, GivenPaths, Paths, asked_of, path_problems
from .refusals import answer
from .visit import Visit, is_preflight, visit_of

__all__ = ["OLDER_EXCLUSIONS", "AuthMiddleware", "doors_before", "policies_before"]


class _Exclusions(TypedDict):
    excluded_paths: frozenset[str]
    excluded_prefixes: frozenset[str]


OLDER_EXCLUSIONS: Final[_Exclusions] = {
    "excluded_paths": frozenset({"/health", "/metrics", "/openapi.json", "/favicon.ico"}),
    "excluded_prefixes": frozenset({"/api/docs", "/api/redoc", "/static", "/_health"}),
}
"""What the older client left alone unless told otherwise: ``add_middleware(AuthMiddleware, **OLDER_EXCLUSIONS)``."""

_NOBODY: Final = Admission()
_SHOWN: Final = (("user", User), ("service", Service), ("project", Project), ("api_key", ApiKey))


class AuthMiddleware:
    """Admits every request and WebSocket before it is routed, by the gate of the app that it is added to.

    ``app.add_middleware(AuthMiddleware)`` stands before or after ``AuthGate(app)``. Who was admitted is copied
    to ``request.state``: ``user``, ``service``, ``project`` and ``api_key``, each None where nobody of the kind was,
    and ``admission``. A service is no user (Law 3.13). Guards of the routes stand besides, and verify nothing again
    (Law 2.6).

    Args:
        app: What it is before.
        policy: Who is let in, without conditions on parameters of the path, which no router has read yet; by
            default whoever presents credentials of any kind that the gate has a source for.
        excluded_paths: Paths that are left alone, exactly as written: a set, or a dict of path to methods, None
            for all. A WebSocket has no method. A segment may be ``{name:uuid}``.
        excluded_prefixes: Paths that are left alone with everything below them, by whole segments.
        optional_auth_paths: Paths for which a request that presents nothing goes on (Law 1.4).

    Raises:
        TypeError: If paths or methods are no sets, or the policy is none.
        ConfigurationError: Everything that is wrong with the paths and the policy (Law 1.6).
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        policy: Policy | None = None,
        excluded_paths: GivenPaths | None = None,
        excluded_prefixes: GivenPaths | None = None,
        optional_auth_paths: GivenPaths | None = None,
    ) -> None:
        problems = [
            *_policy_problems(policy),
            *path_problems("excluded_paths", excluded_paths),
            *path_problems("excluded_prefixes", excluded_prefixes, prefixes=True),
            *path_problems("optional_auth_paths", optional_auth_paths),
        ]
        if problems:
            raise ConfigurationError(*dict.fromkeys(f"AuthMiddleware: {problem}" for problem in problems))
        self._app = app
        self._around = app
        self._policy = policy
        self._anybody: tuple[AsyncGate, Policy] | None = None
        self._excluded = (Paths(excluded_paths), Paths(excluded_prefixes, prefixes=True))
        self._optional = Paths(optional_auth_paths)
        self._names_paths = any((excluded_paths, excluded_prefixes, optional_auth_paths))
        self._carried: tuple[object, ASGIApp] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Admit a request or a WebSocket, or answer the refusal."""
        if scope["type"] not in CONNECTIONS:
            await self._app(scope, receive, send)
            return
        if isinstance(self._around, Starlette):
            self._enter(scope, self._around)
        await self._way(scope.get("app"))(scope, receive, send)

    def _way(self, app: object) -> ASGIApp:
        """Added after AuthGate(app) it stands outside of the carrier that knows the gate, and brings one."""
        if self._carried is not None and self._carried[0] is app:
            return self._carried[1]
        carrier = carrier_before(self._pass, app)
        if carrier is None:
            return self._pass
        self._carried = (app, carrier)  # an app that serves takes no middleware any more
        return carrier

    def _enter(self, scope: Scope, app: Starlette) -> None:
        """Say what an application is yet to say of itself where this stands around it, and not in it."""
        scope.setdefault("app", app)
        if isinstance(app, FastAPI) and app.root_path:
            scope["root_path"] = app.root_path  # or paths would be another's than the router's (Law 8.7)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        gate = carried_gate(scope) or await gate_of(connection)
        visit = visit_of(connection)
        try:
            admission = await self._admission(connection, gate, visit)
        except AuthgateError as error:
            refusal = error
        else:
            _show(scope, admission, is_copy=visit.is_copy)
            await self._app(scope, receive, send)
            return
        await answer(refusal, scope, receive, send)

    async def _admission(self, connection: HTTPConnection, gate: AsyncGate, visit: Visit) -> Admission:
        optional = False
        if self._names_paths:
            asked = asked_of(connection.scope)
            if any(paths.match(asked) for paths in self._excluded):
                return _NOBODY
            optional = self._optional.match(asked)
        if is_preflight(connection):
            return _NOBODY
        return await admit(connection, gate, self._policy_for(gate), optional=optional, visit=visit)

    def guard_of(self, template: str, method: str | None, gate: AsyncGate) -> RouteGuard | None:
        """The guard that this is before a route, an optional one where it leaves some of its requests alone.

        Args:
            template: The path of the route, with its parameters in braces.
            method: The method; None for a WebSocket.
            gate: Who judges.

        Returns:
            None where it leaves the route alone.
        """
        asked = Asked(template, method)
        if any(paths.match(asked) for paths in self._excluded):
            return None
        optional = any(paths.may_match(template, method) for paths in (*self._excluded, self._optional))
        return RouteGuard("middleware", self._policy_for(gate), optional)

    def _policy_for(self, gate: AsyncGate) -> Policy:
        if self._policy is not None:
            return self._policy
        if self._anybody is None or self._anybody[0] is not gate:
            self._anybody = (gate, gate.anybody())
        return self._anybody[1]


def policies_before(app: Starlette) -> Iterator[Policy]:
    """The policies of the middleware that was added to an app."""
    for middleware in app.user_middleware:
        factory: object = middleware.cls
        policy = middleware.kwargs.get("policy")
        if factory is AuthMiddleware and isinstance(policy, Policy):
            yield policy


def doors_before(app: Starlette) -> Iterator[AuthMiddleware]:
    """Such middleware as was added to an app, or to what derives from it, the outermost first."""
    for middleware in app.user_middleware:
        factory: object = middleware.cls
        if isinstance(factory, type) and issubclass(factory, AuthMiddleware):
            made: Callable[..., AuthMiddleware] = factory
            yield made(_nowhere, *middleware.args, **middleware.kwargs)


async def _nowhere(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """What a door that is only looked at stands before."""


def _show(scope: Scope, admission: Admission, *, is_copy: bool) -> None:
    """Copy who was admitted to where handlers read it, which is no evidence of anything (Law 2.6)."""
    state = scope.setdefault("state", {})
    if is_copy:  # of the request that sent this one, which keeps its own
        state = scope["state"] = {**state}
    state["admission"] = admission
    for name, kind in _SHOWN:
        state[name] = admission.get(kind)


def _policy_problems(policy: Policy | None) -> Iterator[str]:
    if policy is None:
        return
    if not isinstance(policy, Policy):
        raise TypeError(f"AuthMiddleware(policy=...) takes a policy, not {policy!r}: write policy=is_user")
    try:
        branches = compile_policy(policy).branches
    except ConfigurationError as error:
        yield from error.problems
        return
    for term, _ in chain.from_iterable(branch.terms for branch in branches):
        if isinstance(term, (SameTenant, ClaimEquals)):
            yield f"policy {policy!r}: {term!r} asks for a parameter of the path; guard the route with it instead"
