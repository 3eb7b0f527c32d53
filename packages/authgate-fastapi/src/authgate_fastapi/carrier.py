"""Pure ASGI middleware that carries the gate of an app to the guards in it, and their word to the server."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, Final

from starlette._utils import get_route_path
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from authgate_core import AsyncGate
from authgate_core.challenge import OnRefusal
from authgate_core.resource import ResourceMetadata

from .blanket import Blanket
from .bodies import Body, no_body
from .caching import Marked
from .locate import carry
from .refusals import answer_with
from .sockets import Socket
from .subprotocols import take_credentials
from .visit import Visit, carried_visit

__all__ = ["CONNECTIONS", "Carrier", "carried_by", "carrier_before", "default_carried_by", "default_of"]

CONNECTIONS: Final = frozenset({"http", "websocket"})
"""The types of scopes that somebody may be admitted to."""

_DEFAULT: Final = "authgate.default"


class Carrier:
    """Puts the gate in the scope of each connection, with a visit to which guards say whom they admitted.

    By that it marks responses for caches (Law 1.7), and closes WebSockets whose callers are admitted no longer
    (Law 5.13). The outermost of several does so, once for each connection.

    Args:
        app: What is behind it.
        gate: The gate.
        default: The guard of routes that have none.
        on_refusal: The words of the app for a refusal.
    """

    def __init__(
        self,
        app: ASGIApp,
        gate: AsyncGate,
        default: Blanket | None = None,
        on_refusal: OnRefusal | None = None,
    ) -> None:
        self._app = app
        self._reads_bodies = gate.reads_bodies
        self._carried: Scope = {_DEFAULT: default}
        self._metadata = gate.resource_metadata
        carry(self._carried, gate)
        answer_with(self._carried, on_refusal)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Carry it, or answer who asks what the API is called and where its tokens come from (RFC 9728)."""
        if self._metadata is not None and _asks_for(self._metadata, scope):
            return _told(self._metadata)(scope, receive, send)
        if scope["type"] in CONNECTIONS:
            scope.update(self._carried)
            visit = _begun(scope)
            if visit is not None:
                if self._reads_bodies:
                    receive = _read_first(visit, scope, receive)
                return _accompanied(self._app, visit, scope, receive, send)
        return self._app(scope, receive, send)


def _asks_for(metadata: ResourceMetadata, scope: Scope) -> bool:
    if scope["type"] != "http":
        return False
    return metadata.answers(scope["method"], scope["path"], get_route_path(scope))


def _told(metadata: ResourceMetadata) -> Response:
    return Response(metadata.body, headers=dict(metadata.headers))


def _begun(scope: Scope) -> Visit | None:
    """A new visit, unless the scope's own has begun already."""
    held = carried_visit(scope)
    if held is None:
        visit = Visit(scope, take_credentials(scope))
        visit.carry(scope)
        return visit
    return None if held.is_of(scope) else held.anew(scope, take_credentials(scope))


def _read_first(visit: Visit, scope: Scope, receive: Receive) -> Receive:
    """Let the gate see the body, and the application as well."""
    if scope["type"] != "http":
        visit.memo.body = no_body
        return receive
    body = Body(receive)
    visit.memo.body = body.read
    return body.receive


def _accompanied(app: ASGIApp, visit: Visit, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
    if scope["type"] == "http":
        return app(scope, receive, Marked(visit, send))
    return Socket(visit, scope, receive, send).run(app)


def carried_by(app: object) -> AsyncGate | None:
    """The gate that ``AuthGate(app)`` gave to an app."""
    gate = _kwargs(app).get("gate")
    return gate if isinstance(gate, AsyncGate) else None


def default_carried_by(app: object) -> Blanket | None:
    """The guard of routes that have none, which ``AuthGate(app)`` was given for an app."""
    default = _kwargs(app).get("default")
    return default if isinstance(default, Blanket) else None


def carrier_before(inner: ASGIApp, app: object) -> Carrier | None:
    """A carrier like the app's own, for middleware that stands outside of that and must know its gate."""
    kwargs = _kwargs(app)
    return Carrier(inner, **kwargs) if kwargs else None


def _kwargs(app: object) -> Mapping[str, Any]:
    """What ``AuthGate(app)`` told the carrier of an app, which Any stands for."""
    if isinstance(app, Starlette):
        for middleware in app.user_middleware:
            factory: object = middleware.cls
            if factory is Carrier:
                return middleware.kwargs
    return {}


def default_of(scope: Scope) -> Blanket | None:
    """The guard of routes that have none, of the application whose gate this connection meets."""
    default: Blanket | None = scope.get(_DEFAULT)
    return default
