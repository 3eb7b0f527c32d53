"""The authgate gate for FastAPI: one extension, and dependencies for HTTP and WebSocket routes."""

from .admission import get_admission
from .dependencies import (
    CurrentAdmission,
    CurrentApiKey,
    CurrentGate,
    CurrentPrincipal,
    CurrentProject,
    CurrentService,
    CurrentUser,
    OptionalPrincipal,
    OptionalUser,
    fastapi_combined_auth,
    fastapi_jwt_auth,
    fastapi_project_auth,
    get_current_api_key,
    get_current_auth,
    get_current_principal,
    get_current_project,
    get_current_service,
    get_current_user,
    get_optional_auth,
    get_optional_principal,
    get_optional_user,
)
from .extension import AuthGate
from .guards import requires
from .listing import guarded_routes
from .logout import backchannel_logout
from .middleware import OLDER_EXCLUSIONS, AuthMiddleware
from .protection import protect
from .public import public
from .roles import require_admin, require_roles, require_scopes, require_service_roles, require_user_roles

__all__ = [
    "OLDER_EXCLUSIONS",
    "AuthGate",
    "AuthMiddleware",
    "CurrentAdmission",
    "CurrentApiKey",
    "CurrentGate",
    "CurrentPrincipal",
    "CurrentProject",
    "CurrentService",
    "CurrentUser",
    "OptionalPrincipal",
    "OptionalUser",
    "backchannel_logout",
    "fastapi_combined_auth",
    "fastapi_jwt_auth",
    "fastapi_project_auth",
    "get_admission",
    "get_current_api_key",
    "get_current_auth",
    "get_current_principal",
    "get_current_project",
    "get_current_service",
    "get_current_user",
    "get_optional_auth",
    "get_optional_principal",
    "get_optional_user",
    "guarded_routes",
    "protect",
    "public",
    "require_admin",
    "require_roles",
    "require_scopes",
    "require_service_roles",
    "require_user_roles",
    "requires",
]
