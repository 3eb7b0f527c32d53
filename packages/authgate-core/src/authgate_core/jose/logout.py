"""What a logout token must be (OpenID Connect Back-Channel Logout 1.0 sections 2.4 and 2.6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from ..clock import Instant
from ..errors import AlgorithmRefused, InvalidClaim, TokenExpired
from .claims import TokenRules
from .compact import Header
from .signature import is_allowed

__all__ = ["LogoutClaims", "check_logout", "check_logout_header"]

_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
_TYPES: Final = frozenset({"logout+jwt", "application/logout+jwt", "jwt"})
_OLDEST: Final = 120.0
"""How old one without ``exp`` may be, in seconds; the specification asks for two minutes at most."""


@dataclass(frozen=True, slots=True)
class LogoutClaims:
    """What a logout token says.

    Args:
        session_id: The session that ended; None for all of the subject's.
        subject: Whose they are, as the issuer calls them.
        issued_at: When it was said, Unix seconds.
    """

    session_id: str | None
    subject: str | None
    issued_at: float


def check_logout_header(header: Header, algorithms: frozenset[str]) -> None:
    """Refuse by the header alone.

    Raises:
        AlgorithmRefused: If ``alg`` is not on the issuer's list.
        InvalidClaim: If ``typ`` is that of another kind of token.
    """
    if not is_allowed(header.alg, algorithms):
        raise AlgorithmRefused("the logout token's alg is not on the issuer's list")
    if header.typ is not None and header.typ.lower() not in _TYPES:
        raise InvalidClaim("typ header", "is neither logout+jwt nor JWT")


def check_logout(
    claims: Mapping[str, Any], rules: TokenRules, clients: frozenset[str], now: Instant
) -> LogoutClaims:
    """Read the claims of a logout token whose signature is good.

    Args:
        claims: Its payload, whose ``iss`` chose the issuer.
        rules: The issuer's, of which ``leeway`` counts.
        clients: The clients of which one must be its audience.
        now: The present moment.

    Raises:
        InvalidClaim: If it is not what the specification asks for.
        TokenExpired: If nothing but its age is wrong with it.
    """
    aud: object = claims.get("aud")
    named = cast("list[object]", aud) if isinstance(aud, list) else [aud]
    if not any(client in clients for client in named if isinstance(client, str)):
        raise InvalidClaim("aud", "names none of the clients whose logouts are listened to")
    events: object = claims.get("events")
    event = cast("Mapping[str, object]", events).get(_EVENT) if isinstance(events, Mapping) else None
    if not isinstance(event, Mapping):
        raise InvalidClaim("events", "does not say that this is a logout")
    if "nonce" in claims:
        raise InvalidClaim("nonce", "is in no logout token, so that no ID token is taken for one")
    if not isinstance(claims.get("jti"), str):
        raise InvalidClaim("jti", "is missing")
    return _who(claims, _moment(claims, rules.leeway, now.wall))


def _moment(claims: Mapping[str, Any], leeway: float, now: float) -> float:
    issued = _date(claims, "iat")
    if issued > now + leeway:
        raise InvalidClaim("iat", "is ahead of this machine's clock")
    expires = _date(claims, "exp") if "exp" in claims else issued + _OLDEST
    if now >= expires + leeway:
        raise TokenExpired(f"the logout token expired {now - expires:.0f} s ago")
    return min(issued, now)


def _who(claims: Mapping[str, Any], issued_at: float) -> LogoutClaims:
    session_id, subject = _name(claims, "sid"), _name(claims, "sub")
    if session_id is None and subject is None:
        raise InvalidClaim("sub", "is missing, and so is sid: nobody is logged out")
    return LogoutClaims(session_id, subject, issued_at)


def _name(claims: Mapping[str, Any], name: str) -> str | None:
    value: object = claims.get(name)
    if value is None or (isinstance(value, str) and 0 < len(value) <= 255):
        return value
    raise InvalidClaim(name, "is not a text of 1 to 255 characters")


def _date(claims: Mapping[str, Any], name: str) -> float:
    value: object = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 253402300799:
        raise InvalidClaim(name, "is missing, or no number of seconds since 1970")
    return value
