"""Private keys of this service's own, to sign with what it says of itself to others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.exceptions import InvalidKeyError

from ..signature import ALGORITHMS, DEFAULT_ALGORITHMS
from .reading import UnusableKeys

__all__ = ["PrivateKey", "private_key"]

_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_SMALLEST_RSA = 2048


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key that signs with one algorithm.

    Args:
        algorithm: The name of the algorithm.
        material: The key itself, as ``private_key`` read it.
    """

    algorithm: str
    material: RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """The signature of a message (RFC 7515 section 5.1)."""
        implementation: Any = ALGORITHMS[self.algorithm].implementation
        signature: bytes = implementation.sign(message, self.material)
        return signature


def private_key(material: str | bytes | Mapping[str, Any], algorithm: str) -> PrivateKey:
    """Read a private key.

    Args:
        material: A PEM without a password, or a JWK.
        algorithm: What it signs with; never HMAC.

    Raises:
        UnusableKeys: If it is no such key, too short, or none for the algorithm.
    """
    if algorithm not in DEFAULT_ALGORITHMS | {"Ed25519"}:
        raise UnusableKeys(f"{algorithm!r} is no algorithm that a private key signs with")
    key = _of_jwk(material, algorithm) if isinstance(material, Mapping) else _of_pem(material)
    if not isinstance(key, (RSAPrivateKey, EllipticCurvePrivateKey, Ed25519PrivateKey)):
        raise UnusableKeys("is no private key of RSA, of an elliptic curve or of Ed25519")
    expected = ALGORITHMS[algorithm]
    if _type_of(key) != (expected.kty, expected.crv):
        raise UnusableKeys(f"is of another type than {algorithm} signs with")
    if isinstance(key, RSAPrivateKey) and key.key_size < _SMALLEST_RSA:
        raise UnusableKeys(f"has {key.key_size} bits; RSA needs at least {_SMALLEST_RSA}")
    return PrivateKey(algorithm, key)


def _of_jwk(jwk: Mapping[str, Any], algorithm: str) -> object:
    implementation: Any = ALGORITHMS[algorithm].implementation
    try:
        return implementation.from_jwk(dict(jwk))
    except (InvalidKeyError, ValueError, TypeError, KeyError):
        # The original error may quote the key (Law 2.5).
        raise UnusableKeys(f"is no JWK that {algorithm} signs with") from None


def _of_pem(pem: str | bytes) -> object:
    try:
        return load_pem_private_key(pem.encode() if isinstance(pem, str) else pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UnusableKeys("is no private key in PEM without a password") from None


def _type_of(key: RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey) -> tuple[str, str | None]:
    if isinstance(key, RSAPrivateKey):
        return "RSA", None
    if isinstance(key, EllipticCurvePrivateKey):
        return "EC", _CURVES.get(key.curve.name)
    return "OKP", "Ed25519"
