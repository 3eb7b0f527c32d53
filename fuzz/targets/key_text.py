"""Keys as an operator writes them: PEM and shared secrets (Laws 3.2, 3.11)."""

from __future__ import annotations

from collections.abc import Iterator

from authgate_core.jose.keys import UnusableKeys, key_from_pem, key_from_secret
from authgate_core.jose.signature import DEFAULT_ALGORITHMS, HMAC_ALGORITHMS
from authgate_core.testing.attacks.confusion import key_forms

from ..honest import MINT
from ..target import hold

__all__ = ["probe", "seeds"]


def probe(data: bytes) -> None:
    """A public key is no secret, and a secret no public key."""
    try:
        public = key_from_pem(data, DEFAULT_ALGORITHMS)
    except UnusableKeys:
        public = None
    try:
        secret = key_from_secret(data, HMAC_ALGORITHMS)
    except UnusableKeys:
        secret = None
    hold("one text is not both", kept=public is None or secret is None)
    if public is not None:
        hold("a public key is no secret", kept=not isinstance(public.material, bytes))
    if secret is not None:
        hold("a secret is as long as its hash", kept=len(data) >= 32 and "HS256" in secret.algorithms)
        hold("no key frame is a secret", kept=b"-----BEGIN PUBLIC KEY-----" not in data)


def seeds() -> Iterator[bytes]:
    """Every form of a public key, and a secret."""
    yield from key_forms(MINT.key(), MINT.jwks()).values()
    yield b"a shared secret of 32 characters"
