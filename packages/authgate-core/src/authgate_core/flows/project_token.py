"""From a project token to a project."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..cache import TenantsServed
from ..clock import Instant
from ..credentials import APP, ProjectToken
from ..effects import Flow
from ..errors import UnknownIssuer
from ..issuer import ProjectTokens
from ..jose.claims import TokenRules
from ..jose.compact import Limits, split_object
from ..keyring import KeyRing
from ..principal import Project, ProjectRef
from .project import check_served, judge_project
from .signatures import Named, verify_parts

__all__ = ["TrustedProjects", "authenticate_project_token"]


@dataclass(frozen=True, slots=True)
class TrustedProjects:
    """The project tokens of one issuer, with their rules and keys (Law 3.5).

    Args:
        name: The configured name of the issuer.
        tokens: What was configured.
        rules: What the tokens must be.
        ring: Their keys.
        served: The projects that are served here; None where every one is.
    """

    name: str
    tokens: ProjectTokens
    rules: TokenRules
    ring: KeyRing
    served: TenantsServed | None


def authenticate_project_token(
    token: ProjectToken,
    issuers: Mapping[str | None, TrustedProjects],
    limits: Limits,
    service_id: str | None,
    now: Instant,
    revoked: Callable[[ProjectRef], Flow[bool]],
) -> Flow[Project]:
    """Verify a project token, ask whether it still exists, and say whose it is.

    Args:
        token: What was presented.
        issuers: Who issues project tokens, by exact ``iss``.
        limits: Sizes (Law 2.4).
        service_id: This service, which the token must be for.
        now: The present moment.
        revoked: Answers whether the token or the version of its secret was withdrawn.

    Raises:
        InvalidToken: Whatever is wrong with the token.
        InvalidProjectCredentials: If it was withdrawn.
        ServiceNotEnabled: If it is for other services, or its project is not served here.
        AuthUnavailable: If its keys or its revocation could not be had.
    """
    parts, claims = split_object(token.value.reveal(), limits)
    trusted = _issuer_of(claims, issuers)
    tokens = trusted.tokens
    with Named(trusted.name, APP):
        tokens.project_id(claims)  # cheap refusals first
        verified = yield from verify_parts(parts, claims, trusted.ring, trusted.rules, limits, now)
        project = tokens.project(verified)
        yield from judge_project(project, tokens.ref(verified, project), service_id, revoked)
        check_served(project, trusted.served, now)
    return project


def _issuer_of(claims: Mapping[str, Any], issuers: Mapping[str | None, TrustedProjects]) -> TrustedProjects:
    iss = claims.get("iss")
    trusted = issuers.get(iss) if isinstance(iss, str) else None
    if trusted is None:
        raise UnknownIssuer("no configured issuer of project tokens has the iss of this token")
    return trusted
