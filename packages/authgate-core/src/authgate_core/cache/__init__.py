"""What answers of others a gate remembers, for how long and how many of them."""

from .plans import Ask, Barred, Hit, HitAndRefresh, Limited, Plan, Refused
from .projects import ProjectCache
from .tenants import TenantPredicate, TenantsServed
from .tokens import VerifiedTokens

__all__ = [
    "Ask",
    "Barred",
    "Hit",
    "HitAndRefresh",
    "Limited",
    "Plan",
    "ProjectCache",
    "Refused",
    "TenantPredicate",
    "TenantsServed",
    "VerifiedTokens",
]
