"""What answers of others a gate remembers, for how long and how many of them."""

from .answers import Answers
from .plans import Ask, Barred, Hit, HitAndRefresh, Limited, Plan, Refused
from .projects import ProjectCache
from .tenants import TenantPredicate, TenantsServed
from .tokens import VerifiedTokens

__all__ = [
    "Answers",
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
