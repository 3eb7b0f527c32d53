"""The authgate gate for Strawberry: permission classes, a field extension, decorators and a schema extension."""

from ..errors import keep_quiet
from ..reading import (
    get_admission,
    get_current_project,
    get_current_user,
    is_authenticated,
    is_project_authenticated,
)
from .decorators import requires_combined_auth, requires_jwt_auth, requires_project_auth
from .extension import AuthGateExtension
from .guard import Guard
from .listing import guarded_fields
from .permissions import CombinedAuthPermission, JWTAuthPermission, ProjectAuthPermission, requires
from .public import Public, public
from .subscriptions import GuardedSubscriptions

__all__ = [
    "AuthGateExtension",
    "CombinedAuthPermission",
    "Guard",
    "GuardedSubscriptions",
    "JWTAuthPermission",
    "ProjectAuthPermission",
    "Public",
    "get_admission",
    "get_current_project",
    "get_current_user",
    "guarded_fields",
    "is_authenticated",
    "is_project_authenticated",
    "public",
    "requires",
    "requires_combined_auth",
    "requires_jwt_auth",
    "requires_project_auth",
]

keep_quiet("strawberry.execution")
keep_quiet("strawberry.ws.task")
