"""Where credentials are looked for, and where they are not (Law 2.2)."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from starlette.requests import Request
from starlette.websockets import WebSocket

from authgate_graphql.hosts import AsgiHost, WsgiHost, host_of

TOKEN = "a-token-that-nobody-issued"
PARAMS = {"Authorization": f"Bearer {TOKEN}", "X-APP-ID": "shop", "x-app-secret": 7, "theme": "dark"}


def scope(kind: str) -> dict[str, Any]:
    """What a server says of a connection."""
    line = {"type": kind, "method": "GET", "path": "/", "query_string": b""}
    return {**line, "headers": [(b"x-request-id", b"7")]}


async def nothing(*_: Any) -> Any:
    """A channel that nobody uses."""


class TestParams:
    @pytest.mark.parametrize(
        "context", [{"connection_params": PARAMS}, type("C", (), {"connection_params": PARAMS})()]
    )
    def test_of_a_socket(self, context: Any) -> None:
        """The first message of a WebSocket presents credentials, and nothing else; what is no text is malformed."""
        view = AsgiHost(WebSocket(scope("websocket"), nothing, nothing), context).view()
        assert (
            ("x-request-id", "7"),
            ("authorization", f"Bearer {TOKEN}"),
            ("x-app-id", "shop"),
            ("x-app-secret", "\0"),
        ) == view.headers

    def test_of_a_request(self) -> None:
        """What a context of an HTTP request holds under that name is no credential: it may come from a body."""
        view = AsgiHost(Request(scope("http")), {"connection_params": PARAMS}).view()
        assert (("x-request-id", "7"),) == view.headers

    @pytest.mark.parametrize("params", [None, [], "text", {}])
    def test_none(self, params: Any) -> None:
        """Params that are no mapping present nothing."""
        view = AsgiHost(WebSocket(scope("websocket"), nothing, nothing), {"connection_params": params}).view()
        assert (("x-request-id", "7"),) == view.headers


class TestKinds:
    def test_told_apart(self) -> None:
        """A request with a scope is of an ASGI app, one with an environ of a WSGI app."""
        wsgi = type("Request", (), {"environ": {}})()
        assert isinstance(host_of(Request(scope("http")), {}), AsgiHost)
        assert isinstance(host_of(wsgi, {}), WsgiHost)

    def test_every_request_asks_graphql(self) -> None:
        """Law 2.9: the gate is told, for a page of another site could ask by GET."""
        wsgi = type("Request", (), {"environ": {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}})()
        with_params = AsgiHost(WebSocket(scope("websocket"), nothing, nothing), {"connection_params": PARAMS})
        assert WsgiHost(wsgi).view().is_query
        assert AsgiHost(Request(scope("http")), {}).view().is_query
        assert with_params.view().is_query

    def test_without_flask(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Flask is neither needed nor imported for a request of another WSGI framework."""
        monkeypatch.delitem(sys.modules, "flask", raising=False)
        wsgi = type("Request", (), {"environ": {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}})()
        host = WsgiHost(wsgi)
        assert (None, None, "GET") == (host.gate, host.visited, host.view().method)
        assert "flask" not in sys.modules
