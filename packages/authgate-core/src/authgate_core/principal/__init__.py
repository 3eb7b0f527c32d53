"""Who was admitted: principals, the admission that holds them, and what names them."""

from .admission import Admission, Rule, ShadowAdmission, joined, named_callers
from .base import Common, Principal, frozen
from .claims import MISSING, ClaimPath, Missing, as_path, claim_path, resolve
from .identity import ApiKey, Project, Service, User, new_service, new_user
from .refs import PrincipalRef, ProjectRef, Revocation, RevocationKind, TokenRef, is_plain_name, is_uuid

__all__ = [
    "MISSING",
    "Admission",
    "ApiKey",
    "ClaimPath",
    "Common",
    "Missing",
    "Principal",
    "PrincipalRef",
    "Project",
    "ProjectRef",
    "Revocation",
    "RevocationKind",
    "Rule",
    "Service",
    "ShadowAdmission",
    "TokenRef",
    "User",
    "as_path",
    "claim_path",
    "frozen",
    "is_plain_name",
    "is_uuid",
    "joined",
    "named_callers",
    "new_service",
    "new_user",
    "resolve",
]
