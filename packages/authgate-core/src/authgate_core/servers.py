"""A request as servers hand it over, by ASGI or by WSGI (PEP 3333), which every framework passes on."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from base64 import b64decode
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Protocol
from urllib.parse import quote, unquote_to_bytes

from .errors import GatewaySignatureRefused
from .headers import FORWARDING, HeaderPairs
from .request import IN_A_PATH, BodyReader, Memo, RequestView

__all__ = ["asgi_view", "kept_body", "wsgi_view"]

_NO_PARAMS: Final[Mapping[str, object]] = MappingProxyType({})
# Type and length of the content have no prefix (RFC 3875 section 4.1), and may be there where none was sent.
_CONTENT: Final = {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}
_PREFIX: Final = "HTTP_"
_PREFIXED: Final = frozenset(f"{_PREFIX}{name}" for name in _CONTENT)
_SENT: Final = ("RAW_URI", "REQUEST_URI")
"""Where servers say what the request line held: gunicorn in the one, waitress and mod_wsgi in the other."""
_BEFORE_PROXY_FIX: Final = "werkzeug.proxy_fix.orig"
_CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")


def asgi_view(
    scope: Mapping[str, Any], *, memo: Memo | None = None, subprotocols: Sequence[str] = ()
) -> RequestView:
    """An HTTP request or a WebSocket handshake as the gate sees it, with every header pair that arrived.

    Args:
        scope: The connection; Any because ASGI gives each key a type of its own.
        memo: What it was already authenticated as.
        subprotocols: The credentials that the client of a WebSocket offered as subprotocols.
    """
    return _AsgiView(
        scope.get("method", "GET"),
        tuple(scope["headers"]),
        (
            scope.get("raw_path"),
            scope["path"],
            scope.get("query_string", b""),
            scope.get("client"),
            scope.get("extensions"),
        ),
        memo,
        scope.get("path_params", _NO_PARAMS),
        tuple(subprotocols),
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
    # ProxyFix overwrites REMOTE_ADDR with what a header says; the peer is who holds the socket (Law 2.7).
    peer = environ.get(_BEFORE_PROXY_FIX, environ).get("REMOTE_ADDR")
    line = (environ.get("SCRIPT_NAME"), environ.get("PATH_INFO"), environ.get("QUERY_STRING"), peer)
    method = environ.get("REQUEST_METHOD", "GET").upper()
    return _WsgiView(method, dict(environ), line, memo, path_params, ())


class _KeepsBody(Protocol):
    """A request of werkzeug, which keeps what it has read by ``get_data`` and nothing that was read otherwise."""

    @property
    def environ(self) -> Mapping[str, Any]:
        """What the server handed over."""
        ...

    @property
    def content_length(self) -> int | None:
        """How long the body is; None where that is not said."""
        ...

    def get_data(self) -> bytes:
        """What is left of it, or was kept."""
        ...


def kept_body(request: _KeepsBody) -> bytes:
    """The whole body of a request by WSGI, which stays there for the view.

    Args:
        request: The framework's.

    Raises:
        GatewaySignatureRefused: If some of it was read before, as a form or from the stream, and is not there any more.
    """
    length, known = request.content_length, vars(request)
    is_touched = "stream" in known and known.get("_cached_data") is None
    # A body of which nobody says how long it is may have been longer than what is left.
    if not (is_touched and length is None and "HTTP_TRANSFER_ENCODING" in request.environ):
        body = request.get_data()
        if length is None or length == len(body):
            return body
    raise GatewaySignatureRefused(
        "the body was read before the gate could see it: have AuthGate(app) come before what reads request.form or "
        "request.stream, or call request.get_data() there first"
    )


class _Arrived(RequestView, ABC):
    """A request of which few admissions ask more than for one header: the rest is read when somebody does.

    Args:
        method: As for ``RequestView``.
        raw: Where its headers stand, as the server handed them over: a copy, for what was handed over may change.
        line: What the server said of URL and peer: values that nobody can change.
        memo: As for ``RequestView``.
        path_params: As for ``RequestView``.
        subprotocols: As for ``RequestView``.
    """

    __slots__ = ("_line", "_raw")

    def __init__(  # pyright: ignore[reportMissingSuperCall] - it would read what nobody asks for
        self,
        method: str,
        raw: object,
        line: tuple[Any, ...],  # of each server its own
        memo: Memo | None,
        path_params: Mapping[str, object],
        subprotocols: tuple[str, ...],
    ) -> None:
        self.method = method
        self.memo = memo
        self.path_params = path_params
        self.subprotocols = subprotocols
        self._raw: Any = raw  # of each server its own
        self._line = line

    def __getattr__(  # noqa: C901, PLR0911 - one for each
        self, name: str
    ) -> HeaderPairs | str | bytes | bool | BodyReader | None:
        """What nobody has asked for so far; from then on it stands in the slot of its name."""
        if name == "headers":
            self.headers = headers = self._read_headers()
            return headers
        if name == "url":
            self.url = url = self._read_url()
            return url
        if name == "peer":
            self.peer = peer = self._read_peer()
            return peer
        if name == "is_query":
            return False
        if name == "proof":
            return None
        if name == "target":
            self.target = target = self._read_target()
            return target
        if name == "named_peer":
            self.named_peer = named = self._read_named_peer()
            return named
        if name == "folds_names":
            self.folds_names = folds = isinstance(self, _WsgiView)
            return folds
        if name == "body":
            self.body = body = None if self.memo is None else self.memo.body
            return body
        if name == "tls_peer":
            self.tls_peer = subject = self._read_tls_peer()
            return subject
        if name == "certificate":
            self.certificate = certificate = _der(self._read_certificate())
            return certificate
        raise AttributeError(f"a request has no {name}", name=name, obj=self)

    @abstractmethod
    def _read_headers(self) -> HeaderPairs:
        """All headers, as ``RequestView.headers`` has them."""

    @abstractmethod
    def _read_url(self) -> str:
        """Path and query, as ``RequestView.url`` has them."""

    @abstractmethod
    def _read_peer(self) -> str | None:
        """The socket's own peer, where it can be known."""

    @abstractmethod
    def _read_target(self) -> str:
        """Path and query, as ``RequestView.target`` has them."""

    @abstractmethod
    def _read_named_peer(self) -> str | None:
        """Whom the server calls the peer."""

    def _read_certificate(self) -> object:
        """The client certificate that the TLS layer got, in PEM, if the server says so."""

    @abstractmethod
    def _read_tls_peer(self) -> str | None:
        """The subject of that, where the TLS layer has verified it and says no other than that."""


