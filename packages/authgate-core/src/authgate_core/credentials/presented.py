"""The kinds of credentials, and what a request presents of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from ..errors import CrossSiteRefused, MalformedCredentials
from ..identity_headers import GatewayIdentity
from ..secret import Secret

__all__ = [
    "ACTION_HEADER",
    "API_KEY",
    "APP",
    "BEARER",
    "COOKIE_HEADER",
    "DPOP_SCHEME",
    "HEADERS",
    "PROJECT_TOKEN_HEADER",
    "PROOF_HEADER",
    "SCHEMES",
    "ActionToken",
    "ApiKeyCredential",
    "AppCredentials",
    "BearerToken",
    "Credential",
    "DPoPToken",
    "Kind",
    "Presented",
    "ProjectToken",
    "scheme_of",
]

Kind: TypeAlias = Literal["bearer", "app", "api_key"]
BEARER: Final[Kind] = "bearer"
APP: Final[Kind] = "app"
API_KEY: Final[Kind] = "api_key"

SCHEMES: Final[Mapping[Kind, str]] = {BEARER: "Bearer", APP: "AppCredentials", API_KEY: "ApiKey"}
"""The scheme that challenges for each kind (Law 1.1)."""

HEADERS: Final[Mapping[Kind, tuple[str, ...]]] = {
    BEARER: ("Authorization",),
    APP: ("X-App-Id", "X-App-Secret"),
    API_KEY: ("X-API-Key", "Authorization"),
}
"""The headers that each kind is read from, as a response names them in ``Vary`` (Law 1.7)."""
COOKIE_HEADER: Final = "Cookie"
"""The header that tokens are read from besides, where cookies are configured."""
PROJECT_TOKEN_HEADER: Final = "X-Project-Token"
"""The header that projects are read from besides, where project tokens are issued."""
ACTION_HEADER: Final = "X-Action-Token"
"""The header that holds the token of one action, where a policy asks for one."""
PROOF_HEADER: Final = "DPoP"
"""The header that tokens are read with besides, where some are bound to keys."""
DPOP_SCHEME: Final = "DPoP"
"""The scheme of a token that a proof goes with: another way to present the kind that ``Bearer`` presents."""


@dataclass(frozen=True, slots=True)
class BearerToken:
    """A token presented as ``Authorization: Bearer`` (RFC 6750 section 2.1)."""

    value: Secret


@dataclass(frozen=True, slots=True)
class DPoPToken:
    """A token presented as ``Authorization: DPoP``, with the proof in a header of its own (RFC 9449 section 7.1)."""

    value: Secret
    proof: Secret | None


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """A project's ``x-app-id`` and ``x-app-secret``."""

    app_id: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class ProjectToken:
    """A project's token in ``x-project-token``, where an issuer of such tokens is configured."""

    value: Secret


@dataclass(frozen=True, slots=True)
class ApiKeyCredential:
    """An API key in ``x-api-key``, or presented as ``Authorization: ApiKey``."""

    value: Secret


@dataclass(frozen=True, slots=True)
class ActionToken:
    """A token in ``x-action-token``: it identifies nobody, and shows that a user has confirmed one action."""

    value: Secret


Credential: TypeAlias = (
    BearerToken | DPoPToken | AppCredentials | ProjectToken | ApiKeyCredential | GatewayIdentity
)
Presented: TypeAlias = Mapping[Kind, Credential | MalformedCredentials | CrossSiteRefused]


def scheme_of(kind: Kind, credential: object) -> str:
    """The scheme that a credential of a kind was presented by."""
    return DPOP_SCHEME if isinstance(credential, DPoPToken) else SCHEMES[kind]
