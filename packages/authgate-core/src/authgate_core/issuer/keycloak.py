"""The keycloak profile: a realm, whose roles are of the realm or of a client, and whose clients may be services."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, Literal, TypeAlias, cast

from ..clients import ClientAuthentication
from ..principal import as_path, resolve
from .introspection import Introspection
from .options import Options
from .settings import ClaimsMap, Terms
from .trust import JwksUrl

__all__ = [
    "KeycloakRule",
    "keycloak_keys",
    "keycloak_mapping",
    "keycloak_options",
    "keycloak_problems",
    "keycloak_terms",
]

KeycloakRule: TypeAlias = Literal["role", "type", "claims"]

_AUDIENCE_HINT: Final = "; in Keycloak it takes a mapper of the type Audience, in a scope of the client"
"""What to do about a token that is for another API: realms put no API into ``aud`` by themselves."""
_CLIENT_ROLES: Final = as_path("resource_access")
"""Where a token has the roles of clients."""

_ENDPOINTS: Final = "/protocol/openid-connect"
_REALM_ROLES: Final = as_path("realm_access.roles")
_SERVICE_ROLES: Final = frozenset({"service", "service-account"})
_ORIGIN: Final = ("clientHost", "clientAddress")
"""Where a client was when it logged in for itself; Keycloak says so of no user."""
_LOGIN: Final = frozenset({"sid", "session_state"})
"""What names the session of whoever logged in; a client that logs in for itself has none, unless it asks for one."""
_PERSONAL: Final = ("username", "preferred_username", "email", "name", "given_name", "family_name")


def keycloak_keys(realm_url: str) -> JwksUrl:
    """Where the keys of a realm are."""
    return JwksUrl(f"{realm_url}{_ENDPOINTS}/certs")


def keycloak_options(
    realm_url: str,
    introspect: ClientAuthentication | None,
    service_clients: Collection[str] | None,
    rules: Collection[KeycloakRule],
    options: Mapping[str, object],
) -> dict[str, object]:
    """The options that make an issuer a realm of Keycloak, and over them those that were given."""
    named = None if service_clients is None else frozenset(service_clients)
    ours: Options = {
        "name": "keycloak",
        "roles": "realm_access.roles",
        "pure": True,
    }
    if introspect is not None:
        url = f"{realm_url}{_ENDPOINTS}/token/introspect"
        ours["introspection"] = Introspection(url, introspect, opaque=False, jwts=True)
    given = {**ours, **{name: value for name, value in options.items() if value is not None}}
    is_service = partial(_is_service, named, frozenset(rules), is_asked="introspection" in given)
    return {"service_when": is_service, **given}


def keycloak_terms(terms: Terms, rules: Collection[KeycloakRule]) -> Terms:
    """The configured terms, knowing what ``typ`` says where that tells services, and what ``aud`` takes."""
    types = frozenset({"service"}) if "type" in rules else frozenset[str]()
    return replace(terms, token_types=types, audience_hint=_AUDIENCE_HINT)


def keycloak_mapping(mapping: ClaimsMap) -> ClaimsMap:
    """The configured mapping, and the roles of clients."""
    return replace(mapping, client_roles=_CLIENT_ROLES)


def keycloak_problems(realm_url: object, rules: Collection[object], terms: Terms) -> Iterator[str]:
    """What is wrong with the profile's own options."""
    if isinstance(realm_url, str) and realm_url.endswith("/"):
        yield "realm_url: ends with a slash; it is the expected iss as well, byte for byte, and that has none"
    if isinstance(terms.audience, frozenset) and "account" in terms.audience and not terms.authorized_parties:
        yield (
            "audience: every client of the realm has tokens for 'account'; name the clients whose tokens are meant "
            "with authorized_parties=[...], or give this API an audience of its own"
        )
    for rule in rules:
        if rule not in _OLDER:
            yield f"service_by: {rule!r} is none of {', '.join(map(repr, _OLDER))}"


def _is_service(
    named: frozenset[str] | None, rules: frozenset[str], claims: Mapping[str, Any], *, is_asked: bool
) -> bool:
    """Whether a client speaks for itself: its service account does, whose user has a name that is the client's.

    Keycloak writes the names of users in lower case. A token has ``client_id`` if it is of such an account, while
    what introspection says has it of everyone: there a user who took the name that the account of a client without
    one would have is told by the session of the login.
    """
    client, user = claims.get("client_id"), claims.get("preferred_username")
    if isinstance(client, str) and isinstance(user, str):
        is_account = user.lower() == f"service-account-{client}".lower()
        is_own = (
            not is_asked
            or _LOGIN.isdisjoint(claims)
            or any(isinstance(claims.get(name), str) for name in _ORIGIN)
        )
        if is_account and is_own and (named is None or client in named):
            return True
    return any(_OLDER[rule](claims) for rule in rules)


def _by_role(claims: Mapping[str, Any]) -> bool:
    found = resolve(claims, _REALM_ROLES)
    roles = cast("Collection[object]", found) if isinstance(found, (list, tuple)) else ()
    return any(role in roles for role in _SERVICE_ROLES)


def _by_type(claims: Mapping[str, Any]) -> bool:
    return "service" in {str(claims.get("typ")), str(claims.get("token_type"))}


def _by_claims(claims: Mapping[str, Any]) -> bool:
    return bool(claims.get("client_id")) and not any(claims.get(name) for name in _PERSONAL)


_OLDER: Final = {"role": _by_role, "type": _by_type, "claims": _by_claims}
"""How an older client told services, each to be switched on by its name (Law 3.13)."""
