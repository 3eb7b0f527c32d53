"""The one way from a token to claims that may be believed."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

from ..clock import Instant
from ..errors import AlgorithmRefused, BadSignature, UnknownKey
from .claims import TokenRules, check_claims, check_header
from .compact import Header, Limits, Parts, parse_header, split
from .keys import Key, KeySet
from .signature import is_allowed

__all__ = [
    "VerifiedClaims",
    "VouchedClaims",
    "check_signature",
    "verify",
    "verify_signature",
    "verify_with",
    "vouch",
]

_LIMITS: Final = Limits()
_new: Final = cast("Callable[[type[VerifiedClaims], tuple[object, ...]], VerifiedClaims]", tuple.__new__)
"""Makes ``VerifiedClaims`` in a third of the time that its name takes: there is one for every token."""


class VerifiedClaims(NamedTuple):
    """Claims under a good signature that keep the issuer's rules; made by ``verify`` only.

    Args:
        claims: The whole payload.
        name: The ``jti``, or where there is none the SHA-256 of header.payload in hex; never of the
            signature, for an ECDSA signature has a second valid form (Law 5.9).
        has_jti: Whether ``name`` is a ``jti``.
        kid: The key that verified the token; of a key without a name, what the token called it.
        issued_at: ``iat``, Unix seconds.
        auth_time: ``auth_time``, Unix seconds.
        expires_at: ``exp``, Unix seconds.
        starts: The latest of the moments that must not lie ahead, Unix seconds.
        payload: What ``claims`` was read from.
        header: The header, as it was read.
        key: The key that verified the token.
    """

    claims: Mapping[str, Any]
    name: str
    has_jti: bool
    kid: str | None
    issued_at: float | None
    auth_time: float | None
    expires_at: float
    starts: float
    payload: bytes
    header: Header
    key: Key

    def __repr__(self) -> str:
        return f"VerifiedClaims(kid={self.kid!r}, expires_at={self.expires_at!r})"


class VouchedClaims(NamedTuple):
    """Claims that the issuer itself vouched for when it was asked, and that keep its rules; made here only.

    Args:
        claims: What the issuer said of the token.
        name: The ``jti``, or where there is none what names the token instead (Law 5.9).
        has_jti: Whether ``name`` is a ``jti``.
        issued_at: ``iat``, Unix seconds.
        auth_time: ``auth_time``, Unix seconds.
        expires_at: ``exp``, Unix seconds; infinite where the issuer does not say.
        payload: What ``claims`` can be read from once more.
        kid: None: no key of the issuer verified anything.
    """

    claims: Mapping[str, Any]
    name: str
    has_jti: bool
    issued_at: float | None
    auth_time: float | None
    expires_at: float
    payload: bytes
    kid: None = None

    def __repr__(self) -> str:
        return f"VouchedClaims(expires_at={self.expires_at!r})"


def vouch(
    claims: Mapping[str, Any], name: str, payload: bytes, rules: TokenRules, now: Instant
) -> VouchedClaims:
    """Check what an issuer said of a token by the rules that its tokens are checked by.

    Args:
        claims: What it said.
        name: What names the token where it has no ``jti``.
        payload: The same claims as JSON.
        rules: The issuer's.
        now: The moment to judge times by.

    Raises:
        InvalidClaim: If a claim is not what the rules ask for.
        TokenExpired: If nothing but its age is wrong with the token.
    """
    check_claims(claims, rules, now)
    jti = claims.get("jti")
    return VouchedClaims(
        claims,
        jti or name,
        jti is not None,
        claims.get("iat"),
        claims.get("auth_time"),
        claims["exp"],
        payload,
    )


def vouch_bearer(claims: Mapping[str, Any], name: str, payload: bytes) -> VouchedClaims:
    """What an issuer said of the bearer of a token, where it says nothing of the token: there is no date to judge.

    Args:
        claims: What it said.
        name: What names the token.
        payload: The same claims as JSON.
    """
    return VouchedClaims(
        claims, name, has_jti=False, issued_at=None, auth_time=None, expires_at=math.inf, payload=payload
    )


def verify(
    parts: Parts, header: Header, claims: dict[str, Any], keys: Sequence[Key], rules: TokenRules, now: Instant
) -> VerifiedClaims:
    """Check the header's terms, then the signature, then the claims.

    Args:
        parts: The token.
        header: What ``parse_header`` read from ``parts.header``.
        claims: What ``parse_object`` read from ``parts.payload``.
        keys: The keys to try, as ``KeySet.select`` gave them.
        rules: The issuer's.
        now: The moment to judge times by.

    Raises:
        AlgorithmRefused: If the algorithm is not on the allow-list.
        BadSignature: If none of the keys verifies the signature.
        InvalidClaim: If the header's type or a claim is not what the rules ask for.
        TokenExpired: If nothing but its age is wrong with the token.
    """
    check_header(header, rules)
    return _verified(parts, header, claims, _signer(parts, header.alg, keys), rules, now)


def verify_with(
    parts: Parts, header: Header, claims: dict[str, Any], key: Key, rules: TokenRules, now: Instant
) -> VerifiedClaims:
    """``verify`` for a header that was checked by these rules before, and the key that it was found to name.

    Raises:
        BadSignature: If the key does not verify the signature.
        InvalidClaim: If a claim is not what the rules ask for.
        TokenExpired: If nothing but its age is wrong with the token.
    """
    if not key.verifies(header.alg, parts.signing_input, parts.signature):
        raise _bad_signature(parts, 1)
    return _verified(parts, header, claims, key, rules, now)


def _verified(
    parts: Parts, header: Header, claims: dict[str, Any], key: Key, rules: TokenRules, now: Instant
) -> VerifiedClaims:
    """Check the claims of a token whose signature is this key's."""
    starts = check_claims(claims, rules, now)
    jti = claims.get("jti")
    return _new(
        VerifiedClaims,
        (
            claims,
            jti or hashlib.sha256(parts.signing_input).hexdigest(),
            jti is not None,
            header.kid if key.kid is None else key.kid,
            claims.get("iat"),
            claims.get("auth_time"),
            claims["exp"],
            starts,
            parts.payload,
            header,
            key,
        ),
    )


