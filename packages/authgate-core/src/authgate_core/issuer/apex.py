"""The apex profile: an auth service that is asked who the bearer of a token is, and what they are to this service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote

from ..principal import claim_path
from ..request import url_problems
from .apex_users import ApexUser, ServiceUser
from .mapping import model_of, model_problems
from .options import Options
from .settings import AnyAudience, ClaimsMap

__all__ = [
    "ADMIN",
    "METADATA",
    "SERVICE_ADMIN",
    "Apex",
    "apex_claims",
    "apex_defaults",
    "apex_mapping",
    "apex_problems",
]

ADMIN: Final = "admin"
"""The role of whom an apex calls its admin."""
SERVICE_ADMIN: Final = "service_admin"
"""The role of whom an apex calls an admin of this service."""

METADATA: Final = claim_path("apex", "metadata")
"""Where the claims hold what this service keeps about a user: in an object that nobody else writes."""

_OF_TOKENS: Final = (
    "algorithms",
    "leeway",
    "max_lifetime",
    "require_at_jwt",
    "required_claims",
    "authorized_parties",
    "confirmation",
    "require_confirmation",
    "service_when",
    "introspection",
    "logout_clients",
)
"""Options about what a token says, of which an apex tells nothing."""


@dataclass(frozen=True, slots=True)
class Apex:
    """Where an apex is, and which of its services this is.

    Args:
        base_url: Where it is.
        service: What it calls this service; None where only who a user is matters.
        metadata: What the metadata of this service's users must fit, a dataclass or a pydantic model; None for any.
    """

    base_url: str
    service: str | None = None
    metadata: type | None = None

    @property
    def user_url(self) -> str:
        """Where it says whose a token is."""
        return f"{self._root}/auth/user"

    @property
    def users_url(self) -> str:
        """Where it knows the users of this service."""
        return f"{self._service_root}/users"

    @property
    def permissions_url(self) -> str:
        """Where the permissions of this service are."""
        return f"{self._service_root}/permissions"

    @property
    def login_url(self) -> str:
        """Where people log in."""
        return f"{self._root}/auth/login"

    @property
    def code_url(self) -> str:
        """Where the code of a login in a browser is exchanged."""
        return f"{self._root}/auth/oauth/token"

    def permission_url(self, permission_id: str) -> str:
        """Where one permission is."""
        return f"{self.permissions_url}/{quote(permission_id, safe='')}"

    def metadata_url(self, user_id: str) -> str:
        """Where it says what this service keeps about a user, and nothing else."""
        return f"{self._service_root}/metadata/{quote(user_id, safe='')}"

    def member_url(self, user_id: str) -> str:
        """Where it says what a user is to this service."""
        return f"{self.users_url}/{quote(user_id, safe='')}"

    def fits(self, metadata: Mapping[str, Any]) -> bool:
        """Whether the metadata of a user is what was configured; where nothing was, it is what holds anything."""
        return bool(metadata) if self.metadata is None else model_of(self.metadata, metadata) is not None

    def problems(self, *, plain_http: bool) -> Iterator[str]:
        """What is wrong with it (Law 1.6).

        Args:
            plain_http: Whether http beyond loopback was allowed.
        """
        yield from url_problems("base_url", self.base_url, plain_http=plain_http)
        service: object = self.service
        if service is not None and not (isinstance(service, str) and service.strip(".")):
            yield "service: write what apex calls this service, or leave it out"
        if self.metadata is not None and service is None:
            yield "metadata: is of one service; name it with service=..."
        yield from model_problems(self.metadata, "metadata")

    @property
    def _service_root(self) -> str:
        return f"{self._root}/services/{quote(str(self.service), safe='')}"

    @property
    def _root(self) -> str:
        return str(self.base_url).rstrip("/")


def apex_defaults() -> Options:
    """The options that make an issuer an apex."""
    return {"name": "apex"}


def apex_mapping(mapping: ClaimsMap, apex: Apex) -> ClaimsMap:
    """The configured mapping, knowing where metadata is, and what it must fit."""
    if apex.metadata is None:
        return mapping
    return replace(mapping, model=apex.metadata, model_path=METADATA)


def apex_problems(audience: object, metadata: object, options: Mapping[str, object]) -> Iterator[str]:
    """What is wrong with options that every issuer has, and that say nothing of this one."""
    if not isinstance(audience, AnyAudience):
        yield "audience: apex does not say which API a token is for; write audience=ANY_AUDIENCE"
    for name in _OF_TOKENS:
        if options.get(name) is not None:
            yield f"{name}: apex tells whose a token is, and nothing of what it says; leave it out"
    if metadata is not None and options.get("claims") is not None:
        yield "claims: metadata= is what principal.model() gives; leave one of both out"


def apex_claims(user: ApexUser, member: ServiceUser[Mapping[str, Any]] | None) -> dict[str, Any]:
    """What an apex says of a user, as claims; Any because they are JSON.

    Args:
        user: Who it is.
        member: What they are to this service; None where they are nothing to it, or nobody asked.
    """
    is_service_admin = member is not None and member.is_service_admin
    roles = [role for role, holds in ((ADMIN, user.is_admin), (SERVICE_ADMIN, is_service_admin)) if holds]
    described = {
        "username": user.username,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "name": user.name,
        "phone_number": user.phone_number,
    }
    known = {name: value for name, value in described.items() if value is not None}
    outer, inner = METADATA.parts
    metadata = None if member is None else member.metadata
    kept = {} if metadata is None else {outer: {inner: dict(metadata)}}
    return {"sub": user.id, "roles": roles, **known, **kept}
