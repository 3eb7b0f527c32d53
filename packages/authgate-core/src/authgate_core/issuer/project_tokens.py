"""Tokens that projects present in the place of an app id and a secret, and what their claims mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from ..errors import InvalidClaim
from ..jose.claims import TokenRules
from ..jose.verify import VerifiedClaims
from ..principal import Project, ProjectRef, is_plain_name, is_uuid
from .trust import JwksUrl

__all__ = ["ProjectTokens"]

_PROJECT: Final = "project_uuid"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectTokens:
    """The project tokens of an issuer: keys of their own, and claims of their own.

    Args:
        issuer: The exact ``iss``.
        trust: Where their keys are: one set for all projects.
        algorithms: The allow-list.
        leeway: Tolerated clock difference, seconds.
    """

    issuer: str
    trust: JwksUrl
    algorithms: frozenset[str]
    leeway: float

    def rules(self) -> TokenRules:
        """What ``jose`` must check of them; they name no audience, but the services that they are for."""
        return TokenRules(
            issuer=self.issuer,
            audience=None,
            algorithms=self.algorithms,
            leeway=self.leeway,
            require_iat=True,
        )

    def project_id(self, claims: Mapping[str, Any]) -> str:
        """The project that the claims name, in its one spelling (Law 3.12).

        Raises:
            InvalidClaim: If they name none; the value is not repeated.
        """
        project = claims.get(_PROJECT)
        if not is_uuid(project):
            raise InvalidClaim(_PROJECT, "is not a UUID in lower case")
        return project

    def project(self, verified: VerifiedClaims) -> Project:
        """The project that the verified claims speak of.

        Raises:
            InvalidClaim: If they are not those of a project token.
        """
        claims = verified.claims
        services = tuple(_services(claims))
        version = _version(claims)
        named = {
            "projectUuid": claims[_PROJECT],
            "projectName": None,
            "enabledServices": list(services),
            "secretVersion": version,
        }
        return Project(
            id=self.project_id(claims),
            enabled_services=services,
            secret_version=version,
            claims={**claims, **named},
            source="project_token",
            public=tuple(named),
        )

    def ref(self, verified: VerifiedClaims, project: Project) -> ProjectRef:
        """What a revocation source is asked about the token (Laws 5.3, 5.9).

        Raises:
            InvalidClaim: If the token has no name that a source could list it under.
        """
        token_id = verified.claims.get("token_id")
        if not is_plain_name(token_id):
            raise InvalidClaim("token_id", "is missing, or nothing that the revocation source could list")
        return ProjectRef(project.id, project.secret_version, token_id)


def _services(claims: Mapping[str, Any]) -> Iterator[str]:
    services = claims.get("enabled_services")
    if not isinstance(services, list):
        raise InvalidClaim("enabled_services", "is not a list")
    for service in cast("list[object]", services):
        if not isinstance(service, str):
            raise InvalidClaim("enabled_services", "is not a list of texts")
        yield service


def _version(claims: Mapping[str, Any]) -> int:
    version = claims.get("secret_version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 0:
        raise InvalidClaim("secret_version", "is not a whole number")
    return version
