"""The authgate gate for Graphene: resolver decorators, and a schema that is closed unless it says otherwise."""

from ..carriers import AuthenticatedRequest, GqlContext
from ..errors import keep_quiet
from ..reading import (
    get_admission,
    get_current_project,
    get_current_user,
    is_authenticated,
    is_project_authenticated,
)
from .guards import combined_auth_required, jwt_auth_required, project_auth_required, requires
from .listing import guarded_fields
from .middleware import AuthGateMiddleware
from .protection import protect
from .public import public

__all__ = [
    "AuthGateMiddleware",
    "AuthenticatedRequest",
    "GqlContext",
    "combined_auth_required",
    "get_admission",
    "get_current_project",
    "get_current_user",
    "guarded_fields",
    "is_authenticated",
    "is_project_authenticated",
    "jwt_auth_required",
    "project_auth_required",
    "protect",
    "public",
    "requires",
]

keep_quiet("graphql_server.execution")
keep_quiet("graphql_server.ws.task")
