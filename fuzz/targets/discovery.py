"""What an issuer answers when it is asked for its keys: status, headers, discovery document (Laws 3.11, 4.4, 4.9)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from authgate_core.flows.keys import Refreshed, RefreshFailed, refresh
from authgate_core.jose.signature import DEFAULT_ALGORITHMS
from authgate_core.keyring import KeySource, KeyTimes
from authgate_core.request import HttpReply

from ..honest import MINT
from ..target import hold

__all__ = ["probe", "seeds"]

_URL: Final = "https://id.test"
_SOURCE: Final = KeySource(
    algorithms=DEFAULT_ALGORITHMS, discovery_url=f"{_URL}/.well-known/openid-configuration", issuer=_URL
)
_STATUSES: Final = (200, 200, 200, 200, 204, 302, 401, 404, 410, 429, 500, 503)


def probe(data: bytes) -> None:
    """The first byte chooses a status, the first line is a header, and the rest is the body."""
    status = _STATUSES[data[0] % len(_STATUSES)] if data else 200
    head, _, body = data[1:].partition(b"\n")
    value = head.decode("latin-1")
    answer = HttpReply(status, {"cache-control": value, "retry-after": value}, body)
    flow = refresh(_SOURCE)
    next(flow)
    try:
        asked = flow.send(answer)
    except RefreshFailed as failed:
        hold("a pause is no less than none", kept=failed.retry_after >= 0)
        return
    document = json.loads(body)
    hold("only a success is read", kept=status == 200)
    hold("the document is the issuer's own", kept=document["issuer"] == _URL)
    url = asked.request.url
    hold("keys are fetched over TLS, from where it says", kept=url == document["jwks_uri"] and _is_safe(url))
    try:
        flow.send(HttpReply(200, {"cache-control": value}, json.dumps(MINT.jwks()).encode()))
    except StopIteration as done:
        found: Refreshed = done.value
        hold("a key set is fresh for 1 to 15 minutes", kept=60 <= KeyTimes().ttl(found.max_age) <= 900)


def _is_safe(url: str) -> bool:
    return url.lower().startswith("https:")


def seeds() -> Iterator[bytes]:
    """Documents that are right, and nearly so, after headers that are."""
    right = {"issuer": _URL, "jwks_uri": f"{_URL}/keys"}
    for changes in ({}, {"issuer": f"{_URL}/"}, {"jwks_uri": "http://id.test/keys"}, {"jwks_uri": None}):
        for head in (b"max-age=600", b'public, max-age="60"', b"no-store", b"120", b"max-age=-1"):
            yield b"\x00" + head + b"\n" + json.dumps({**right, **changes}).encode()
    for number in range(4, len(_STATUSES)):
        yield bytes([number]) + b"30\n"
