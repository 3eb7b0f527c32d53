"""The names of the auth service's own SDK.

Its middlewares bring a gate of their own to the dependencies behind them; without one the dependencies stand behind
``AuthGate(app, ...)``.
"""

from typing import Final, NoReturn

from .csrf import CookieCSRFMiddleware
from .dependencies import get_current_user, require_action_token, require_fresh_auth, require_role
from .identities import (
    APIKeyIdentity,
    AuthenticatedIdentity,
    AuthenticatedJWTIdentity,
    ServiceIdentity,
    UserIdentity,
)
from .middleware import APIKeyAuthMiddleware, JWTAuthMiddleware

__all__ = [
    "APIKeyAuthMiddleware",
    "APIKeyIdentity",
    "AuthenticatedIdentity",
    "AuthenticatedJWTIdentity",
    "CookieCSRFMiddleware",
    "JWTAuthMiddleware",
    "ServiceIdentity",
    "UserIdentity",
    "get_current_user",
    "require_action_token",
    "require_fresh_auth",
    "require_role",
]

_GONE: Final = {
    "AuthClient": "the middlewares make their own calls; authgate_core.outbound.ServiceClient has tokens for yours",
    "JWKSCacheManager": "the gate keeps the keys itself; leave jwks_cache= out",
}


def __getattr__(name: str) -> NoReturn:
    """Say what stands for a name that is not carried over."""
    if name in _GONE:
        raise ImportError(f"{__name__} has no {name}: {_GONE[name]}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
