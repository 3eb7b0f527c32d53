"""Policies: who may pass, written as a value and decided in one place."""

from .algebra import AllOf, AnyOf, Leaf, Policy, UnsafeAllowAnonymous, compile_policy
from .compiled import Branch, CompiledPolicy, kind_of
from .decision import Decision, evaluate
from .hierarchy import RoleHierarchy
from .vocabulary import (
    Of,
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
    is_api_key,
    is_project,
    is_service,
    is_user,
    same_tenant,
)

__all__ = [
    "AllOf",
    "AnyOf",
    "Branch",
    "CompiledPolicy",
    "Decision",
    "Leaf",
    "Of",
    "Policy",
    "RoleHierarchy",
    "UnsafeAllowAnonymous",
    "action",
    "all_roles",
    "all_scopes",
    "any_acr",
    "any_client",
    "any_role",
    "any_scope",
    "check",
    "claim_equals",
    "compile_policy",
    "evaluate",
    "fresh_within",
    "from_issuer",
    "has_claim",
    "is_api_key",
    "is_project",
    "is_service",
    "is_user",
    "kind_of",
    "same_tenant",
]
