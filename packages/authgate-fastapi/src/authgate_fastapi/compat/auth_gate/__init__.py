"""The older FastAPI client's names, behind ``AuthGate(app, ...)``.

Of that client, which stood behind Keycloak or a gateway, these are the contexts, the dependencies and the
middleware.
"""

from .contexts import AuthContext, ServiceContext, UserContext
from .dependencies import (
    get_current_auth,
    get_current_service,
    get_current_user,
    get_optional_auth,
    get_optional_user,
    require_admin,
    require_roles,
    require_scopes,
    require_service_roles,
    require_user_roles,
)
from .middleware import AuthMiddleware

__all__ = [
    "AuthContext",
    "AuthMiddleware",
    "ServiceContext",
    "UserContext",
    "get_current_auth",
    "get_current_service",
    "get_current_user",
    "get_optional_auth",
    "get_optional_user",
    "require_admin",
    "require_roles",
    "require_scopes",
    "require_service_roles",
    "require_user_roles",
]