class _AsgiView(_Arrived):
    """By ASGI: the raw path, which is optional, the path, the query, the client and what the server tells besides."""

    __slots__ = ()

    def only(self, name: str) -> HeaderPairs:
        sought = name.encode()
        length = len(sought)  # few others are as long, so that few are made lower case
        return tuple(
            [
                (name, value.decode("latin-1"))
                for key, value in self._raw
                if len(key) == length and key.lower() == sought
            ]
        )

    def _read_headers(self) -> HeaderPairs:
        headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in self._raw]
        return tuple(headers)

    def _read_url(self) -> str:
        raw, path, query, _, _ = self._line
        return _url(
            quote(path, errors="replace") if raw is None else raw.decode("latin-1"), query.decode("latin-1")
        )

    def _read_peer(self) -> str | None:
        """The socket's own peer; nobody where servers may have put into ``client`` what a proxy says (Law 2.7)."""
        client: tuple[str, int] | None = self._line[3]
        if client is None or any(name in FORWARDING for name, _ in self.headers):
            return None
        return client[0]

    def _read_target(self) -> str:
        return self.url

    def _read_named_peer(self) -> str | None:
        client: tuple[str, int] | None = self._line[3]
        return None if client is None else client[0]

    def _read_certificate(self) -> object:
        """By the TLS extension of ASGI: the first of the chain is the client's own."""
        chain: Sequence[object] | None = self._tls().get("client_cert_chain")
        return chain[0] if chain else None

    def _read_tls_peer(self) -> str | None:
        """By the same extension, which has the subject also of what could not be verified."""
        tls = self._tls()
        subject = tls.get("client_cert_name")
        return subject if isinstance(subject, str) and tls.get("client_cert_error") is None else None

    def _tls(self) -> Mapping[str, Any]:
        extensions: Mapping[str, Any] | None = self._line[4]
        tls: Mapping[str, Any] | None = extensions.get("tls") if extensions else None
        return tls or _NO_PARAMS


class _WsgiView(_Arrived):
    """By WSGI: where the application is mounted, the path, the query and the peer."""

    __slots__ = ()

    def only(self, name: str) -> HeaderPairs:
        if name in _CONTENT.values():
            return super().only(name)
        length = len(_PREFIX) + len(name)
        return tuple(
            [
                (name, self._raw[variable])
                for variable in self._raw
                if len(variable) == length and variable[:5] == _PREFIX and _name(variable) == name
            ]
        )

    def _read_headers(self) -> HeaderPairs:
        return _wsgi_headers(self._raw)

    def _read_url(self) -> str:
        mounted, path, query, _ = self._line
        return _url(f"{_text(mounted).rstrip('/')}/{_text(path).lstrip('/')}", query or "")

    def _read_peer(self) -> str | None:
        peer: str | None = self._line[3]
        return peer or None

    def _read_target(self) -> str:
        """As it arrived, where the server tells that too and it is what was decoded; else encoded anew (PEP 3333)."""
        mounted, path, query, _ = self._line
        held = f"{mounted or ''}{path or ''}".encode("latin-1")
        for variable in _SENT:
            sent: object = self._raw.get(variable)
            if isinstance(sent, str):
                shown, _, asked = sent.partition("?")
                if unquote_to_bytes(shown) == held and asked == (query or ""):
                    return sent
        return _url(quote(held, safe=IN_A_PATH), query or "")

    def _read_named_peer(self) -> str | None:
        return self.peer

    def _read_certificate(self) -> object:
        """By the variable that mod_ssl named, which no header can set (RFC 3875 section 4.1.18)."""
        return self._raw.get("SSL_CLIENT_CERT")

    def _read_tls_peer(self) -> str | None:
        """By the variables of mod_ssl likewise, of which one says whether the certificate was verified."""
        subject = self._raw.get("SSL_CLIENT_S_DN")
        is_verified = self._raw.get("SSL_CLIENT_VERIFY") == "SUCCESS"
        return subject if isinstance(subject, str) and is_verified else None


def _der(pem: object) -> bytes | None:
    """The first certificate of a text in PEM (RFC 7468 section 5); None where there is none that can be read."""
    found = _CERTIFICATE.search(pem) if isinstance(pem, str) else None
    if found is None:
        return None
    try:
        return b64decode("".join(found[1].split()), validate=True)
    except ValueError:
        return None


def _url(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path


def _text(held: str | None) -> str:
    """What PEP 3333 passes as bytes in the disguise of latin-1."""
    return (held or "").encode("latin-1").decode(errors="replace")


def _name(variable: str) -> str:
    return variable[5:].replace("_", "-").lower()


def _wsgi_headers(environ: Mapping[str, Any]) -> HeaderPairs:
    headers = [
        (_CONTENT.get(name) or _name(name), value)
        for name, value in environ.items()
        if (name[:5] == _PREFIX and name not in _PREFIXED) or (name in _CONTENT and value)
    ]
    return tuple(headers)
