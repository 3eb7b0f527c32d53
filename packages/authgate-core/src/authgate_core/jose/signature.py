"""The algorithms that exist for us, which keys they fit, and the verification itself (Law 3.2).

PyJWT's own table is never the allow-list: it holds ``none``, ES256K, the misspelt ES521 and Ed448 as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from jwt import PyJWS
from jwt.algorithms import Algorithm

__all__ = [
    "ALGORITHMS",
    "DEFAULT_ALGORITHMS",
    "HMAC_ALGORITHMS",
    "KNOWN_ALGORITHMS",
    "Check",
    "Material",
    "SignatureAlgorithm",
    "checker",
    "fitting",
    "is_allowed",
]

Material: TypeAlias = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey | bytes
"""A key, ready to verify with; bytes are a shared secret."""
Check: TypeAlias = Callable[[bytes, bytes], bool]
"""Whether the second is a good signature of the first."""


@dataclass(frozen=True, slots=True)
class SignatureAlgorithm:
    """An algorithm and the keys that it fits.

    Args:
        implementation: PyJWT's object for it, which reads keys and computes HMAC.
        kty: The type of its keys (RFC 7517 section 4.1).
        crv: Their curve, where the type has curves.
        secret_size: For HMAC the shortest secret, in bytes: the hash size (RFC 7518 section 3.2).
    """

    implementation: Algorithm
    kty: str
    crv: str | None
    secret_size: int


def _algorithm(
    name: str, kty: str, crv: str | None = None, *, pyjwt_name: str | None = None, secret_size: int = 0
) -> tuple[str, SignatureAlgorithm]:
    implementation = PyJWS().get_algorithm_by_name(pyjwt_name or name)
    return name, SignatureAlgorithm(implementation, kty, crv, secret_size)


ALGORITHMS: Final[Mapping[str, SignatureAlgorithm]] = dict(
    [
        *(_algorithm(name, "RSA") for name in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")),
        _algorithm("ES256", "EC", "P-256"),
        _algorithm("ES384", "EC", "P-384"),
        _algorithm("ES512", "EC", "P-521"),
        _algorithm("EdDSA", "OKP", "Ed25519"),
        _algorithm("Ed25519", "OKP", "Ed25519", pyjwt_name="EdDSA"),  # RFC 9864's name of the same algorithm
        _algorithm("HS256", "oct", secret_size=32),
        _algorithm("HS384", "oct", secret_size=48),
        _algorithm("HS512", "oct", secret_size=64),
    ]
)
"""Every algorithm that authgate knows, by its name in a header."""

# RFC 7518 section 3.1: what the digits of a name say.
_HASHES: Final[Mapping[str, SHA256 | SHA384 | SHA512]] = {"256": SHA256(), "384": SHA384(), "512": SHA512()}
# Law 3.11: a signature that the library cannot even look at is not a good one.
_NOT_GOOD: Final = (InvalidSignature, ValueError, UnsupportedAlgorithm, InternalError)
_ED25519: Final = frozenset({"EdDSA", "Ed25519"})

KNOWN_ALGORITHMS: Final = frozenset(ALGORITHMS)
"""What an allow-list may name."""

HMAC_ALGORITHMS: Final = frozenset({"HS256", "HS384", "HS512"})
"""Allowed only where a shared secret is configured."""

DEFAULT_ALGORITHMS: Final = KNOWN_ALGORITHMS - HMAC_ALGORITHMS - {"Ed25519"}
"""The allow-list where none is configured; ``EdDSA`` stands for both of its names."""


def is_allowed(alg: str, algorithms: frozenset[str]) -> bool:
    """Whether an allow-list accepts ``alg``: ``none`` never, and either name of EdDSA stands for both."""
    if alg in _ED25519:
        return not _ED25519.isdisjoint(algorithms)
    return alg in algorithms and alg in ALGORITHMS


def fitting(kty: str, crv: str | None, algorithms: frozenset[str]) -> frozenset[str]:
    """The algorithms of an allow-list that a key of this type and curve can verify."""
    return frozenset(
        name
        for name, algorithm in ALGORITHMS.items()
        if (algorithm.kty, algorithm.crv) == (kty, crv) and is_allowed(name, algorithms)
    )


def checker(material: Material, alg: str) -> Check:
    """What tells whether a signature is good; that the key fits the algorithm is for ``Key.verifies`` to know.

    Everything that does not depend on the token is done here, once for each key.
    """
    if isinstance(material, RSAPublicKey):
        return _rsa_checker(material, alg)
    if isinstance(material, EllipticCurvePublicKey):
        return _ecdsa_checker(material, alg)
    if isinstance(material, Ed25519PublicKey):
        return _ed25519_checker(material)
    return _hmac_checker(material, alg)


def _rsa_checker(key: RSAPublicKey, alg: str) -> Check:
    digest = _HASHES[alg[-3:]]
    padding = PKCS1v15() if alg.startswith("RS") else PSS(MGF1(digest), digest.digest_size)
    # RFC 8017 section 8.1.2: a signature is as long as the modulus; the library takes a PSS one without leading zeros.
    size = (key.key_size + 7) // 8
    verify = key.verify

    def is_valid(signing_input: bytes, signature: bytes) -> bool:
        if len(signature) != size:
            return False
        try:
            verify(signature, signing_input, padding, digest)
        except _NOT_GOOD:
            return False
        return True

    return is_valid


def _ecdsa_checker(key: EllipticCurvePublicKey, alg: str) -> Check:
    scheme = ECDSA(_HASHES[alg[-3:]])
    half = (key.curve.key_size + 7) // 8  # RFC 7518 section 3.4: R and S, each as long as the curve's order
    size = 2 * half
    verify = key.verify
    number = int.from_bytes

    def is_valid(signing_input: bytes, signature: bytes) -> bool:
        if len(signature) != size:
            return False
        try:
            der = encode_dss_signature(number(signature[:half], "big"), number(signature[half:], "big"))
            verify(der, signing_input, scheme)
        except _NOT_GOOD:
            return False
        return True

    return is_valid


def _ed25519_checker(key: Ed25519PublicKey) -> Check:
    verify = key.verify

    def is_valid(signing_input: bytes, signature: bytes) -> bool:
        try:
            verify(signature, signing_input)
        except _NOT_GOOD:
            return False
        return True

    return is_valid


def _hmac_checker(secret: bytes, alg: str) -> Check:
    implementation: Any = ALGORITHMS[alg].implementation

    def is_valid(signing_input: bytes, signature: bytes) -> bool:
        try:
            good: bool = implementation.verify(signing_input, secret, signature)
        except _NOT_GOOD:
            return False
        return good

    return is_valid
