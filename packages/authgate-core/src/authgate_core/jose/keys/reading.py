"""Reads keys from JWK sets, PEM and shared secrets, and takes none that Law 3.2 would not use."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key
from jwt.exceptions import InvalidKeyError

from ...errors import MalformedToken
from ...secret import Secret
from ..compact import Json, Limits, decode_segment, parse_object
from ..signature import ALGORITHMS, fitting, is_allowed
from .keyset import Key, KeySet

__all__ = ["KeyDocument", "UnusableKeys", "key_from_jwk", "key_from_pem", "key_from_secret", "read_key_set"]

_MAX_KEYS: Final = 100
_RSA_BITS: Final = range(2048, 8193)
# The order of the subgroup that 65537 generates modulo each prime, where it is not the whole group.
_ROCA_PRIMES: Final = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
_ROCA_ORDERS: Final = (2, 6, 8, 9, 3, 26, 20, 35, 24, 13, 6, 51, 53, 54, 42, 50, 78)
_CURVES: Final = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_MEMBERS: Final = {"RSA": ("n", "e"), "EC": ("x", "y"), "OKP": ("x",)}
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})
_LIMITS: Final = Limits()
_FROM_BASE64URL: Final = bytes.maketrans(b"-_", b"+/")


class UnusableKeys(Exception):
    """There is nothing here to verify with.

    Args:
        reason: Why, fit for a log line and for a configuration error; holds no key material.
        empty: Whether it is a valid document with an empty list, which is a definite answer (Law 4.4).
    """

    def __init__(self, reason: str, *, empty: bool = False) -> None:
        super().__init__(reason)
        self.empty = empty


@dataclass(frozen=True, slots=True)
class KeyDocument:
    """A key set that was read, and what the operator should know of it.

    Args:
        keys: Holds at least one key.
        warnings: One sentence for each entry that was left out for a reason worth mending.
    """

    keys: KeySet
    warnings: tuple[str, ...] = ()


class _Skipped(Exception):
    """A key that is not used; the text continues "it ..."."""


class _Unrelated(_Skipped):
    """As above, but nothing is wrong: a key for encryption, or for an algorithm that is not allowed."""


def read_key_set(body: bytes | Mapping[str, Any], algorithms: frozenset[str]) -> KeyDocument:
    """Read a JWK set (RFC 7517 section 5); one bad key does not spoil the others (Law 4.8).

    Args:
        body: The document, as JSON or already parsed.
        algorithms: The allow-list.

    Raises:
        UnusableKeys: If it is no JWK set, has more than 100 keys, or none that is usable.
    """
    keys: list[Key] = []
    reasons: list[str] = []
    warnings: list[str] = []
    for number, entry in enumerate(_entries(body), 1):
        try:
            keys.append(_read_jwk(entry, algorithms))
        except _Skipped as skipped:
            reasons.append(f"key {number} {skipped}")
            if not isinstance(skipped, _Unrelated):
                warnings.append(f"key {number} of the JWK set is ignored: it {skipped}")
    if not keys:
        raise UnusableKeys(f"the JWK set has no usable key: {', '.join(reasons[:3])}")
    return KeyDocument(KeySet(keys), tuple(warnings))


def key_from_jwk(jwk: Mapping[str, Any], algorithms: frozenset[str]) -> Key:
    """Read one public key (RFC 7517 section 4).

    Args:
        jwk: The key; Any because it is JSON.
        algorithms: The allow-list.

    Raises:
        UnusableKeys: If it is private, symmetric, no key, or fits none of the algorithms.
    """
    try:
        return _read_jwk(dict(jwk), algorithms)
    except _Skipped as skipped:
        raise UnusableKeys(str(skipped)) from None


def key_from_pem(pem: str | bytes, algorithms: frozenset[str], kid: str | None = None) -> Key:
    """Read a public key from PEM.

    Args:
        pem: The text (SubjectPublicKeyInfo or PKCS#1).
        algorithms: The allow-list.
        kid: Its name; without one it answers to every ``kid``, for nothing says which is its own.

    Raises:
        UnusableKeys: If it is no public key, of the wrong size, or fits none of the algorithms.
    """
    data = pem.encode("utf-8", "replace") if isinstance(pem, str) else pem
    if b"PRIVATE KEY-----" in data:
        raise UnusableKeys("is a private key; only the public key belongs here")
    try:
        return _key(load_pem_public_key(data), algorithms, kid, answers_any_kid=kid is None)
    except (ValueError, UnsupportedAlgorithm):
        raise UnusableKeys("is not a public key in PEM") from None
    except _Skipped as skipped:
        raise UnusableKeys(str(skipped)) from None


def key_from_secret(secret: Secret | bytes, algorithms: frozenset[str], kid: str | None = None) -> Key:
    """Make a key of a shared secret, for HMAC (Law 3.2).

    Args:
        secret: Text, whose UTF-8 bytes are the key, or the bytes themselves.
        algorithms: The allow-list.
        kid: Its name; without one it answers to every ``kid``.

    Raises:
        UnusableKeys: If it is shorter than the hash of each allowed algorithm (RFC 7518 section 3.2), is a
            public key or certificate in disguise, or no HMAC algorithm is allowed.
    """
    data = secret.reveal().encode("utf-8", "surrogatepass") if isinstance(secret, Secret) else secret
    sizes = {name: ALGORITHMS[name].secret_size for name in fitting("oct", None, algorithms)}
    if not sizes:
        raise UnusableKeys("is a shared secret, and none of the allowed algorithms uses one")
    usable = frozenset(name for name, size in sizes.items() if len(data) >= size)
    if not usable:
        raise UnusableKeys(f"is a secret of {len(data)} bytes; {min(sizes.values())} are the least")
    try:
        # Everyone knows a public key: PyJWT refuses each of its usual forms (CVE-2022-29217, CVE-2026-48526).
        ALGORITHMS[min(usable)].implementation.prepare_key(data)
        is_known = b"-----BEGIN " in data or _is_bare_public_key(data)
    except InvalidKeyError:
        is_known = True
    if is_known:
        raise UnusableKeys("is a public key or certificate, which is no secret")
    return Key(kid, "oct", None, usable, data, answers_any_kid=kid is None)


def _is_bare_public_key(data: bytes) -> bool:
    """Whether it is a public key in base64 without a frame, as the pages of providers show one to be copied."""
    text = b"".join(data.split()).rstrip(b"=").translate(_FROM_BASE64URL)
    try:
        load_der_public_key(binascii.a2b_base64(text + b"=" * (-len(text) % 4), strict_mode=True))
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True


def _entries(body: bytes | Mapping[str, Any]) -> list[Json]:
    if isinstance(body, bytes):
        try:
            body = parse_object(body, _LIMITS)
        except MalformedToken as error:
            raise UnusableKeys(f"is no JWK set: {error.reason}") from None
    entries: Json = body.get("keys")
    if not isinstance(entries, list):
        raise UnusableKeys("is no JWK set: it has no list of keys")
    if not entries:
        raise UnusableKeys("is an empty JWK set", empty=True)
    if len(entries) > _MAX_KEYS:
        raise UnusableKeys(f"is a JWK set of {len(entries)} keys, more than {_MAX_KEYS}")
    return entries


def _read_jwk(jwk: Json, algorithms: frozenset[str]) -> Key:
    if not isinstance(jwk, dict):
        raise _Skipped("is not an object")
    kty, kid, crv = (_text(jwk, name) for name in ("kty", "kid", "crv"))
    if kty == "oct":
        raise _Skipped("is symmetric; a shared secret does not belong in a document")
    if not _PRIVATE.isdisjoint(jwk):
        raise _Skipped("is private; whoever can read the document can sign tokens")
    if kty not in _MEMBERS:
        raise _Unrelated("is of a type that is not known here")
    usable = _usable(jwk, fitting(kty, None if kty == "RSA" else crv, algorithms))
    members = {name: _base64url(jwk, name) for name in _MEMBERS[kty]}
    try:
        material = ALGORITHMS[min(usable)].implementation.from_jwk({"kty": kty, "crv": crv, **members})
    except (InvalidKeyError, ValueError, UnsupportedAlgorithm):
        raise _Skipped(f"is not a valid {kty} key") from None
    return _key(material, usable, kid)


def _usable(jwk: Mapping[str, Json], candidates: frozenset[str]) -> frozenset[str]:
    """What ``use``, ``key_ops`` and ``alg`` leave of the algorithms that fit the key's type (Law 3.2)."""
    use, alg, operations = _text(jwk, "use"), _text(jwk, "alg"), jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list):
        raise _Skipped("has key_ops that are no list")
    if use not in {None, "sig"} or "verify" not in operations:
        raise _Unrelated("is not for signatures")
    if alg is not None:
        candidates = frozenset(name for name in candidates if is_allowed(name, frozenset({alg})))
    if not candidates:
        raise _Unrelated("fits none of the allowed algorithms")
    return candidates


