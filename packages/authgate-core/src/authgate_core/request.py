"""A request as the gate sees it, whatever framework it came through, and the requests that the gate sends."""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import ip_address
from types import MappingProxyType
from typing import Final, TypeAlias, TypedDict, Unpack
from urllib.parse import urlsplit

from .headers import FORWARDING, TRACEPARENT, X_REQUEST_ID, HeaderPairs, header_pairs

__all__ = [
    "ASKED_FOR",
    "IN_A_PATH",
    "USED",
    "BodyReader",
    "HttpReply",
    "HttpRequest",
    "Memo",
    "RequestView",
    "masked",
    "url_problems",
]

_USER_INFO: Final = re.compile(r"[^/?#]*@")
_NO_HOST: Final = re.compile(r"[\"$*,;<>\\^`{|}]")
"""What no host is spelled with: it is a list of URLs, or a template that nobody has filled in."""
_INVISIBLE: Final = re.compile(r"[\x00-\x20\x7f]")
"""What a URL cannot hold and ``urlsplit`` removes, such as the newline at the end of a file."""
_SECONDS: Final = re.compile(r"\d{1,9}")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:/@=+-]{1,128}")
_TRACE_PARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
ASKED_FOR: Final[ContextVar[str]] = ContextVar("ASKED_FOR", default="")
"""The id of the request for which somebody is being asked: what the gate sends then carries it."""
IN_A_PATH: Final = "/-._~!$&'()*+,;=:@"
"""What stands in a path as it is, besides letters and digits (RFC 3986 section 3.3)."""
USED: Final = "used"
"""In the place of a kind: what a request has used up."""
_NO_PARAMS: Final[Mapping[str, object]] = MappingProxyType({})

BodyReader: TypeAlias = Callable[[], bytes] | Callable[[], Awaitable[bytes]]
"""Reads the whole body of a request, as often as it is called: a plain function for ``Gate``, else an async one."""


class Memo:
    """What one request has already been authenticated as: one entry for each gate and kind (Law 2.6).

    An adapter keeps it on the framework's request object and hands it to each view of that request.

    Attributes:
        entries: What each kind of credential was found to be, by gate and kind.
        admitted: Whom the guards of this request have let in so far, by gate (Law 6.8).
        proofs: What was shown to be a gateway's word, by gate and by what the request asks for, with the time since
            when: what may be used once is not asked for again by later guards, or while a socket stays open.
        body: Reads the body of the request, where an adapter gives it to a gate that has to see it.
    """

    __slots__ = ("admitted", "body", "entries", "proofs")

    def __init__(self) -> None:
        self.entries: dict[tuple[int, str], tuple[object, object]] = {}
        self.admitted: dict[int, tuple[object, ...]] = {}
        self.proofs: dict[tuple[int, str, str], tuple[object, float]] = {}
        self.body: BodyReader | None = None

    def succeed(self, earlier: Memo, *, is_same: bool = True) -> None:
        """Take over what holds of the request however often it is authenticated anew.

        Args:
            earlier: What it was authenticated as.
            is_same: Whether it is that very request; what one has used up lets in no other that it sends.
        """
        self.proofs = earlier.proofs
        self.body = earlier.body
        if is_same:
            self.entries |= {key: entry for key, entry in earlier.entries.items() if key[1] == USED}

    def recall(self, gate: int, kind: str, credential: object) -> object | None:
        """What this very credential was found to be, or None; another credential is authenticated anew."""
        entry = self.entries.get((gate, kind))
        return entry[1] if entry is not None and entry[0] == credential else None

    def remember(self, gate: int, kind: str, credential: object, outcome: object) -> None:
        """Keep the outcome, a principal or an error, for later guards of the same request."""
        self.entries[(gate, kind)] = (credential, outcome)

    def forget(self) -> None:
        """Have every kind authenticated anew, as in a connection that stays open (Law 5.13).

        What the request has used up stays used up, and by it.
        """
        self.entries = {key: entry for key, entry in self.entries.items() if key[1] == USED}

    def __repr__(self) -> str:
        return f"Memo({len(self.entries)} entries)"


