"""The keycloak profile: the variables of the older client, and what a gate is made of there."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import isnan
from typing import Any, Final, cast

from ..clients import ClientSecret
from ..issuer import ANY_AUDIENCE, Introspection, Issuer
from ..issuer.keycloak import KeycloakRule
from ..policy import RoleHierarchy
from ..secret import Secret
from .environment import PREFIX, WATCHING, Settings

__all__ = ["KeycloakSettings", "in_keycloak_words", "read_keycloak"]

_MODES: Final = ("direct_keycloak", "local_keycloak")
_SECRET: Final = "KEYCLOAK_CLIENT_SECRET"
_REQUIRED: Final[Mapping[str, str]] = {
    "KEYCLOAK_REALM_URL": "the URL of the realm, such as https://id.example.com/realms/shop",
    "KEYCLOAK_CLIENT_ID": "the client that this service is in the realm",
    _SECRET: "the secret of that client, or AUTH_MODE=local_keycloak to have tokens verified here",
}
_STAND_INS: Final[Mapping[str, str]] = {
    "KEYCLOAK_REALM_URL": "https://keycloak.invalid/realms/none",
    "KEYCLOAK_CLIENT_ID": "-",
    _SECRET: "-",
}
"""For what is missing, so that whatever else is wrong is found as well; nothing is ever built of them."""
_LIMITS: Final[Mapping[str, tuple[str, float, float]]] = {
    "TOKEN_CACHE_TTL": ("remember", 0.0, 30.0),
    "HTTP_TIMEOUT": ("timeout", 0.01, 5.0),
    "CIRCUIT_BREAKER_FAILURE_THRESHOLD": ("opens_after", 1.0, 5.0),
    "CIRCUIT_BREAKER_RECOVERY_TIMEOUT": ("longest_rest", 0.01, 2.0),
}
"""What each variable may lower, from where to where: above its end the law holds."""
_UNUSED: Final = (
    "TOKEN_REFRESH_BUFFER",
    "VERIFY_HMAC",
    "INTERNAL_HMAC_KEY",
)
_WORDS: Final[Mapping[str, str]] = {
    "realm_url:": "KEYCLOAK_REALM_URL:",
    "jwks_url:": "KEYCLOAK_REALM_URL:",
    "introspection: url:": "KEYCLOAK_REALM_URL:",
    "audience:": "AUTHGATE_AUDIENCE:",
    "service_by:": "AUTHGATE_SERVICE_BY:",
    "allow_http=True": "AUTHGATE_ALLOW_HTTP=1",
}
_OWNER: Final = "Issuer 'keycloak': "
_APPLIES: Final = frozenset(
    {
        "admin_implies_all",
        "algorithms",
        "allow_http",
        "audience",
        "authorized_parties",
        "explain",
        "leeway",
        "max_lifetime",
        "realm",
        "redis_feed",
        "redis_on_error",
        "redis_url",
        "revocation",
        "service_by",
        "service_clients",
        "shadow",
        "verified_tokens",
        *WATCHING,
    }
)


@dataclass(frozen=True, slots=True)
class KeycloakSettings:
    """What the environment says of a realm.

    Args:
        old: The variables of the older client; for what is not set, something that will do.
        limits: What they lower of our limits.
        introspects: Whether Keycloak is asked about each token.
        ours: Our own settings.
    """

    old: Mapping[str, str] = field(repr=False)
    limits: Mapping[str, float]
    introspects: bool
    ours: Settings

    def issuer(self) -> Issuer:
        """The realm; tokens are for this service's own client where no audience is set."""
        ours, client_id = self.ours, self.old["KEYCLOAK_CLIENT_ID"]
        options = {
            name: getattr(ours, name)
            for name in ("algorithms", "authorized_parties", "leeway", "max_lifetime")
            if getattr(ours, name) not in (None, ())
        }
        if self.introspects:
            options["introspection"] = self._introspection(client_id)
        return Issuer.keycloak(
            self.old["KEYCLOAK_REALM_URL"],
            audience=ANY_AUDIENCE if ours.audience == ("ANY_AUDIENCE",) else ours.audience or client_id,
            service_clients=ours.service_clients or None,
            service_by=cast("tuple[KeycloakRule, ...]", ours.service_by),
            allow_http=ours.allow_http,
            **options,
        )

    def roles(self) -> RoleHierarchy:
        """Whether an admin has every role, as the older client has it."""
        return RoleHierarchy(every=frozenset({"admin"} if self.ours.admin_implies_all else ()))

    def _introspection(self, client_id: str) -> Introspection:
        client = ClientSecret(client_id, Secret(self.old[_SECRET]))
        url = f"{self.old['KEYCLOAK_REALM_URL']}/protocol/openid-connect/token/introspect"
        plain = Introspection(url, client, opaque=False, jwts=True)
        limits = self.limits
        return replace(
            plain,
            remember=limits.get("remember", plain.remember),
            timeout=limits.get("timeout", plain.timeout),
            opens_after=int(limits.get("opens_after", plain.opens_after)),
            longest_rest=limits.get("longest_rest", plain.longest_rest),
        )


