"""What an issuer answers when it is not itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from authgate_core.testing import FakeIssuer
from authgate_core.testing.served import Served

from .bodies import Dripping, Endless, Large, packed

__all__ = [
    "BAD_DOCUMENTS",
    "BAD_KEYS",
    "Misbehave",
    "bomb",
    "dripping",
    "endless",
    "gone",
    "large",
    "send_bomb",
    "send_endless",
    "send_large",
    "slow",
    "truncated",
]

Misbehave: TypeAlias = Callable[[FakeIssuer], object]

LARGE: Final = 10 * 1024 * 1024
BOMB: Final = 50 * 1024 * 1024

BAD_KEYS: Final = [
    {"kty": "oct", "k": "c2VjcmV0", "kid": "shared-secret"},
    {"kty": "RSA", "n": "!", "e": "AQAB", "kid": "no-number"},
    {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "off-the-curve"},
    {"kty": "XYZ", "kid": "unknown-type"},
    7,
]

BAD_DOCUMENTS: Final = [
    b"",
    b"null",
    b"[]",
    b"}{",
    b'{"keys":null}',
    b'{"keys":{}}',
    b'{"keys":[NaN]}',
    b'{"keys":[7,null,[]]}',
    b'{"keys":[{"kty":["RSA"],"kid":{}}]}',
    b'{"keys":[{"kty":"\\ud800"}]}',
    b'{"keys":[],"keys":[]}',
    b'{"keys":[{"kty":"x"}' + b',{"kty":"x"}' * 20_000 + b"]}",
    b'{"keys":[{"kty":"RSA","e":' + b"9" * 400_000 + b"}]}",
    b'{"keys":[{"kty":"RSA","e":"AQAB","n":"' + b"w" * 400_000 + b'"}]}',
    b'{"keys":' * 50_000,
    b"[" * 500_000,
    "{}".encode("utf-16"),
    b"\xff\xfe",
]


def endless(issuer: FakeIssuer) -> None:
    """A document without end."""
    send_endless(issuer, issuer.jwks())


def send_endless(served: Served, document: object, status: int = 200) -> None:
    """``endless`` of any server's document."""
    served.answer(Endless(document), status=status)


def dripping(issuer: FakeIssuer) -> None:
    """A body a byte a second."""
    issuer.answer(Dripping(issuer.jwks()))


def large(issuer: FakeIssuer) -> None:
    """A right document of 10 MB."""
    send_large(issuer, issuer.jwks())


def send_large(served: Served, document: object, status: int = 200) -> None:
    """``large`` of any server's document."""
    _sized(served, Large(document, LARGE), LARGE, status)


def truncated(issuer: FakeIssuer) -> None:
    """A document that ends before it should."""
    document = json.dumps(issuer.jwks()).encode()
    _sized(issuer, Large(issuer.jwks(), len(document)), len(document) + 100)


def _sized(served: Served, body: Iterable[bytes], size: int, status: int = 200) -> None:
    served.answer(body, status=status, headers=[("Content-Length", str(size))])


def bomb(issuer: FakeIssuer) -> None:
    """A document that is unpacked to fifty times the memory that it took to send."""
    send_bomb(issuer, issuer.jwks())


def send_bomb(served: Served, document: object, status: int = 200) -> None:
    """``bomb`` of any server's document."""
    served.answer(packed(document, BOMB), status=status, headers=[("Content-Encoding", "gzip")])


def slow(served: Served) -> None:
    """Nothing for half a minute."""
    served.slow(30)


def gone(issuer: FakeIssuer) -> None:
    """404."""
    issuer.outage(404)