class _Presented(TypedDict, total=False):
    headers: HeaderPairs
    subprotocols: Sequence[str]


class RequestView:
    """An incoming request, as its adapter saw it.

    Args:
        method: The HTTP method; ``GET`` for a WebSocket handshake.
        url: The path and query as the caller sent them.
        headers: Pairs in order, duplicates kept; a mapping is accepted where tests have one.
        peer: The address of the socket's own peer, never a forwarded one.
        tls_peer: The subject of the client certificate that the TLS layer verified.
        path_params: Parameters that the router took from the path.
        memo: What this request was already authenticated as; given by the adapter.
        subprotocols: What the client of a WebSocket offers, where a token may stand as well.
        target: Path and query as the request line has them, percent-encoded; by default ``url``.
        named_peer: Whom the server calls the peer, though it may have that from a header; by default ``peer``.
        folds_names: Whether the server made one of names that differ in hyphen and underscore (Law 2.8).
        body: Reads the body of the request, for a gateway that signs it.
        certificate: The client certificate that the TLS layer got, in DER.

    Attributes:
        is_query: Whether it asks GraphQL, where a page of another site could do something by GET (Law 2.9).
        proof: What was verified of an action that its user has confirmed.
    """

    __slots__ = (
        "body",
        "certificate",
        "folds_names",
        "headers",
        "is_query",
        "memo",
        "method",
        "named_peer",
        "path_params",
        "peer",
        "proof",
        "subprotocols",
        "target",
        "tls_peer",
        "url",
    )

    def __init__(
        self,
        method: str,
        url: str,
        headers: Iterable[tuple[str, str]] | Mapping[str, str],
        *,
        peer: str | None = None,
        tls_peer: str | None = None,
        path_params: Mapping[str, object] = _NO_PARAMS,
        memo: Memo | None = None,
        subprotocols: Sequence[str] = (),
        target: str | None = None,
        named_peer: str | None = None,
        folds_names: bool = False,
        body: BodyReader | None = None,
        certificate: bytes | None = None,
    ) -> None:
        self.method = method
        self.url = url
        self.headers: HeaderPairs = header_pairs(headers)
        self.peer = peer
        self.tls_peer = tls_peer
        self.path_params = path_params
        self.memo = memo
        self.subprotocols = tuple(subprotocols)
        self.is_query = False
        self.proof: object = None
        self.target = url if target is None else target
        self.named_peer = peer if named_peer is None else named_peer
        self.folds_names = folds_names
        self.body = body
        self.certificate = certificate

    def only(self, name: str) -> HeaderPairs:
        """What it carries under one name, which is given in lower case: every pair, in order."""
        return tuple([pair for pair in self.headers if pair[0] == name])

    def with_memo(self, memo: Memo, **changes: Unpack[_Presented]) -> RequestView:
        """The same request with another memo, and where that is given with other credentials presented.

        Args:
            memo: What it was already authenticated as.
            changes: Headers or subprotocols in the place of its own.
        """
        view = RequestView(
            self.method,
            self.url,
            changes.get("headers", self.headers),
            peer=self.peer,
            tls_peer=self.tls_peer,
            path_params=self.path_params,
            memo=memo,
            subprotocols=changes.get("subprotocols", self.subprotocols),
            target=self.target,
            named_peer=self.named_peer,
            folds_names=self.folds_names,
            body=self.body,
            certificate=self.certificate,
        )
        view.is_query = self.is_query
        return view

    @property
    def certificate_hash(self) -> str | None:
        """The SHA-256 of the client certificate, as ``cnf`` holds it (RFC 8705 section 3.1); None without one."""
        if self.certificate is None:
            return None
        return urlsafe_b64encode(hashlib.sha256(self.certificate).digest()).rstrip(b"=").decode()

    @property
    def request_id(self) -> str:
        """What this request is called in logs, by ``X-Request-ID``, else by the trace of ``traceparent``; or empty.

        A caller may choose it, so it is short, of plain characters, and proves nothing.
        """
        named = self.only(X_REQUEST_ID)
        if len(named) == 1 and _REQUEST_ID.fullmatch(named[0][1]):
            return named[0][1]
        traced = self.only(TRACEPARENT)
        found = _TRACE_PARENT.fullmatch(traced[0][1]) if len(traced) == 1 else None
        return "" if found is None else found[1]

    @property
    def is_preflight(self) -> bool:
        """Whether a browser asks what another site's page may send: it never carries credentials (Law 1.11)."""
        names = {name for name, _ in self.headers}
        return self.method == "OPTIONS" and {"origin", "access-control-request-method"} <= names

    @property
    def is_local(self) -> bool:
        """Whether it comes from this machine, and by no proxy: what a forwarding header says is nobody's word."""
        if self.peer is None or any(name in FORWARDING for name, _ in self.headers):
            return False
        return _is_loopback_address(self.peer)

    def __repr__(self) -> str:
        names = sorted({name for name, _ in self.headers})
        path = self.url.partition("?")[0]
        return f"RequestView({self.method!r}, {path!r}, headers={names})"

    def __reduce__(self) -> tuple[object, ...]:
        # Law 2.5: a pickle would hold the credentials, and whoever keeps an admission keeps its request.
        raise TypeError("a RequestView is not pickled: keep the ids of principals instead")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request that the gate sends; ``io`` applies the limits of Law 4.9.

    Args:
        method: The HTTP method.
        url: An absolute URL.
        headers: Extra headers, in order.
        body: The body, in bytes.
        plain_http: Whether http to a host other than loopback was allowed explicitly.
        refusal_body: Whether the body of a 400, 401 or 403 is read as well; of other answers that are no success
            it never is.
        timeout: How long it may take in all, in seconds, where that is to be less than Law 4.9 allows.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    plain_http: bool = False
    refusal_body: bool = False
    timeout: float | None = None

    def __repr__(self) -> str:
        return f"HttpRequest({self.method!r}, {self.url!r})"


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A complete, bounded answer to an ``HttpRequest``.

    Args:
        status: The HTTP status.
        headers: Names in lower case.
        body: The raw body, in bytes.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after(self) -> float | None:
        """How long it asks to be left alone, in seconds (RFC 9110 section 10.2.3); a date is not read."""
        asked = self.headers.get("retry-after", "").strip()
        return float(asked) if _SECONDS.fullmatch(asked) else None

    def __repr__(self) -> str:
        return f"HttpReply({self.status}, {len(self.body)} bytes)"


