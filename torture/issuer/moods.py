"""What an issuer answers when it is not itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from authgate_core.testing import FakeIssuer

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
    issuer.answer(Endless(issuer.jwks()))


def dripping(issuer: FakeIssuer) -> None:
    """A body a byte a second."""
    issuer.answer(Dripping(issuer.jwks()))


def large(issuer: FakeIssuer) -> None:
    """A right document of 10 MB."""
    _sized(issuer, Large(issuer.jwks(), LARGE), LARGE)


def truncated(issuer: FakeIssuer) -> None:
    """A document that ends before it should."""
    document = json.dumps(issuer.jwks()).encode()
    _sized(issuer, Large(issuer.jwks(), len(document)), len(document) + 100)


def _sized(issuer: FakeIssuer, body: Iterable[bytes], size: int) -> None:
    issuer.answer(body, headers=[("Content-Length", str(size))])


def bomb(issuer: FakeIssuer) -> None:
    """A document that is unpacked to fifty times the memory that it took to send."""
    issuer.answer(packed(issuer.jwks(), BOMB), headers=[("Content-Encoding", "gzip")])


def slow(issuer: FakeIssuer) -> None:
    """Nothing for half a minute."""
    issuer.slow(30)


def gone(issuer: FakeIssuer) -> None:
    """404."""
    issuer.outage(404)
