"""The app that a GraphQL view lives in: its gate, its request, and what its own adapter knows of that.

Adapters do not import each other: what an app has from another adapter is found where that adapter keeps it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import cache, partial
from types import ModuleType
from typing import Any, Final, Protocol, TypeAlias, cast

from authgate_core import AsyncGate, Gate, RequestView
from authgate_core.credentials import HEADERS, PROJECT_TOKEN_HEADER
from authgate_core.gate.visited import Visited
from authgate_core.request import Memo
from authgate_core.servers import asgi_view, kept_body, wsgi_view

__all__ = ["AnyGate", "AsgiHost", "Host", "WsgiHost", "host_of"]

AnyGate: TypeAlias = Gate | AsyncGate

_FLASK: Final = "authgate"
_GATE: Final = "authgate.gate"
_VISIT: Final = "authgate.visit"
_PARAMS: Final = "connection_params"
_CREDENTIALS: Final = frozenset(
    name.lower() for name in (*(one for names in HEADERS.values() for one in names), PROJECT_TOKEN_HEADER)
)
_UNREADABLE: Final = "\0"  # in a header it would be malformed, and so it is here


class Host(Protocol):
    """What a request came through."""

    request: Any  # of a framework that need not be installed

    @property
    def gate(self) -> AnyGate | None:
        """The gate of the app, if it has one."""
        ...

    def view(self) -> RequestView:
        """The request as the gate sees it, with the memo that all guards of it share (Law 2.6)."""
        ...


class WsgiHost:
    """A request of a WSGI app, as a rule Flask's.

    Args:
        request: The request.

    Attributes:
        visited: What Flask's adapter knows of the request; None in an app without one.
    """

    def __init__(self, request: Any) -> None:  # noqa: ANN401 - whatever has an environ
        self.request = request
        self._app = app = _flask_extension()
        self.visited: Final = None if app is None else cast("Visited[Gate]", app.visit(request))

    @property
    def gate(self) -> AnyGate | None:
        """That of ``AuthGate(app)``."""
        gate: object = getattr(self._app, "gate", None)
        return gate if isinstance(gate, Gate) else None

    def view(self) -> RequestView:
        """From the WSGI environment."""
        visited = self.visited
        memo = Memo() if visited is None else visited.memo
        gate = self.gate
        if gate is not None and gate.reads_bodies:
            memo.body = partial(kept_body, self.request)
        params: Mapping[str, object] = getattr(self.request, "view_args", None) or {}
        view = wsgi_view(self.request.environ, memo=memo, path_params=params)
        view.is_query = True
        return view


class AsgiHost:
    """A request or WebSocket of an ASGI app.

    Args:
        request: The connection.
        context: The context of the operation, which has what the client of a WebSocket sent to begin with.

    Attributes:
        is_socket: Whether it is a WebSocket.
    """

    def __init__(self, request: Any, context: object) -> None:  # noqa: ANN401 - whatever has a scope
        self.request = request
        self._scope: Final[Any] = request.scope
        self.is_socket: Final = bool(self._scope["type"] == "websocket")
        # Of a WebSocket alone: what else a context holds under that name may come from a body (Law 2.2).
        self._params = tuple(_presented(_params_in(context))) if self.is_socket else ()

    @property
    def gate(self) -> AnyGate | None:
        """That of ``AuthGate(app)``, of this app or of the one that it is mounted in."""
        gate: object = self._scope.get(_GATE)
        return gate if isinstance(gate, AsyncGate) else None

    @property
    def visited(self) -> Visited[AsyncGate] | None:
        """What FastAPI's adapter knows of the connection."""
        carried = self._scope.get(_VISIT)
        return None if carried is None else cast("Visited[AsyncGate]", carried.of(self._scope))

    def view(self) -> RequestView:
        """From the ASGI scope, with the credentials that came in the first message of a WebSocket."""
        visited = self.visited
        memo = Memo() if visited is None else visited.memo
        offered = self._scope.get("subprotocols", ()) if visited is None else visited.subprotocols
        view = asgi_view(self._scope, memo=memo, subprotocols=offered)
        view.is_query = True
        return view.with_memo(memo, headers=(*view.headers, *self._params)) if self._params else view


def host_of(request: object, context: object) -> WsgiHost | AsgiHost:
    """What a request came through.

    Args:
        request: The framework's request.
        context: The context of the operation.
    """
    return AsgiHost(request, context) if hasattr(request, "scope") else WsgiHost(request)


def _flask_extension() -> Any:  # noqa: ANN401 - of an adapter that need not be installed
    if "flask" not in sys.modules:
        return None
    flask = _flask()
    return flask.current_app.extensions.get(_FLASK) if flask.has_app_context() else None


@cache
def _flask() -> ModuleType:
    """Imported once: even an import of what is there already is looked for each time."""
    import flask  # noqa: PLC0415 - there, but no dependency of this package

    return flask


def _params_in(context: object) -> Mapping[str, object]:
    if isinstance(context, Mapping):
        params: object = cast("Mapping[str, object]", context).get(_PARAMS)
    else:
        params = getattr(context, _PARAMS, None)
    return cast("Mapping[str, object]", params) if isinstance(params, Mapping) else {}


def _presented(params: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The credentials among them, as headers: in a handshake besides they are presented twice (Law 2.2)."""
    for name, value in params.items():
        if name.lower() in _CREDENTIALS:
            yield name.lower(), value if isinstance(value, str) else _UNREADABLE
