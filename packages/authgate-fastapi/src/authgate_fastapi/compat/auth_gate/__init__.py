"""The older FastAPI client's names, with or without ``AuthGate(app)``.

Of that client, which stood behind Keycloak or a gateway, these are the contexts, the dependencies, the middleware, the
validator, and the client for calls of other services. In an app without ``AuthGate(app)`` the first of them that is
asked builds a gate from the variables that the older client read, once in a process.
"""

from .contexts import AuthContext, ServiceContext, UserContext
from .dependencies import (
    get_current_auth,
    get_current_service,
    get_current_user,
    get_optional_auth,
    get_optional_user,
    require_admin,
    require_customer,
    require_moderator,
    require_roles,
    require_scopes,
    require_service_roles,
    require_supplier,
    require_supplier_or_admin,
    require_user_admin,
    require_user_customer,
    require_user_moderator,
    require_user_roles,
    require_user_supplier,
    verify_hmac_signature,
)
from .middleware import AuthMiddleware
from .service_auth import ServiceAuthClient
from .validator import AuthMode, UserValidator

__all__ = [
    "AuthContext",
    "AuthMiddleware",
    "AuthMode",
    "ServiceAuthClient",
    "ServiceContext",
    "UserContext",
    "UserValidator",
    "get_current_auth",
    "get_current_service",
    "get_current_user",
    "get_optional_auth",
    "get_optional_user",
    "require_admin",
    "require_customer",
    "require_moderator",
    "require_roles",
    "require_scopes",
    "require_service_roles",
    "require_supplier",
    "require_supplier_or_admin",
    "require_user_admin",
    "require_user_customer",
    "require_user_moderator",
    "require_user_roles",
    "require_user_supplier",
    "verify_hmac_signature",
]
