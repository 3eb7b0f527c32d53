"""Which keys may verify a token, and when newer ones are fetched: decided purely, over an immutable snapshot.

``KeyRing.plan`` says what to do, the flows in ``flows.keys`` ask for it, and ``runner.refresher`` alone
replaces ``KeyRing.state``, by way of the transitions on ``RingState``.
"""

from __future__ import annotations

from .notices import notices
from .plan import Await, Plan, Refuse, Settled, Unavailable, Use, UseAndRefresh
from .ring import KeyRing, KeySetHealth
from .state import RingState
from .tenants import TenantDoor, TenantRings
from .times import KeySource, KeyTimes

__all__ = [
    "Await",
    "KeyRing",
    "KeySetHealth",
    "KeySource",
    "KeyTimes",
    "Plan",
    "Refuse",
    "RingState",
    "Settled",
    "TenantDoor",
    "TenantRings",
    "Unavailable",
    "Use",
    "UseAndRefresh",
    "notices",
]
