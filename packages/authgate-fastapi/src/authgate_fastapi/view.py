"""A Starlette connection as the gate sees it."""

from __future__ import annotations

from typing import Final

from authgate_core import RequestView
from authgate_core.request import Memo
from starlette.requests import HTTPConnection

__all__ = ["view_of"]

_MEMO: Final = "authgate.memo"


def view_of(connection: HTTPConnection) -> RequestView:
    """Describe an HTTP request or a WebSocket handshake; all views of one connection share its memo (Law 2.6)."""
    scope = connection.scope
    memo = scope.get(_MEMO)
    if not isinstance(memo, Memo):
        memo = scope[_MEMO] = Memo()
    query = scope.get("query_string", b"").decode("latin-1")
    client = scope.get("client")
    return RequestView(
        scope.get("method", "GET"),
        scope["path"] + (f"?{query}" if query else ""),
        [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
        peer=client[0] if client else None,
        path_params=scope.get("path_params", {}),
        memo=memo,
    )
