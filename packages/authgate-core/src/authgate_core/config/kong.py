"""The kong profile: a service behind Kong's token introspector, in the variables that older clients have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..gateways import Gateway
from ..policy import RoleHierarchy
from ..secret import Secret
from .environment import PREFIX, WATCHING, Settings

__all__ = ["is_behind_kong", "kong_words", "older_roles", "read_kong"]

_MODE: Final = "AUTH_MODE"
_VERIFY: Final = "VERIFY_HMAC"
_KEY: Final = "INTERNAL_HMAC_KEY"
_FLAGS: Final[Mapping[str, bool]] = {
    "1": True,
    "true": True,
    "yes": True,
    "0": False,
    "false": False,
    "no": False,
}
_WORDS: Final[Mapping[str, str]] = {
    "gateway: peers:": "AUTHGATE_GATEWAY_PEERS:",
    "gateway: tls_peers:": "AUTHGATE_GATEWAY_TLS_PEERS:",
    "gateway: hmac_key:": "INTERNAL_HMAC_KEY:",
}
_APPLIES: Final = frozenset(
    {
        "admin_implies_all",
        "explain",
        "gateway_peers",
        "gateway_tls_peers",
        "profile",
        "projects_file",
        "realm",
        "resource",
        "server_drops_underscores",
        "server_shows_peer",
        "service_id",
        "shadow",
        *WATCHING,
    }
)


def is_behind_kong(profile: str | None, mapping: Mapping[str, Any]) -> bool:
    """Whether the variables speak of Kong: by its own profile, or as older clients of Keycloak say it."""
    return profile == "kong" or (profile == "keycloak" and mapping.get(_MODE) == "kong_headers")


def older_roles(ours: Settings) -> RoleHierarchy:
    """Whether an admin has every role, as the older client has it."""
    return RoleHierarchy(every=frozenset({"admin"} if ours.admin_implies_all else ()))


def read_kong(mapping: Mapping[str, Any], ours: Settings) -> tuple[Gateway, list[str]]:
    """Read the variables of a service behind Kong.

    Returns:
        The gateway, and everything that is wrong: a sentence for each variable.
    """
    wrong = [*_foreign(ours)]
    verify = _FLAGS.get(str(mapping.get(_VERIFY, "")).lower())
    key = mapping.get(_KEY)
    if verify is None and mapping.get(_VERIFY) is not None:
        wrong.append(f"{_VERIFY}: write true or false")
    if verify and not key:
        wrong.append(
            f"{_KEY}: is not set, or empty, and {_VERIFY} asks for it; give the key that Kong signs with"
        )
    asked = verify is not False and isinstance(key, str)
    gateway = Gateway.kong(
        hmac_key=Secret(key) if asked and isinstance(key, str) else None,
        peers=ours.gateway_peers,
        tls_peers=ours.gateway_tls_peers,
        server_shows_peer=ours.server_shows_peer,
        server_drops_underscores=ours.server_drops_underscores,
    )
    return gateway, wrong


def kong_words(problem: str) -> str:
    """A problem of the configuration under the names of the variables that it comes from (Law 1.6)."""
    for words, theirs in _WORDS.items():
        problem = problem.replace(words, theirs)
    return problem


def _foreign(ours: Settings) -> Iterator[str]:
    for name in sorted(ours.model_fields_set - _APPLIES):
        yield f"{PREFIX}{name.upper()}: does not apply behind a gateway; leave it out"
