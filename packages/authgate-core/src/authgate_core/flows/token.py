"""From a Bearer token to a user or service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from ..clock import Instant
from ..credentials import BearerToken
from ..effects import CheckRevoked, Flow
from ..errors import AuthgateError, InvalidClaim, TokenRevoked, UnknownIssuer, UserInactive
from ..jose.balancer import check_balancer
from ..jose.compact import Parts, may_be_signed, split_object
from ..jose.verify import VerifiedClaims, VouchedClaims, verify_with
from ..principal import Principal, Service, User
from .introspection import authenticate_vouched, vouched_claims
from .keys import Door, find_keys
from .sessions import check_session
from .signatures import verify_parts
from .trust import Found, Trust, TrustedIssuer

__all__ = ["authenticate_token", "begin_token", "issuer_of", "verify_token"]


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
    begun = begin_token(token, trust, now)
    return begun if isinstance(begun, Principal) else (yield from begun)


def begin_token(token: BearerToken, trust: Trust, now: Instant) -> User | Service | Flow[User | Service]:
    """``authenticate_token`` as far as nobody has to be asked, which is mostly to its end.

    Returns:
        Who the token speaks of; else what is left to do.

    Raises:
        InvalidToken: Whatever is wrong with the token.
        AuthUnavailable: If a validator of the application could not check it.
    """
    digest = None if trust.memory is None else trust.digest(token)
    found = None if digest is None else trust.recall(digest, now)
    if found is None:
        if trust.opaque is not None and not may_be_signed(token.value.reveal()):
            return authenticate_vouched(token, trust.opaque, trust, now)
        opened = _verified_at_once(token, trust, now)
        if isinstance(opened, Opened):
            return _rest(opened, token, digest, trust, now)
        found = opened
        if digest is not None:
            trust.keep(digest, found, now)
    elif not found.is_fresh(now):
        return _rest_of_remembered(found, token, digest, trust, now)
    answer = trust.known.known(found.ref)
    if answer == "clear" and found.is_active and found.sessions is None:
        return found.principal
    return _judged(found, answer, token, now)


def _rest(
    opened: Opened, token: BearerToken, digest: bytes | None, trust: Trust, now: Instant
) -> Flow[User | Service]:
    """Verify a token that was opened, or have its issuer say what it means."""
    parts, claims, trusted, door = opened
    if trusted.asks_about_jwts:
        return (yield from authenticate_vouched(token, trusted, trust, now))
    with trusted.named:
        verified = yield from verify_parts(parts, claims, door, trusted.rules, trust.limits, now)
        found = _found_of(verified, trusted, door, trust)
    trust.keep(digest, found, now)
    return (yield from _judged(found, trust.known.known(found.ref), token, now))


def _rest_of_remembered(
    found: Found, token: BearerToken, digest: bytes | None, trust: Trust, now: Instant
) -> Flow[User | Service]:
    """Go on with what is remembered of a token whose key set is due for a refresh, or verify the token anew."""
    if not (yield from _is_vouched_for(found, now)):
        opened = _verified_at_once(token, trust, now)
        if isinstance(opened, Opened):
            return (yield from _rest(opened, token, digest, trust, now))
        found = opened
        trust.keep(digest, found, now)
    return (yield from _judged(found, trust.known.known(found.ref), token, now))


def _judged(
    found: Found, answer: Literal["revoked", "clear", "ask"], token: BearerToken, now: Instant
) -> Flow[User | Service]:
    with found.trusted.named:
        if answer == "revoked" or (answer == "ask" and (yield from CheckRevoked(found.ref))):
            raise TokenRevoked("the token, or what it belongs to, was revoked")
        if not found.is_active:
            raise UserInactive("the issuer says that the user is not active")
        if found.sessions is not None:
            yield from check_session(found.sessions, token, now)
    return found.principal


def _is_vouched_for(found: Found, now: Instant) -> Flow[bool]:
    """Whether the key set is there still and, asked as for any token, gives the key (Laws 4.3, 4.4)."""
    if not found.is_of_present_keys():
        return False
    with found.trusted.named:
        keys = yield from find_keys(found.header, found.door, now)
    return any(key is found.key for key in keys)


def _verified_at_once(token: BearerToken, trust: Trust, now: Instant) -> Found | Opened:
    """Verify a token; one whose keys have to be looked for is only opened."""
    parts, claims = split_object(token.value.reveal(), trust.limits)
    named = None if trust.balancer is None else _key_of(parts, claims, trust)
    trusted = issuer_of(claims, trust)
    try:
        door = trusted.ring or _door(trusted, claims, named, now)
        known = None if trusted.asks_about_jwts else door.current().known(parts.header, now)
        if known is None:
            return Opened(parts, claims, trusted, door)
        # A key set is of one issuer, and so what it remembers was checked by these very rules (Laws 3.5, 3.12).
        header, key = known
        return _found_of(verify_with(parts, header, claims, key, trusted.rules, now), trusted, door, trust)
    except AuthgateError as error:
        trusted.named.name(error)
        raise


def _found_of(verified: VerifiedClaims, trusted: TrustedIssuer, door: Door, trust: Trust) -> Found:
    key, header = verified.key, verified.header
    principal, ref = trusted.issuer.identify(verified, trust.expand)
    keys = door.current().holding(key, header.kid)
    active = trusted.issuer.is_active(verified.claims)
    return Found(trusted, door, keys, key, header, verified.starts, principal, ref, active)


def verify_token(
    token: BearerToken, trust: Trust, now: Instant
) -> Flow[tuple[TrustedIssuer, VerifiedClaims | VouchedClaims]]:
    """Verify signature and claims, and nothing else; revocation is the caller's to ask.

    An issuer without keys is asked instead.
    """
    parts, claims = split_object(token.value.reveal(), trust.limits)
    named = _key_of(parts, claims, trust)
    trusted = issuer_of(claims, trust)
    with trusted.named:
        if trusted.apex is not None:
            return trusted, (yield from vouched_claims(token, trusted, now))
        door = _door(trusted, claims, named, now)
        return trusted, (yield from verify_parts(parts, claims, door, trusted.rules, trust.limits, now))


def _key_of(parts: Parts, claims: dict[str, Any], trust: Trust) -> str | None:
    """The one key that the token of a load balancer names, each of which is published apart; None for other tokens."""
    rules = trust.balancer
    return None if rules is None else check_balancer(parts.header, claims, rules, trust.limits)


def _door(trusted: TrustedIssuer, claims: Mapping[str, Any], key: str | None, now: Instant) -> Door:
    """The way to the keys that the token's tenant has, if it is served here (Law 3.12); or to the one key it names.

    Nothing is verified yet, so a tenant only chooses among what the configuration admits. The claims that choose
    are the very ones that the signature then covers: the tenant whose keys verified them is the one they name.
    """
    if key is not None:
        return trusted.door(key)
    tenant = trusted.issuer.tenant(claims)
    if not trusted.serves(tenant, now):
        raise InvalidClaim("tenant", "is not one of those that are served here")
    return trusted.door(tenant)


def issuer_of(claims: Mapping[str, Any], trust: Trust) -> TrustedIssuer:
    """Look up the issuer by the unverified ``iss``, which selects and proves nothing (Law 3.5).

    Raises:
        UnknownIssuer: If none has it.
    """
    iss = claims.get("iss")
    trusted = trust.issuers.get(iss) if isinstance(iss, str) or "iss" not in claims else None
    if trusted is None:
        raise UnknownIssuer("no configured issuer has the iss of this token")
    return trusted