def verify_signature(token: str, keys: KeySet, algorithms: frozenset[str], limits: Limits = _LIMITS) -> bytes:
    """Check a signature alone and give the payload, whatever its bytes mean.

    Raises:
        MalformedToken: If it is not a strict compact JWS.
        AlgorithmRefused: If the algorithm is not on the allow-list or fits not exactly one key.
        UnknownKey: If no key has the token's ``kid``.
        BadSignature: If the signature does not verify.
    """
    parts = split(token, limits)
    header = parse_header(parts.header, limits)
    if not is_allowed(header.alg, algorithms):
        raise AlgorithmRefused("the header's alg is not on the allow-list")
    fitting = keys.select(header.kid, header.alg)
    if not fitting:
        if header.kid is not None and not keys.has_kid(header.kid):
            raise UnknownKey("no key has the header's kid")
        raise AlgorithmRefused("not exactly one key fits the header's kid and alg")
    _signer(parts, header.alg, fitting)
    return parts.payload


def check_signature(parts: Parts, header: Header, keys: Sequence[Key]) -> None:
    """Check a signature alone, with keys that were found for its header.

    Raises:
        BadSignature: If none of them verifies it.
    """
    _signer(parts, header.alg, keys)


def _signer(parts: Parts, alg: str, keys: Sequence[Key]) -> Key:
    for key in keys:
        if key.verifies(alg, parts.signing_input, parts.signature):
            return key
    raise _bad_signature(parts, len(keys))


def _bad_signature(parts: Parts, keys: int) -> BadSignature:
    return BadSignature(f"the signature of {len(parts.signature)} bytes does not verify with {keys} keys")
