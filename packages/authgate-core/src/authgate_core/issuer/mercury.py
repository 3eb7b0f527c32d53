"""The Mercury profile: a key set for each project, signed requests, project tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from ..signing import RequestSigning, base_url_problems
from .options import Options
from .project_tokens import ProjectTokens
from .settings import ClaimsMap
from .tenancy import TenantKeys
from .trust import JwksUrl

__all__ = [
    "FIXED",
    "LIFTED",
    "defaults",
    "mercury_mapping",
    "mercury_problems",
    "project_tokens",
    "user_keys",
]

_ALGORITHM: Final = "RS512"
FIXED: Final = (("type", "access"),)
"""What user tokens say, to the letter: a token without it is of another kind."""
LIFTED: Final = ("uuid", "email", "name")
"""The members of ``sub`` that count as claims, and all that a response shows of a user."""


def defaults() -> Options:
    """The options that make an issuer a Mercury.

    The entries of its Redis are Mercury's, and end with the ``exp`` of their tokens: there is no leeway (Law 5.8).
    """
    return {
        "name": "mercury",
        "algorithms": [_ALGORITHM],
        "leeway": 0.0,
        "subject": "sub.uuid",
        "tenant": "project_uuid",
        "required_claims": ["iat", "nbf"],
        "tenant_matches_project": True,
    }


def user_keys(base_url: str, signing: RequestSigning) -> TenantKeys:
    """Where the keys of user tokens are: one set for each project."""
    return TenantKeys(base_url, "/auth/projects/{tenant}/.well-known/jwks.json", signing)


def project_tokens(base_url: str, leeway: float, signing: RequestSigning) -> ProjectTokens:
    """The project tokens, whose keys are one set for all projects."""
    return ProjectTokens(
        issuer=base_url,
        trust=JwksUrl(f"{base_url}/auth/project/.well-known/jwks.json", signing),
        algorithms=frozenset({_ALGORITHM}),
        leeway=leeway,
    )


def mercury_mapping(mapping: ClaimsMap, fallback_tenant: str | None) -> ClaimsMap:
    """The configured mapping, knowing that projects are UUIDs, and that ``sub`` is an object."""
    return replace(
        mapping, fallback_tenant=fallback_tenant, tenant_is_uuid=True, lifted=LIFTED, public=LIFTED
    )


def mercury_problems(base_url: object, tenants: object) -> Iterator[str]:
    """What is wrong with the base URL, which is the expected ``iss`` as well, and with the projects."""
    if tenants is None:
        yield "tenants: name the projects that are served here, or a fallback_tenant=..."
    if isinstance(base_url, str) and base_url.endswith("/"):
        yield "base_url: ends with a slash; it is the expected iss as well, byte for byte, and that has none"
    if isinstance(base_url, str):
        yield from base_url_problems(base_url)
