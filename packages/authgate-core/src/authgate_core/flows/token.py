"""From a Bearer token to a user or service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..clock import Instant
from ..credentials import BearerToken
from ..effects import CheckRevoked, Flow
from ..errors import AuthgateError, InvalidClaim, TokenRevoked, UnknownIssuer
from ..jose.compact import Parts, split_object
from ..jose.verify import VerifiedClaims, verify_with
from ..principal import Service, User
from .keys import Door, find_keys
from .signatures import verify_parts
from .trust import Found, Trust, TrustedIssuer

__all__ = ["authenticate_token", "verify_token"]


class Opened(NamedTuple):
    """A token that was taken apart, with whom it claims to come from; nothing of it is believed.

    Args:
        parts: The token.
        claims: What was read from its payload.
        trusted: The issuer that it names.
        door: The way to the keys that it must be verified with.
    """

    parts: Parts
    claims: dict[str, Any]
    trusted: TrustedIssuer
    door: Door

    def __repr__(self) -> str:
        return f"Opened({self.parts!r} of {self.trusted.issuer.name!r})"


def authenticate_token(token: BearerToken, trust: Trust, now: Instant) -> Flow[User | Service]:
    """Verify a token, ask whether it was revoked, and say who it speaks of.

    What was found of it less than a minute ago and holds still is not verified again (Law 7.1). Only a yes is
    ever taken from memory: whatever speaks against a token is said by its verification.

    Raises:
        InvalidToken: Whatever is wrong with the token.
        AuthUnavailable: If its keys or its revocation could not be had.
    """
    digest = trust.digest(token)
    found = trust.recall(digest, now)
    if found is not None and not found.is_fresh(now):
        found = yield from _vouched_for(found, now)
    if found is None:
        opened = _verified_at_once(token, trust, now)
        found = opened if isinstance(opened, Found) else (yield from _verified(opened, trust, now))
        trust.keep(digest, found, now)
    answer = trust.known.known(found.ref)
    if answer == "clear":
        return found.principal
    with found.trusted.named:
        if answer == "revoked" or (yield from CheckRevoked(found.ref)):
            raise TokenRevoked("the token, or what it belongs to, was revoked")
    return found.principal


def _vouched_for(found: Found, now: Instant) -> Flow[Found | None]:
    """What was found, if its key set is there still and, asked as for any token, gives its key (Laws 4.3, 4.4)."""
    if not found.is_of_present_keys():
        return None
    with found.trusted.named:
        keys = yield from find_keys(found.header, found.door, now)
    return found if any(key is found.key for key in keys) else None


def _verified_at_once(token: BearerToken, trust: Trust, now: Instant) -> Found | Opened:
    """Verify a token; one whose keys have to be looked for is only opened."""
    parts, claims = split_object(token.value.reveal(), trust.limits)
    trusted = _issuer_of(claims, trust)
    try:
        door = trusted.ring or _door(trusted, claims, now)
        known = door.current().known(parts.header, now)
        if known is None:
            return Opened(parts, claims, trusted, door)
        # A key set is of one issuer, and so what it remembers was checked by these very rules (Laws 3.5, 3.12).
        header, key = known
        return _found_of(verify_with(parts, header, claims, key, trusted.rules, now), trusted, door, trust)
    except AuthgateError as error:
        trusted.named.name(error)
        raise


def _verified(opened: Opened, trust: Trust, now: Instant) -> Flow[Found]:
    parts, claims, trusted, door = opened
    with trusted.named:
        verified = yield from verify_parts(parts, claims, door, trusted.rules, trust.limits, now)
        return _found_of(verified, trusted, door, trust)


def _found_of(verified: VerifiedClaims, trusted: TrustedIssuer, door: Door, trust: Trust) -> Found:
    key, header = verified.key, verified.header
    principal, ref = trusted.issuer.identify(verified, trust.expand)
    keys = door.current().holding(key, header.kid)
    return Found(trusted, door, keys, key, header, verified.starts, principal, ref)


def verify_token(
    token: BearerToken, trust: Trust, now: Instant
) -> Flow[tuple[TrustedIssuer, VerifiedClaims]]:
    """Verify signature and claims, and nothing else; revocation is the caller's to ask."""
    parts, claims = split_object(token.value.reveal(), trust.limits)
    trusted = _issuer_of(claims, trust)
    with trusted.named:
        door = _door(trusted, claims, now)
        return trusted, (yield from verify_parts(parts, claims, door, trusted.rules, trust.limits, now))


def _door(trusted: TrustedIssuer, claims: Mapping[str, Any], now: Instant) -> Door:
    """The way to the keys that the token's tenant has, if it is served here (Law 3.12).

    Nothing is verified yet, so a tenant only chooses among what the configuration admits. The claims that choose
    are the very ones that the signature then covers: the tenant whose keys verified them is the one they name.
    """
    tenant = trusted.issuer.tenant(claims)
    if not trusted.serves(tenant, now):
        raise InvalidClaim("tenant", "is not one of those that are served here")
    return trusted.door(tenant)


def _issuer_of(claims: Mapping[str, Any], trust: Trust) -> TrustedIssuer:
    """Look up by the unverified ``iss``, which selects and proves nothing (Law 3.5)."""
    iss = claims.get("iss")
    trusted = trust.issuers.get(iss) if isinstance(iss, str) or "iss" not in claims else None
    if trusted is None:
        raise UnknownIssuer("no configured issuer has the iss of this token")
    return trusted
