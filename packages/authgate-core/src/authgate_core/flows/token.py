"""From a Bearer token to a user or service."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..clock import Instant
from ..credentials import BEARER, SCHEMES, BearerToken
from ..effects import Flow
from ..errors import AuthgateError, BadSignature, TokenRevoked, UnknownIssuer
from ..issuer import Issuer
from ..jose.claims import TokenRules, check_header
from ..jose.compact import Header, Limits, Parts, parse_header, parse_object, split
from ..jose.keys import Key
from ..jose.verify import VerifiedClaims, verify
from ..keyring import KeyRing
from ..principal import Service, User
from .keys import find_keys, find_newer_keys
from .revoked import Known, check_revoked

__all__ = ["Trust", "TrustedIssuer", "authenticate_token", "verify_token"]


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """An issuer with its rules and keys: bound together, and never mixed with another's (Law 3.5).

    Args:
        issuer: What was configured.
        rules: What its tokens must be.
        ring: Its keys.
    """

    issuer: Issuer
    rules: TokenRules
    ring: KeyRing


@dataclass(frozen=True, slots=True)
class Trust:
    """Everything that the verification of tokens depends on.

    Args:
        issuers: By exact ``iss``; None for the one whose tokens have none.
        limits: Sizes (Law 2.4).
        expand: Adds the roles that a hierarchy implies.
        known: The pure door to revocation.
    """

    issuers: Mapping[str | None, TrustedIssuer]
    limits: Limits
    expand: Callable[[tuple[str, ...]], frozenset[str]]
    known: Known


def authenticate_token(token: BearerToken, trust: Trust, now: Instant) -> Flow[User | Service]:
    """Verify a token, ask whether it was revoked, and say who it speaks of.

    Raises:
        InvalidToken: Whatever is wrong with the token.
        AuthUnavailable: If its keys or its revocation could not be had.
    """
    trusted, verified = yield from verify_token(token, trust, now)
    with _Named(trusted):
        principal = trusted.issuer.principal(verified, trust.expand)
        if (yield from check_revoked(trusted.issuer.token_ref(verified, principal), trust.known)):
            raise TokenRevoked("the token, or what it belongs to, was revoked")
    return principal


def verify_token(
    token: BearerToken, trust: Trust, now: Instant
) -> Flow[tuple[TrustedIssuer, VerifiedClaims]]:
    """Verify signature and claims, and nothing else; revocation is the caller's to ask."""
    parts = split(token.value.reveal(), trust.limits)
    claims = parse_object(parts.payload, trust.limits)
    trusted = _issuer_of(claims, trust)
    with _Named(trusted):
        known = trusted.ring.known(parts.header, now)
        if known is not None:
            header, key = known
            return trusted, verify(parts, header, claims, (key,), trusted.rules, now)
        header = parse_header(parts.header, trust.limits)
        check_header(header, trusted.rules)
        keys = yield from find_keys(header, trusted.ring, now)
        return trusted, (yield from _verify(parts, header, claims, keys, trusted, now))


def _verify(
    parts: Parts,
    header: Header,
    claims: dict[str, Any],
    keys: Sequence[Key],
    trusted: TrustedIssuer,
    now: Instant,
) -> Flow[VerifiedClaims]:
    try:
        verified = verify(parts, header, claims, keys, trusted.rules, now)
    except BadSignature:
        if header.kid is not None:
            raise
        # Law 3.4: without a kid, keys that do not fit may mean that the right one is not here yet.
        keys = yield from find_newer_keys(header, trusted.ring, tuple(keys), now)
        verified = verify(parts, header, claims, keys, trusted.rules, now)
    trusted.ring.remember(parts.header, header, keys[0])
    return verified


def _issuer_of(claims: Mapping[str, Any], trust: Trust) -> TrustedIssuer:
    """Look up by the unverified ``iss``, which selects and proves nothing (Law 3.5)."""
    iss = claims.get("iss")
    if iss is None and "iss" in claims:
        raise UnknownIssuer("iss is null")
    trusted = trust.issuers.get(iss) if iss is None or isinstance(iss, str) else None
    if trusted is None:
        raise UnknownIssuer("no configured issuer has the iss of this token")
    return trusted


class _Named:
    """Puts the scheme and the configured name of the issuer on the errors that leave the block."""

    __slots__ = ("_name",)

    def __init__(self, trusted: TrustedIssuer) -> None:
        self._name = trusted.issuer.name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, AuthgateError):
            error.issuer, error.scheme = self._name, SCHEMES[BEARER]
