"""What an application's own HTTP client takes as ``auth=``: a client of httpx2 or, where there is one, of httpx.

Both libraries look at the class of what they are given, and neither knows the other's. httpx is no dependency of ours
and is never imported here, so what is given to it says that it is of both, once the application has imported it.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, TypeVar, cast

import httpx2

from .sockets import is_loopback

__all__ = [
    "AsyncSending",
    "Origin",
    "OutgoingAuth",
    "Request",
    "Response",
    "Sending",
    "Url",
    "origin_named",
    "origin_of",
]

R = TypeVar("R")

Request: TypeAlias = httpx2.Request
Response: TypeAlias = httpx2.Response
Sending: TypeAlias = Generator[httpx2.Request, httpx2.Response, None]
AsyncSending: TypeAlias = AsyncGenerator[httpx2.Request, httpx2.Response]
Origin: TypeAlias = tuple[str, str, int]
"""Scheme, host and port (RFC 6454), as an HTTP client has read them."""

_PORTS: Final = {"https": 443, "http": 80}
_of_both: Final[dict[type[OutgoingAuth], type[OutgoingAuth]]] = {}


class Url(Protocol):
    """A URL as either library has parsed it: what is compared is what is asked."""

    @property
    def scheme(self) -> str:
        """In lower case."""
        ...

    @property
    def raw_host(self) -> bytes:
        """In lower case, names in the form of IDNA."""
        ...

    @property
    def port(self) -> int | None:
        """None for the port that the scheme has."""
        ...


class OutgoingAuth(httpx2.Auth):
    """Something that a client of either library takes as ``auth=``."""

    if not TYPE_CHECKING:  # as object has it, it could be set

        @property
        def __class__(self) -> type[OutgoingAuth]:
            """What ``isinstance`` asks where the type itself does not answer, as for a class of httpx."""
            older = getattr(sys.modules.get("httpx"), "Auth", None)  # which is not there while it is imported
            return type(self) if older is None else _class_of_both(type(self), older)

    def __call__(self, request: R) -> R:
        """Put into one request what goes into each, and send nothing: what the types of httpx know, and tests ask.

        Args:
            request: A request of either library.
        """
        next(self.sync_auth_flow(cast("Request", request)))
        return request


def _class_of_both(own: type[OutgoingAuth], older: type[object]) -> type[OutgoingAuth]:
    known = _of_both.get(own)
    if known is None:
        known = _of_both[own] = cast("type[OutgoingAuth]", type(own.__name__, (own, older), {}))
    return known


def origin_of(url: Url) -> Origin:
    """The origin of a URL that a client is about to ask."""
    return url.scheme, url.raw_host.decode("ascii"), url.port or _PORTS.get(url.scheme, 0)


def origin_named(name: str) -> Origin | None:
    """The origin that a configuration names, if a token may go there: https, or http on this machine (Law 11.1).

    Args:
        name: A URL, of which the path says nothing, or a host with or without a port, which stands for https.
    """
    try:
        url = httpx2.URL(name if "://" in name else f"https://{name}")
        origin = origin_of(url)
    except (httpx2.InvalidURL, ValueError):
        return None
    scheme, host, port = origin
    is_safe = scheme == "https" or (scheme == "http" and is_loopback(host))
    # What no host holds is escaped by now, and a wildcard would match nothing.
    is_plain = bool(host) and not {"%", "*"} & set(host) and not url.userinfo
    return origin if is_safe and is_plain and 0 < port < 65536 else None
