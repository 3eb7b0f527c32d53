"""The dependencies of the older FastAPI client: ours, giving its contexts."""

from __future__ import annotations

from typing import Final, cast

from authgate_core import Admission, User, any_role, is_service, is_user

from ...dependencies import bearer
from ...guards import Guard
from ...roles import Asking, service_roles, user_roles, user_scopes
from .contexts import AuthContext, ServiceContext, UserContext, context_of

__all__ = [
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


def _user(admission: Admission) -> UserContext:
    return UserContext(admission.user)


def _service(admission: Admission) -> ServiceContext:
    return ServiceContext(admission.service)


def _caller(admission: Admission) -> AuthContext:
    return cast("AuthContext", context_of(admission.principal))  # of a Bearer token nobody else is the bearer


def _caller_or_none(admission: Admission) -> AuthContext | None:
    return context_of(admission.principal) if admission else None


def _user_or_none(admission: Admission) -> UserContext | None:
    user = admission.get(User)
    return None if user is None else UserContext(user)


get_current_auth: Final = Guard("get_current_auth", bearer, _caller)
"""A user or a service."""
get_current_user: Final = Guard("get_current_user", is_user, _user)
"""A user; a service gets 403."""
get_current_service: Final = Guard("get_current_service", is_service, _service)
"""A service; a user gets 403."""
get_optional_auth: Final = Guard("get_optional_auth", bearer, _caller_or_none, optional=True)
"""A user or a service, or None where nothing is presented; an invalid token gets 401 (Law 1.4)."""
get_optional_user: Final = Guard("get_optional_user", bearer, _user_or_none, optional=True)
"""A user, or None where nothing is presented, or a service calls; an invalid token gets 401 (Law 1.4)."""

require_roles: Final = Asking("require_roles", any_role, _caller)
"""A user or service with any of the roles."""
require_user_roles: Final = Asking("require_user_roles", user_roles, _user)
"""A user with any of the roles."""
require_service_roles: Final = Asking("require_service_roles", service_roles, _service)
"""A service with any of the roles."""
require_scopes: Final = Asking("require_scopes", user_scopes, _user)
"""A user with all of the scopes."""
require_admin: Final = Guard("require_admin", any_role("admin"), _caller)
"""A user or service with the role ``admin``."""
