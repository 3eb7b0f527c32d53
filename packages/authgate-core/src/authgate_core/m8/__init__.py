"""For services around an m8: rotation of refresh tokens, and what it publishes. ``Issuer.m8`` needs none of it."""

from .events import UserDeleted
from .refresh import NextToken
from .rotation import RefreshOptions
from .subscription import AsyncEventSubscription, EventSubscription
from .tokens import AsyncRefreshTokens, RefreshTokens

__all__ = [
    "AsyncEventSubscription",
    "AsyncRefreshTokens",
    "EventSubscription",
    "NextToken",
    "RefreshOptions",
    "RefreshTokens",
    "UserDeleted",
]
