"""Tokens that browsers keep in cookies, and what shows that a request comes from one's own pages (Law 2.9).

A browser adds cookies to whatever request any page has it send. So a token in a cookie says who the user is, and
not that the user wants this: that is said by a second value, which pages of other sites cannot read, or by the
``Origin`` that browsers add and no page can change.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, cast
from urllib.parse import urlsplit

from .headers import COOKIE, ORIGIN, SEC_WEBSOCKET_VERSION, HeaderPairs, values

__all__ = ["Cookies", "cookie_values"]

_HOST: Final = "__Host-"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""RFC 9110 section 9.2.1."""
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110 section 5.6.2, of the names of headers and of cookies."""


@dataclass(frozen=True, slots=True)
class Cookies:
    """Has a gate read tokens from a cookie as well, under the conditions of Law 2.9.

    A browser sends a cookie whose name begins with ``__Host-`` only to the host that set it, and only over https.

    Args:
        access: The cookie that holds the token.
        csrf: The cookie that holds the value which requests that change something repeat in a header.
        csrf_header: That header.
        origins: The origins of the pages that may open a WebSocket or ask GraphQL by GET, such as
            ``https://app.example.com``.
    """

    access: str = "__Host-auth_access"
    csrf: str = "__Host-auth_csrf"
    csrf_header: str = "X-CSRF-Token"
    origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        given: object = self.origins
        if isinstance(
            given, (list, set, frozenset)
        ):  # one that is changed afterwards would change what was checked
            object.__setattr__(self, "origins", tuple(cast("list[str]", given)))

    def problems(self) -> Iterator[str]:
        """What is wrong with it: one sentence each, naming the setting and the fix (Law 1.6)."""
        for setting in ("access", "csrf"):
            name: object = getattr(self, setting)
            if not isinstance(name, str) or not name.startswith(_HOST) or not _TOKEN.fullmatch(name):
                yield f"{setting}: {name!r} is not the name of a cookie that begins with {_HOST}"
        if self.access == self.csrf:
            yield "csrf: is the cookie of the token; give the cookie of the CSRF value"
        header: object = self.csrf_header
        if not isinstance(header, str) or not _TOKEN.fullmatch(header):
            yield f"csrf_header: {header!r} is not the name of a header"
        origins: object = self.origins
        if not isinstance(origins, tuple):
            yield "origins: give a list such as ['https://app.example.com']"
            return
        for origin in cast("tuple[object, ...]", origins):
            if not _is_origin(origin):
                yield f"origins: {origin!r} is not an origin; write https://host, in lower case and without a path"

    def tokens(self, headers: HeaderPairs) -> list[str]:
        """What the cookie of the token holds, once for each time that it is sent."""
        return cookie_values(headers, self.access)

    def foreign(self, method: str, headers: HeaderPairs, *, reads: bool = False) -> str | None:
        """Why a request may come from a page of another site; None where it cannot.

        Args:
            method: Its method.
            headers: Its headers, names in lower case.
            reads: Whether it is one of those by which a page of another site could learn or do something although
                its method is safe.
        """
        if method not in _SAFE:
            return (
                None
                if self._is_confirmed(headers)
                else "the CSRF value is missing, or not that of the cookie"
            )
        if reads or values(
            headers, SEC_WEBSOCKET_VERSION
        ):  # which no page can leave out (RFC 6455 section 4.1)
            return (
                None if self._is_ours(headers) else "its Origin is missing, or none of those that are listed"
            )
        return None

    def _is_confirmed(self, headers: HeaderPairs) -> bool:
        kept, repeated = cookie_values(headers, self.csrf), values(headers, self.csrf_header.lower())
        return len(kept) == len(repeated) == 1 and kept[0] != "" and _is_same(kept[0], repeated[0])

    def _is_ours(self, headers: HeaderPairs) -> bool:
        found = values(headers, ORIGIN)
        return len(found) == 1 and found[0] in self.origins


def cookie_values(headers: HeaderPairs, name: str) -> list[str]:
    """Every value that the request carries under the name of a cookie, in order.

    HTTP/2 lets a client send its cookies in several headers (RFC 9113 section 8.2.3).
    """
    pairs = (pair.partition("=") for line in values(headers, COOKIE) for pair in line.split(";"))
    return [value.strip(" \t") for key, equals, value in pairs if equals and key.strip(" \t") == name]


def _is_same(one: str, other: str) -> bool:
    """Whether two texts are equal, in constant time (Law 2.5)."""
    first, second = (sha256(text.encode("utf-8", "surrogatepass")).digest() for text in (one, other))
    return hmac.compare_digest(first, second)


def _is_origin(origin: object) -> bool:
    """Whether it is written as browsers write one (RFC 6454 section 6.2)."""
    if not isinstance(origin, str):
        return False
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    default = {"https": 443, "http": 80}.get(parts.scheme)
    written = f"{parts.scheme}://{shown}" + ("" if port is None else f":{port}")
    # A wildcard is no origin that a browser sends, so it would let no page in.
    return (
        bool(host)
        and "*" not in host
        and default is not None
        and port != default
        and origin == written
        and origin.isascii()
    )
