"""A request as servers hand it over, by ASGI or by WSGI (PEP 3333), which every framework passes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from .headers import FORWARDING
from .request import Memo, RequestView

__all__ = ["asgi_view", "wsgi_view"]

_NO_PARAMS: Final[Mapping[str, object]] = MappingProxyType({})
_CONTENT: Final = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})
_BEFORE_PROXY_FIX: Final = "werkzeug.proxy_fix.orig"


def asgi_view(
    scope: Mapping[str, Any], *, memo: Memo | None = None, subprotocols: Sequence[str] = ()
) -> RequestView:
    """An HTTP request or a WebSocket handshake as the gate sees it, with every header pair that arrived.

    Args:
        scope: The connection; Any because ASGI gives each key a type of its own.
        memo: What it was already authenticated as.
        subprotocols: The credentials that the client of a WebSocket offered as subprotocols.
    """
    headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    return RequestView(
        scope.get("method", "GET"),
        _asgi_url(scope),
        headers,
        peer=_asgi_peer(scope, headers),
        path_params=scope.get("path_params", _NO_PARAMS),
        memo=memo,
        subprotocols=subprotocols,
    )


def wsgi_view(
    environ: Mapping[str, Any], *, memo: Memo | None = None, path_params: Mapping[str, object] = _NO_PARAMS
) -> RequestView:
    """The same for WSGI, with the socket's peer also behind ``ProxyFix``.

    Args:
        environ: The request; Any because servers and middleware put whatever they like there.
        memo: What it was already authenticated as.
        path_params: Parameters that the router took from the path.
    """
    return RequestView(
        environ.get("REQUEST_METHOD", "GET").upper(),
        _wsgi_url(environ),
        _wsgi_headers(environ),
        peer=_wsgi_peer(environ),
        path_params=path_params,
        memo=memo,
    )


def _asgi_url(scope: Mapping[str, Any]) -> str:
    raw: bytes | None = scope.get("raw_path")  # optional in ASGI
    path = quote(scope["path"], errors="replace") if raw is None else raw.decode("latin-1")
    query: bytes = scope.get("query_string", b"")
    return _url(path, query.decode("latin-1"))


def _wsgi_url(environ: Mapping[str, Any]) -> str:
    mounted, path = _text(environ, "SCRIPT_NAME"), _text(environ, "PATH_INFO")
    return _url(f"{mounted.rstrip('/')}/{path.lstrip('/')}", environ.get("QUERY_STRING", ""))


def _url(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path


def _text(environ: Mapping[str, Any], name: str) -> str:
    """What PEP 3333 passes as bytes in the disguise of latin-1."""
    held: str = environ.get(name) or ""
    return held.encode("latin-1").decode(errors="replace")


def _wsgi_headers(environ: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        header = name.removeprefix("HTTP_")
        # Type and length of the content have no prefix (RFC 3875 section 4.1), and may be there where none was sent.
        arrived = value if name in _CONTENT else header not in {name, *_CONTENT}
        if arrived:
            yield header.replace("_", "-").lower(), value


def _asgi_peer(scope: Mapping[str, Any], headers: Sequence[tuple[str, str]]) -> str | None:
    """The socket's own peer; nobody where servers may have put into ``client`` what a proxy says (Law 2.7)."""
    client: tuple[str, int] | None = scope.get("client")
    if client is None or any(name in FORWARDING for name, _ in headers):
        return None
    return client[0]


def _wsgi_peer(environ: Mapping[str, Any]) -> str | None:
    # ProxyFix overwrites REMOTE_ADDR with what a header says; the peer is who holds the socket (Law 2.7).
    peer: str | None = environ.get(_BEFORE_PROXY_FIX, environ).get("REMOTE_ADDR")
    return peer or None
