"""authgate: one gate in front of any Python API that says who is calling.

import authgate_core as ag

gate = ag.Gate(ag.GateConfig(issuers=[ag.Issuer.oidc("https://id.example.com", audience="orders-api")]))
admission = gate.admit(ag.RequestView("GET", "/orders", headers), ag.is_user & ag.all_scopes("orders:read"))
admission.user.id
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from . import ports
from .api_keys import ApiKeys
from .clients import ClientSecret, PrivateKeyJwt
from .config import GateConfig
from .cookies import Cookies
from .errors import (
    AlgorithmRefused,
    ApiKeysUnavailable,
    AuthenticationError,
    AuthgateError,
    AuthorizationError,
    AuthUnavailable,
    BadSignature,
    ConfigurationError,
    CrossSiteRefused,
    EndpointRefused,
    EndpointUnavailable,
    GatewaySignatureRefused,
    GatewaySignatureReplayed,
    InsufficientScope,
    InvalidApiKey,
    InvalidClaim,
    InvalidProjectCredentials,
    InvalidProof,
    InvalidToken,
    KeysUnavailable,
    LoginRefused,
    MalformedCredentials,
    MalformedToken,
    MissingCredentials,
    NotAdmitted,
    ProjectsUnavailable,
    ProofNonceRequired,
    ReplaysUnavailable,
    RevocationUnavailable,
    ServiceNotEnabled,
    StepUpRequired,
    TenantMismatch,
    TokenExpired,
    TokenInactive,
    TokenReused,
    TokenRevoked,
    UnknownIssuer,
    UnknownKey,
    UntrustedGateway,
    UserInactive,
)
from .gate import AsyncGate, Gate
from .gateways import Gateway
from .issuer import ANY_AUDIENCE, Introspection, Issuer
from .policy import (
    Decision,
    Policy,
    RoleHierarchy,
    UnsafeAllowAnonymous,
    action,
    all_roles,
    all_scopes,
    any_acr,
    any_client,
    any_role,
    any_scope,
    check,
    claim_equals,
    fresh_within,
    from_issuer,
    has_claim,
    has_metadata,
    is_api_key,
    is_project,
    is_service,
    is_user,
    same_tenant,
)
from .possession import DPoP
from .principal import Admission, ApiKey, Project, Service, User, claim_path
from .projects import RemoteProjects, StaticProjects
from .replays import MemoryReplays, RedisReplays
from .request import RequestView
from .revocation import MemoryRevocation, RedisRevocation
from .secret import Secret

if TYPE_CHECKING:
    from . import testing

__all__ = [
    "ANY_AUDIENCE",
    "Admission",
    "AlgorithmRefused",
    "ApiKey",
    "ApiKeys",
    "ApiKeysUnavailable",
    "AsyncGate",
    "AuthUnavailable",
    "AuthenticationError",
    "AuthgateError",
    "AuthorizationError",
    "BadSignature",
    "ClientSecret",
    "ConfigurationError",
    "Cookies",
    "CrossSiteRefused",
    "DPoP",
    "Decision",
    "EndpointRefused",
    "EndpointUnavailable",
    "Gate",
    "GateConfig",
    "Gateway",
    "GatewaySignatureRefused",
    "GatewaySignatureReplayed",
    "InsufficientScope",
    "Introspection",
    "InvalidApiKey",
    "InvalidClaim",
    "InvalidProjectCredentials",
    "InvalidProof",
    "InvalidToken",
    "Issuer",
    "KeysUnavailable",
    "LoginRefused",
    "MalformedCredentials",
    "MalformedToken",
    "MemoryReplays",
    "MemoryRevocation",
    "MissingCredentials",
    "NotAdmitted",
    "Policy",
    "PrivateKeyJwt",
    "Project",
    "ProjectsUnavailable",
    "ProofNonceRequired",
    "RedisReplays",
    "RedisRevocation",
    "RemoteProjects",
    "ReplaysUnavailable",
    "RequestView",
    "RevocationUnavailable",
    "RoleHierarchy",
    "Secret",
    "Service",
    "ServiceNotEnabled",
    "StaticProjects",
    "StepUpRequired",
    "TenantMismatch",
    "TokenExpired",
    "TokenInactive",
    "TokenReused",
    "TokenRevoked",
    "UnknownIssuer",
    "UnknownKey",
    "UnsafeAllowAnonymous",
    "UntrustedGateway",
    "User",
    "UserInactive",
    "action",
    "all_roles",
    "all_scopes",
    "any_acr",
    "any_client",
    "any_role",
    "any_scope",
    "check",
    "claim_equals",
    "claim_path",
    "fresh_within",
    "from_issuer",
    "has_claim",
    "has_metadata",
    "is_api_key",
    "is_project",
    "is_service",
    "is_user",
    "ports",
    "same_tenant",
    "testing",
]


def __getattr__(name: str) -> ModuleType:
    """``authgate_core.testing``, which a service in production never loads."""
    if name == "testing":
        return import_module("authgate_core.testing")
    raise AttributeError(f"module 'authgate_core' has no attribute {name!r}")
