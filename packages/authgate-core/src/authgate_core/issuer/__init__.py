"""Issuers: whose tokens are believed, on what terms, and what their claims mean."""

from .auth_service import action_rules
from .introspection import Introspection
from .project_tokens import ProjectTokens
from .settings import ANY_AUDIENCE, AnyAudience
from .spec import Issuer, KeyOrigin
from .tenancy import TenantKeys
from .trust import Discovery, JwksUrl, StaticKeys

__all__ = [
    "ANY_AUDIENCE",
    "AnyAudience",
    "Discovery",
    "Introspection",
    "Issuer",
    "JwksUrl",
    "KeyOrigin",
    "ProjectTokens",
    "StaticKeys",
    "TenantKeys",
    "action_rules",
]