def read_keycloak(mapping: Mapping[str, Any], ours: Settings) -> tuple[KeycloakSettings, list[str]]:
    """Read the variables of the older client.

    Returns:
        What could be read, and everything that is wrong: a sentence for each variable.
    """
    mode = _given("AUTH_MODE", mapping)
    found = {name: _given(name, mapping) for name in _REQUIRED}
    limits, wrong = _limits(mapping)
    unused = [name for name in _UNUSED if mapping.get(name)]
    if unused:
        logging.getLogger("authgate").warning(
            "%s: ignored; tokens are asked for anew at four fifths of their life, and no gateway is listened to",
            ", ".join(unused),
        )
    settings = KeycloakSettings(
        {name: value or _STAND_INS[name] for name, value in found.items()}, limits, mode != _MODES[1], ours
    )
    return settings, [*_mode_problems(mode), *_missing(found, mode), *wrong, *_foreign(ours)]


def in_keycloak_words(problem: str) -> str:
    """A problem of the configuration under the names of the variables that it comes from (Law 1.6)."""
    problem = problem.removeprefix(_OWNER)
    for ours, theirs in _WORDS.items():
        problem = problem.replace(ours, theirs)
    return problem


def _given(name: str, mapping: Mapping[str, Any]) -> str:
    """The value of a variable; empty where it says nothing."""
    value = mapping.get(name)
    if not isinstance(value, str) or not value.strip():
        return ""
    return value if name == _SECRET else value.strip()


def _mode_problems(mode: str) -> Iterator[str]:
    if mode == "bypass":
        yield "AUTH_MODE: nothing lets everybody in; for tests there is as_user(...) in authgate_core.testing"
    elif mode not in _MODES:
        yield f"AUTH_MODE: {mode!r} is none of {', '.join(_MODES)}, kong_headers"


def _missing(old: Mapping[str, str], mode: str) -> Iterator[str]:
    for name, meaning in _REQUIRED.items():
        if not old[name] and (name != _SECRET or mode != _MODES[1]):
            yield f"{name}: is not set, or empty; give {meaning}"


def _limits(mapping: Mapping[str, Any]) -> tuple[dict[str, float], list[str]]:
    """What the variables lower; those that would raise a limit are named in one warning."""
    lowered: dict[str, float] = {}
    problems: list[str] = []
    ignored: list[str] = []
    for name, (option, least, most) in _LIMITS.items():
        if mapping.get(name) in (None, ""):
            continue
        value = _number(mapping[name])
        if value is None or value < 0:
            problems.append(f"{name}: {mapping[name]!r} is no number of 0 or more")
        elif value > most:
            ignored.append(f"{name} (at most {most:g})")
        else:
            lowered[option] = max(value, least)
    if ignored:
        logging.getLogger("authgate").warning("%s: ignored; a limit is only ever lowered", ", ".join(ignored))
    return lowered, problems


def _number(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return None if isnan(number) else number


def _foreign(ours: Settings) -> Iterator[str]:
    for name in sorted(ours.model_fields_set - _APPLIES - {"profile"}):
        yield f"{PREFIX}{name.upper()}: does not apply to the keycloak profile; leave it out"
