"""Key sets as issuers publish them: usable keys of safe sizes, or none (Laws 3.2, 3.11, 4.8)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from authgate_core.jose.keys import UnusableKeys, read_key_set
from authgate_core.jose.signature import DEFAULT_ALGORITHMS, HMAC_ALGORITHMS, KNOWN_ALGORITHMS
from authgate_core.testing import TokenMint
from authgate_core.testing.attacks.documents import Misfits

from ..honest import MINT
from ..target import hold

__all__ = ["probe", "seeds"]

_SECRET: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_ALLOWED: Final = DEFAULT_ALGORITHMS | {"Ed25519"}


def probe(data: bytes) -> None:
    """Of whatever is published, only keys that fit are taken, and never a secret one."""
    try:
        found = read_key_set(data, KNOWN_ALGORITHMS)
    except UnusableKeys:
        return
    public = [jwk for jwk in json.loads(data)["keys"] if isinstance(jwk, dict) and _SECRET.isdisjoint(jwk)]
    hold("every key is a public one of the document", kept=1 <= len(found.keys) <= len(public) <= 100)
    for key in found.keys.keys:
        hold("no key is a shared secret", kept=not isinstance(key.material, bytes))
        hold(
            "a key verifies something, and never HMAC",
            kept=bool(key.algorithms) and key.algorithms <= _ALLOWED,
        )
        hold("no key of a document answers to every kid", kept=not key.answers_any_kid)
        if isinstance(key.material, RSAPublicKey):
            hold("RSA has 2048 to 8192 bits", kept=2048 <= key.material.key_size <= 8192)
        for alg in key.algorithms:
            hold("a signature of nothing does not verify", kept=not key.verifies(alg, data, b"\x00" * 64))
        hold(
            "no key verifies HMAC",
            kept=not any(key.verifies(alg, data, b"\x00" * 32) for alg in HMAC_ALGORITHMS),
        )


def seeds() -> Iterator[bytes]:
    """The key set of an issuer, and each key that is unfit in a way of its own."""
    yield json.dumps(MINT.jwks()).encode()
    for jwk in Misfits.of(TokenMint(MINT.url)).document["keys"]:
        yield json.dumps({"keys": [jwk]}).encode()
    yield b'{"keys":[]}'