def url_problems(setting: str, url: object, *, plain_http: bool | None) -> Iterator[str]:
    """Whether the gate may ask this URL (Law 4.9); checked as whatever the configuration holds.

    Args:
        setting: What the URL was given as.
        url: The URL.
        plain_http: Whether it may be http beyond loopback; None where nothing can allow that.
    """
    if not isinstance(url, str):
        yield f"{setting}: a {type(url).__name__} is not a URL; write https://host/path"
        return
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        yield f"{setting}: {masked(url)!r} is not a URL; write https://host/path"
        return
    if _INVISIBLE.search(url):
        yield f"{setting}: holds a space or a line break, as no URL does; leave it out"
    elif parts.scheme not in {"http", "https"} or not host:
        yield f"{setting}: {masked(url)!r} is not an absolute URL; write https://host/path"
    elif parts.username is not None or parts.password is not None:
        yield f"{setting}: must not hold a user name or password"
    elif _NO_HOST.search(host):
        yield f"{setting}: {masked(url)!r} has no host that can be asked; write one URL, https://host/path"
    elif parts.scheme == "http" and not plain_http and not _is_loopback(host):
        allowing = "" if plain_http is None else ", or write allow_http=True if that network is trusted"
        yield f"{setting}: {url!r} is not https; use https{allowing}"


def masked(url: str) -> str:
    """A URL without the user name and password that it may hold (Law 2.5)."""
    return _USER_INFO.sub("***@", url)


def _is_loopback(host: str) -> bool:
    return host == "localhost" or _is_loopback_address(host)


def _is_loopback_address(address: str) -> bool:
    with suppress(ValueError):
        return ip_address(address).is_loopback
    return False
