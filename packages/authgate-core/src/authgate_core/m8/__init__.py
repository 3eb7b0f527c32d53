"""For services around an m8: rotation of refresh tokens. ``Issuer.m8`` needs none of it."""

from .refresh import NextToken
from .rotation import RefreshOptions
from .tokens import AsyncRefreshTokens, RefreshTokens

__all__ = ["AsyncRefreshTokens", "NextToken", "RefreshOptions", "RefreshTokens"]
