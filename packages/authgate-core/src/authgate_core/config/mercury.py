"""The mercury profile: the variables of the older client, and what a gate is made of there."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..issuer import ANY_AUDIENCE, Issuer
from ..projects import RemoteProjects
from ..revocation import RedisRevocation
from ..secret import Secret
from .environment import PREFIX, WATCHING, Settings

__all__ = ["MercurySettings", "in_its_words", "read_mercury"]

_SECRET: Final = "SIGNATURE_SHARED_SECRET"
_REQUIRED: Final[Mapping[str, str]] = {
    "REDIS_URL": "the Redis that Mercury shares, such as redis://localhost:6379/0",
    "MERCURY_BASE_URL": "the URL of Mercury, without a slash at its end",
    _SECRET: "the secret that Mercury shares with its services",
    "SERVICE_ID": "this service, as projects are enabled for it",
    "NEXUS_ID": "the project of user tokens that name none",
}
_STAND_INS: Final[Mapping[str, str]] = {
    "REDIS_URL": "redis://localhost",
    "MERCURY_BASE_URL": "https://mercury.invalid",
    _SECRET: "-",
    "SERVICE_ID": "-",
    "NEXUS_ID": "00000000-0000-0000-0000-000000000000",
}
"""For what is missing, so that whatever else is wrong is found as well; nothing is ever built of them."""
_WORDS: Final[Mapping[str, str]] = {
    "base_url:": "MERCURY_BASE_URL:",
    "signing_secret:": "SIGNATURE_SHARED_SECRET:",
    "fallback_tenant:": "NEXUS_ID:",
    "tenants:": "NEXUS_ID, AUTHGATE_TENANTS:",
    "audience:": "AUTHGATE_AUDIENCE:",
    "revocation:": "REDIS_URL:",
    "allow_http=True": "AUTHGATE_ALLOW_HTTP=1",
}
_OWNERS: Final = ("Issuer 'mercury': ", "projects: ")
_IGNORED: Final = ("CACHE_EXPIRY_TIME", "JWKS_CACHE_TTL")
_APPLIES: Final = frozenset(
    {"tenants", "audience", "allow_http", "realm", "explain", "shadow", "verified_tokens", *WATCHING}
)
_ANY: Final = ("*",)


@dataclass(frozen=True, slots=True)
class MercurySettings:
    """What the environment says of a Mercury.

    Args:
        old: The variables of the older client; for what is not set, something that will do.
        ours: The few of ours that apply.
    """

    old: Mapping[str, str] = field(repr=False)
    ours: Settings

    def issuer(self) -> Issuer:
        """Mercury as an issuer; without an audience, tokens for every service are accepted (Law 3.6)."""
        return Issuer.mercury(
            self.old["MERCURY_BASE_URL"],
            signing_secret=Secret(self.old[_SECRET]),
            audience=self.ours.audience
            if self.ours.audience not in {(), ("ANY_AUDIENCE",)}
            else ANY_AUDIENCE,
            fallback_tenant=self.old["NEXUS_ID"],
            tenants=self._tenants(),
            allow_http=self.ours.allow_http,
        )

    def projects(self) -> RemoteProjects:
        """Mercury as a directory of projects."""
        return RemoteProjects(
            self.old["MERCURY_BASE_URL"],
            signing_secret=Secret(self.old[_SECRET]),
            service_id=self.old["SERVICE_ID"],
            tenants=self._tenants(),
            allow_http=self.ours.allow_http,
        )

    def revocation(self) -> RedisRevocation:
        """Mercury's Redis, which is only read."""
        return RedisRevocation(self.old["REDIS_URL"], layout="mercury")

    def _tenants(self) -> tuple[str, ...] | Callable[[str], bool]:
        named = self.ours.tenants or (self.old["NEXUS_ID"],)
        return _any_tenant if named == _ANY else named


def read_mercury(mapping: Mapping[str, Any], ours: Settings) -> tuple[MercurySettings, list[str]]:
    """Read the variables of the older client.

    Returns:
        What could be read, and everything that is wrong: a sentence for each variable.
    """
    found = {name: _given(name, mapping.get(name)) for name in _REQUIRED}
    old = {name: value or _STAND_INS[name] for name, value in found.items()}
    ignored = [name for name in _IGNORED if mapping.get(name)]
    if ignored:
        logging.getLogger("authgate").warning(
            "%s: ignored; keys, projects and verified tokens are kept as long as laws 4.3, 6.2 and 7.1 say",
            ", ".join(ignored),
        )
    return MercurySettings(old, ours), [*_missing(found), *_foreign(ours)]


def _given(name: str, value: object) -> str:
    """The value of a variable; empty where it says nothing."""
    if not isinstance(value, str) or not value.strip():
        return ""
    # White space around a secret is a part of it: Mercury signs with the same bytes.
    return value if name == _SECRET else value.strip()


def in_its_words(problem: str) -> str:
    """A problem of the configuration under the names of the variables that it comes from (Law 1.6)."""
    for owner in _OWNERS:
        problem = problem.removeprefix(owner)
    for ours, theirs in _WORDS.items():
        problem = problem.replace(ours, theirs)
    return problem


def _missing(old: Mapping[str, str]) -> Iterator[str]:
    for name, meaning in _REQUIRED.items():
        if not old[name]:
            yield f"{name}: is not set, or empty; give {meaning}"


def _foreign(ours: Settings) -> Iterator[str]:
    for name in sorted(ours.model_fields_set - _APPLIES - {"profile"}):
        yield f"{PREFIX}{name.upper()}: does not apply to the mercury profile; leave it out"


def _any_tenant(_tenant: str) -> bool:
    return True
