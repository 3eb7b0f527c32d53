"""From a Bearer token to a user or service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..cache import TenantsServed
from ..clock import Instant
from ..credentials import BearerToken
from ..effects import Flow
from ..errors import InvalidClaim, TokenRevoked, UnknownIssuer
from ..issuer import Issuer
from ..jose.claims import TokenRules
from ..jose.compact import Limits, parse_object, split
from ..jose.verify import VerifiedClaims
from ..keyring import KeyRing, TenantDoor, TenantRings
from ..principal import Service, User
from .keys import Door
from .revoked import Known, check_revoked
from .signatures import Named, verify_parts

__all__ = ["Trust", "TrustedIssuer", "authenticate_token", "verify_token"]


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """An issuer with its rules and keys: bound together, and never mixed with another's (Law 3.5).

    Args:
        issuer: What was configured.
        rules: What its tokens must be.
        keys: Its keys: one set, or one for each tenant.
        served: The tenants that are served here; None where every one is.
    """

    issuer: Issuer
    rules: TokenRules
    keys: KeyRing | TenantRings
    served: TenantsServed | None = None


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
    with Named(trusted.issuer.name):
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
    with Named(trusted.issuer.name):
        door = _door(trusted, claims, now)
        return trusted, (yield from verify_parts(parts, claims, door, trusted.rules, trust.limits, now))


def _door(trusted: TrustedIssuer, claims: Mapping[str, Any], now: Instant) -> Door:
    """The way to the keys that the token's tenant has, if it is served here (Law 3.12).

    Nothing is verified yet, so a tenant only chooses among what the configuration admits. The claims that choose
    are the very ones that the signature then covers: the tenant whose keys verified them is the one they name.
    """
    tenant = trusted.issuer.tenant(claims)
    if tenant is not None and trusted.served is not None and not trusted.served.admits(tenant, now):
        raise InvalidClaim("tenant", "is not one of those that are served here")
    if isinstance(trusted.keys, KeyRing):
        return trusted.keys
    if tenant is None:
        raise InvalidClaim("tenant", "is missing")
    return TenantDoor(trusted.keys, tenant)


def _issuer_of(claims: Mapping[str, Any], trust: Trust) -> TrustedIssuer:
    """Look up by the unverified ``iss``, which selects and proves nothing (Law 3.5)."""
    iss = claims.get("iss")
    if iss is None and "iss" in claims:
        raise UnknownIssuer("iss is null")
    trusted = trust.issuers.get(iss) if iss is None or isinstance(iss, str) else None
    if trusted is None:
        raise UnknownIssuer("no configured issuer has the iss of this token")
    return trusted
