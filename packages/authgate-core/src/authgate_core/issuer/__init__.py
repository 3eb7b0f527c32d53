"""Issuers: whose tokens are believed, on what terms, and what their claims mean."""

from .apex import METADATA, Apex, apex_claims
from .apex_users import ApexUser, ServiceUser, Unreadable, read_member, read_user
from .auth_service import action_rules
from .introspection import Introspection
from .mapping import model_of
from .project_tokens import ProjectTokens
from .settings import ANY_AUDIENCE, AnyAudience
from .spec import Issuer, KeyOrigin
from .tenancy import TenantKeys
from .trust import Discovery, JwksUrl, NoKeys, StaticKeys

__all__ = [
    "ANY_AUDIENCE",
    "METADATA",
    "AnyAudience",
    "Apex",
    "ApexUser",
    "Discovery",
    "Introspection",
    "Issuer",
    "JwksUrl",
    "KeyOrigin",
    "NoKeys",
    "ProjectTokens",
    "ServiceUser",
    "StaticKeys",
    "TenantKeys",
    "Unreadable",
    "action_rules",
    "apex_claims",
    "model_of",
    "read_member",
    "read_user",
]
