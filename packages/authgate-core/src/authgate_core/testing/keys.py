"""Real signing keys for tests, lent to one owner at a time and reused where making one is slow."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from jwt.algorithms import Algorithm, get_default_algorithms

__all__ = ["SIGNERS", "SigningKey", "lease_key"]

PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_FAMILIES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    "ES256": "P-256",
    "ES384": "P-384",
    "ES512": "P-521",
    "EdDSA": "Ed25519",
    "Ed25519": "Ed25519",
}
_CURVES: Final[Mapping[str, type[ec.EllipticCurve]]] = {
    "P-256": ec.SECP256R1,
    "P-384": ec.SECP384R1,
    "P-521": ec.SECP521R1,
}


def _signers() -> Mapping[str, Algorithm]:
    known = get_default_algorithms()
    known["Ed25519"] = known["EdDSA"]  # RFC 9864: another name for what an Ed25519 key does
    return MappingProxyType({name: known[name] for name in (*_FAMILIES, "HS256", "HS384", "HS512")})


SIGNERS: Final = _signers()
"""PyJWT's algorithm object for each name that ``FakeIssuer`` can sign with."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and how it is published.

    Args:
        kid: Its name in the key set.
        algorithm: What it signs with unless told otherwise, and the ``alg`` of its JWK.
        private: The key itself.
    """

    kid: str
    algorithm: str
    private: PrivateKey = field(repr=False, compare=False)

    def fits(self, algorithm: str) -> bool:
        """Whether the key can sign with this algorithm."""
        return _FAMILIES.get(algorithm) == _FAMILIES[self.algorithm]

    def sign(self, message: bytes, algorithm: str) -> bytes:
        """The raw signature of the message (RFC 7515 section 5.1)."""
        signature: bytes = SIGNERS[algorithm].sign(message, self.private)
        return signature

    def jwk(self) -> dict[str, Any]:
        """The public key as a JWK (RFC 7517); Any because it is JSON."""
        public = SIGNERS[self.algorithm].to_jwk(self.private.public_key(), as_dict=True)
        public.pop("key_ops", None)  # RFC 7517 section 4.3: not together with "use"
        return {**public, "kid": self.kid, "use": "sig", "alg": self.algorithm}

    def public_pem(self) -> bytes:
        """The public key as PEM."""
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def private_pem(self) -> bytes:
        """The private key as PEM, for a client that signs."""
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class _Pool:
    """RSA keys are slow to make, so each is lent to one owner at a time and comes back when that is gone."""

    def __init__(self) -> None:
        self._idle: list[rsa.RSAPrivateKey] = []
        self._lock = threading.Lock()

    def lease(self, owner: object) -> rsa.RSAPrivateKey:
        with self._lock:
            key = self._idle.pop() if self._idle else None
        if key is None:
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        # list.append and no lock: a finalizer may run in the middle of any line, the ones above included
        weakref.finalize(owner, self._idle.append, key).atexit = False
        return key


_POOL: Final = _Pool()


def lease_key(owner: object, kid: str, algorithm: str) -> SigningKey:
    """A key that no other living owner signs with.

    Args:
        owner: Whose it is; once that is collected, an RSA key may be lent to another.
        kid: Its name in the key set.
        algorithm: What it signs with.

    Raises:
        ValueError: If the algorithm is not an asymmetric one of ``SIGNERS``.
    """
    family = _FAMILIES.get(algorithm)
    if family is None:
        raise ValueError(f"{algorithm!r} is not one of {', '.join(_FAMILIES)}")
    return SigningKey(kid, algorithm, _make(owner, family))


def _make(owner: object, family: str) -> PrivateKey:
    if family == "RSA":
        return _POOL.lease(owner)
    if family == "Ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(_CURVES[family]())
