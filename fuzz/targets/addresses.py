"""URLs, written by an operator or an issuer: asked as they were checked, or not at all (Laws 3.11, 4.9, 5.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn
from urllib.parse import urlsplit

import httpx2

import authgate_core as ag
from authgate_core.errors import AuthUnavailable
from authgate_core.io.http import SafeHttp
from authgate_core.io.redis.sockets import connections_to
from authgate_core.request import HttpRequest, masked, url_problems

from ..target import hold

__all__ = ["probe", "seeds"]


class _Unconnected(SafeHttp):
    """Goes as far as one goes without a connection."""

    def _exchange(self, _request: HttpRequest, _url: httpx2.URL, host: str, _timeout: float) -> NoReturn:
        raise _Asked(host)


class _Asked(Exception):
    """A host would be asked now."""


def probe(data: bytes) -> None:
    """One text, as the URL of an issuer, of what the gate asks, of a proxy and of a Redis server."""
    url = data.decode("utf-8", "surrogateescape")
    is_fit = not [*url_problems("jwks_url", url, plain_http=False)]
    if is_fit:
        hold(
            "only TLS, or this machine",
            kept=urlsplit(url).scheme == "https" or _is_here(urlsplit(url).hostname),
        )
    if "5" not in url:  # a second password of the same spelling would be a path
        hold("a password is masked", kept="pa55word" not in masked(f"https://user:pa55word@{url}"))
        spec = ag.RedisRevocation(f"redis://user:pa55word@{url}")
        hold("a password is masked in repr", kept="pa55word" not in repr(spec))
    try:
        _Unconnected().send(HttpRequest("GET", url))
    except AuthUnavailable:
        pass
    except _Asked as asked:
        secure = url.lower().startswith("https:")
        hold("without TLS only this machine is asked", kept=secure or _is_here(str(asked)))
    _of_redis(url)


def _is_here(host: str | None) -> bool:
    return host is not None and (host == "localhost" or host.startswith("127.") or ":" in host)


def _of_redis(url: str) -> None:
    spec = ag.RedisRevocation(url)
    if not spec.problems("sync") and not url.startswith(
        "rediss"
    ):  # whose files are read when connections are made
        connections_to(url)()


def seeds() -> Iterator[bytes]:
    """URLs that are right, and nearly so."""
    yield from (
        b"https://id.test/keys",
        b"http://127.0.0.1:8080/x?y#z",
        b"http://[::1]:80/",
        b"http://localhost.evil.test/",
        b"http://127.0.0.1@evil.test/",
        b"https://id.test:0/",
        b"https://\xc3\xa9.test/",
        b"file:///etc/passwd",
        b"redis://user:pa55word@localhost:6379/0?db=1&client_name=x",
        b"rediss://localhost:6379?ssl_ca_certs=/x",
        b"unix:///run/valkey.sock?db=2",
        b"redis://localhost:99999/x",
        b"redis://[::1]:6379/15",
    )
