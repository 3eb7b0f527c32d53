"""The m8 profile: user tokens of an auth_user_service, with keys at a URL or a key that is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ..errors import InvalidClaim, InvalidToken, TokenExpired, TokenReused, TokenRevoked
from ..principal import as_path, is_uuid
from ..secret import Secret
from .options import Options
from .settings import ClaimsMap
from .trust import JwksUrl, StaticKeys

__all__ = ["M8_FIXED", "M8_RANKS", "m8_defaults", "m8_mapping", "m8_trust", "reason_of"]

M8_FIXED: Final = (("type", "access"),)
"""What its access tokens say, to the letter: a refresh token is not one."""
M8_RANKS: Final = ("superadmin", "admin", "writer", "reader", "user")
"""Its roles, of which each token has at most one; whether one implies the next is said where the gate is made."""

_ROLE: Final = as_path("role")
_FLAGS: Final = ("is_active", "email_verified", "is_superuser")
_TEXTS: Final = ("full_name", "avatar")


_KINDS: Final = frozenset({"typ", "type", "token_type", "token_use"})
_TERMS: Final = frozenset({"typ header", "iss", "aud", "exp", "nbf", "iat", "auth_time", "jti", "azp", "cnf"})
"""Claims that say how and by whom a token may be used; the rest of the payload is about the user."""


def reason_of(error: InvalidToken) -> str:
    """Why a token is not accepted, in the words of this service's own client."""
    if isinstance(error, TokenExpired):
        return "expired"
    if isinstance(error, TokenRevoked):
        return "revoked"
    if isinstance(error, TokenReused):
        return "reused"
    if not isinstance(error, InvalidClaim) or error.claim in _TERMS:
        return "invalid"
    return "wrong_type" if error.claim in _KINDS else "invalid_payload"


def m8_trust(keys: Mapping[str, Any] | str | bytes | Secret) -> StaticKeys | JwksUrl:
    """Where the keys come from: a text that begins like a URL is one."""
    if isinstance(keys, str) and keys.startswith(("http://", "https://")):
        return JwksUrl(keys)
    return StaticKeys(keys)


def m8_defaults(*, symmetric: bool) -> Options:
    """The options that make an issuer an m8.

    The entries of its Redis end with the ``exp`` of their tokens, so there is no leeway (Law 5.8).
    """
    return {
        "name": "m8",
        "algorithms": ["HS256"] if symmetric else ["RS256", "ES256"],
        "leeway": 0.0,
        "roles": "role",
        "required_claims": ["jti", "email"],
    }


def m8_mapping(mapping: ClaimsMap) -> ClaimsMap:
    """The configured mapping, knowing that a role is one name, and what else the payload has to hold."""
    return replace(
        mapping,
        separators={_ROLE: "", **mapping.separators},
        payload=_check_payload,
        active="is_active",
    )


def _check_payload(claims: Mapping[str, Any]) -> None:
    """Refuse what no such service writes; what is left out of flags and of the role says nothing."""
    if not is_uuid(claims.get("sub")):
        raise InvalidClaim("sub", "is not a UUID in lower case")
    email = claims.get("email")
    if not isinstance(email, str) or not email:
        raise InvalidClaim("email", "is not a text")
    if "role" in claims and claims["role"] not in M8_RANKS:
        raise InvalidClaim("role", f"is none of {', '.join(M8_RANKS)}")
    for name in _FLAGS:
        if name in claims and not isinstance(claims[name], bool):
            raise InvalidClaim(name, "is neither true nor false")
    for name in _TEXTS:
        if not isinstance(claims.get(name), (str, type(None))):
            raise InvalidClaim(name, "is not a text")
