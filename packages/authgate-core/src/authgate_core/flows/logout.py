"""From a logout token to what it ends (OpenID Connect Back-Channel Logout 1.0)."""

from __future__ import annotations

from dataclasses import dataclass

from ..clock import Instant
from ..credentials import BearerToken
from ..effects import Flow
from ..errors import InvalidClaim
from ..jose.compact import parse_header, split_object
from ..jose.logout import LogoutClaims, check_logout, check_logout_header
from ..jose.verify import check_signature
from .keys import find_keys
from .token import issuer_of
from .trust import Trust, TrustedIssuer

__all__ = ["LoggedOut", "verify_logout"]


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """What an issuer says has ended.

    Args:
        trusted: The issuer.
        tenant: The tenant, where the issuer has tenants.
        claims: Which session, or whose.
    """

    trusted: TrustedIssuer
    tenant: str | None
    claims: LogoutClaims


def verify_logout(token: BearerToken, trust: Trust, now: Instant) -> Flow[LoggedOut]:
    """Verify a logout token with the keys of its issuer.

    A token that is shown twice ends what has ended already, so nothing remembers which were shown.

    Raises:
        InvalidToken: Whatever is wrong with it.
        KeysUnavailable: If its keys could not be had.
    """
    parts, claims = split_object(token.value.reveal(), trust.limits)
    trusted = issuer_of(claims, trust)
    with trusted.named:
        clients = trusted.issuer.logout_clients
        if not clients:
            raise InvalidClaim("aud", "no client's logouts are listened to; see Issuer(logout_clients=)")
        tenant = trusted.issuer.tenant(claims)
        if not trusted.serves(tenant, now):
            raise InvalidClaim("tenant", "is not one of those that are served here")
        header = parse_header(parts.header, trust.limits)
        check_logout_header(header, trusted.rules.algorithms)
        keys = yield from find_keys(header, trusted.door(tenant), now)
        check_signature(parts, header, keys)
        return LoggedOut(trusted, tenant, check_logout(claims, trusted.rules, clients, now))
