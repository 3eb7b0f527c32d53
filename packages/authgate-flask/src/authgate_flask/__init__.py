"""The authgate gate for Flask: one extension, one decorator, and proxies that say who was admitted."""

from .extension import AuthGate, current_gate
from .guard import flask_combined_auth, flask_jwt_auth, flask_project_auth, requires
from .listing import guarded_routes
from .logout import backchannel_logout
from .protect import protect
from .proxies import current_admission, current_api_key, current_project, current_service, current_user
from .public import public

__all__ = [
    "AuthGate",
    "backchannel_logout",
    "current_admission",
    "current_api_key",
    "current_gate",
    "current_project",
    "current_service",
    "current_user",
    "flask_combined_auth",
    "flask_jwt_auth",
    "flask_project_auth",
    "guarded_routes",
    "protect",
    "public",
    "requires",
]
