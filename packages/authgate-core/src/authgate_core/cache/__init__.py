"""What answers of others a gate remembers, for how long and how many of them."""

from .plans import Ask, Hit, HitAndRefresh, Limited, Plan, Refused
from .projects import ProjectCache

__all__ = ["Ask", "Hit", "HitAndRefresh", "Limited", "Plan", "ProjectCache", "Refused"]
