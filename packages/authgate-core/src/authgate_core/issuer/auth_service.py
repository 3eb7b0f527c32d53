"""The auth_service profile: a central auth service of one's own, whose tokens have no ``iss``."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ..jose.claims import TokenRules
from ..principal import as_path
from .options import Options
from .settings import ClaimsMap, Terms
from .trust import JwksUrl

__all__ = ["action_rules", "auth_defaults", "auth_keys", "auth_mapping", "auth_terms", "sessions_url"]

_REQUIRED: Final = ("jti", "iat", "sub", "type", "role")
_SHAPES: Final = (
    (("type", "access"),),
    (("type", "m2m"), ("role", "service")),
)
"""Its access tokens: those of people, and those of programs, which all have one role."""
_ACTION: Final = "action_token"
_OF_ACTIONS: Final = ("jti", "iat", "sub", "type", "action")
_ROLE: Final = as_path("role")


def auth_defaults() -> Options:
    """The options that make an issuer an auth service."""
    return {
        "name": "auth_service",
        "algorithms": ["RS256"],
        "roles": "role",
        "scopes": ["scopes", "scope"],
        "service_when": {"type": "m2m"},
    }


def auth_keys(base_url: str) -> JwksUrl:
    """Where its keys are: one set for all that it signs."""
    return JwksUrl(_address(base_url, "/.well-known/jwks.json"))


def action_rules(rules: TokenRules) -> TokenRules:
    """What the token of an action must be, for an issuer whose access tokens are under these rules."""
    return replace(
        rules,
        required_claims=_OF_ACTIONS,
        token_types=frozenset({_ACTION}),
        shapes=((("type", _ACTION),),),
        authorized_parties=None,
    )


def sessions_url(base_url: str) -> str:
    """Where it says whether the session of a token goes on."""
    return _address(base_url, "/auth/validate")


def auth_terms(terms: Terms) -> Terms:
    """The configured terms, and with them what this service writes into every access token."""
    return replace(
        terms,
        required_claims=tuple(dict.fromkeys((*_REQUIRED, *terms.required_claims))),
        require_kid=True,
        token_types=frozenset({"m2m"}),
        shapes=_SHAPES,
    )


def auth_mapping(mapping: ClaimsMap) -> ClaimsMap:
    """The configured mapping, knowing that a role is one name, and that a program is the client it runs as."""
    return replace(mapping, separators={_ROLE: "", **mapping.separators}, service_is_client=True)


def _address(base_url: object, path: str) -> str:
    """An address of the service, of whatever a configuration holds: the URL is judged with that of its keys."""
    return f"{str(base_url).rstrip('/')}{path}"
