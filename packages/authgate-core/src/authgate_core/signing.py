"""Signatures of the gate's own requests, by a secret that both ends share: what Mercury asks of its callers."""

from __future__ import annotations

import hashlib
import hmac
import string
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote, urlsplit

from .clock import Instant
from .headers import X_CONTENT_SHA256, X_SIGNATURE, X_TIMESTAMP
from .request import HttpRequest
from .secret import Secret

__all__ = ["RequestSigning", "base_url_problems"]

_NOT_IN_A_PATH: Final = '"<>#?`{}'
_IN_A_PATH: Final = "".join(mark for mark in string.punctuation if mark not in _NOT_IN_A_PATH)


@dataclass(frozen=True, slots=True)
class RequestSigning:
    """Signs requests: who answers them sees that they come from a service that holds the secret.

    The signature covers method, path, time and, where there is one, the body; neither host nor query.

    Args:
        secret: What both ends share; its UTF-8 bytes are the key.
    """

    secret: Secret

    def problems(self) -> list[str]:
        """What is wrong with it: one sentence, naming the setting and the fix (Law 1.6)."""
        secret: object = self.secret
        if not isinstance(secret, Secret):
            return [f"signing_secret: a {type(secret).__name__} is no secret; give a text, or a Secret"]
        if not secret.reveal().strip():
            return ["signing_secret: is empty; give the secret that Mercury shares with its services"]
        return []

    def signed(self, request: HttpRequest, now: Instant) -> HttpRequest:
        """The request with its time, its signature and, if it has a body, the body's digest as headers.

        Args:
            request: Without these headers, and with a path free of dot segments, which would be sent resolved.
            now: The moment of sending; its wall time is signed, in milliseconds.
        """
        timestamp = str(int(now.wall * 1000))
        message = f"{request.method}/{_path(request.url)}{timestamp}"
        added = [(X_TIMESTAMP, timestamp)]
        if request.body:
            digest = hashlib.sha256(request.body).hexdigest()
            message = f"{message}\n{digest}"
            added.append((X_CONTENT_SHA256, digest))
        added.append((X_SIGNATURE, self._signature(message)))
        return replace(request, headers=(*request.headers, *added))

    def _signature(self, message: str) -> str:
        key = self.secret.reveal().encode("utf-8", "surrogatepass")
        return hmac.new(key, message.encode(), hashlib.sha256).hexdigest()


def _path(url: str) -> str:
    """The path as it is sent, without its leading slash: what RFC 3986 does not allow there is escaped."""
    return quote(urlsplit(url).path, safe=_IN_A_PATH).removeprefix("/")


def base_url_problems(url: str) -> Iterator[str]:
    """What keeps addresses below a base URL from being signed as they are sent; said of one that is a URL."""
    if not url.isascii() or not url.isprintable() or set(url) & set(" ?#\\"):
        yield "base_url: holds a query, a fragment, or what no URL holds as it is; write https://host/path"
    elif {".", ".."} & set(url.split("/")):
        yield "base_url: holds a dot segment, which would be resolved after signing; write the path without it"