def _key(
    material: object, algorithms: frozenset[str], kid: str | None, *, answers_any_kid: bool = False
) -> Key:
    crv: str | None
    match material:
        case RSAPublicKey():
            kty, crv = "RSA", None
            _check_rsa(material)
        case EllipticCurvePublicKey():
            kty, crv = "EC", _CURVES.get(material.curve.name, material.curve.name)
        case Ed25519PublicKey():
            kty, crv = "OKP", "Ed25519"
        case _:
            raise _Skipped("is of a type that is not known here")
    usable = fitting(kty, crv, algorithms)
    if not usable:
        raise _Skipped(f"is a key for {crv or kty}, and none of the allowed algorithms uses one")
    return Key(kid, kty, crv, usable, material, answers_any_kid)


def _check_rsa(key: RSAPublicKey) -> None:
    if key.key_size not in _RSA_BITS:
        raise _Skipped(f"is an RSA key of {key.key_size} bits; from 2048 to 8192 are used")
    modulus = key.public_numbers().n
    if all(pow(modulus, *test) == 1 for test in zip(_ROCA_ORDERS, _ROCA_PRIMES, strict=True)):
        # CVE-2017-15361: such moduli can be factored; of other keys one in 250 million looks like that.
        raise _Skipped("is an RSA key with the ROCA weakness; anyone may have its private half")


def _text(jwk: Mapping[str, Json], name: str) -> str | None:
    value = jwk.get(name)
    if value is not None and not isinstance(value, str):
        raise _Skipped(f"has a {name} that is no string")
    return value


def _base64url(jwk: Mapping[str, Json], name: str) -> str:
    value = _text(jwk, name) or ""
    try:
        decode_segment(value)
    except MalformedToken:
        raise _Skipped(f"has a {name} that is not base64url") from None
    return value
