"""The dependencies of the older FastAPI client: ours, giving its contexts."""

from __future__ import annotations

from typing import Final, cast

from authgate_core import Admission, User, any_role, is_service, is_user

from ...dependencies import bearer
from ...guards import Guard
from ...locate import gate_or_keycloak_environment as _gate
from ...roles import Asking, service_roles, user_roles, user_scopes
from .contexts import AuthContext, ServiceContext, UserContext, context_of

__all__ = [
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


get_current_auth: Final = Guard("get_current_auth", bearer, _caller, find=_gate)
"""A user or a service."""
get_current_user: Final = Guard("get_current_user", is_user, _user, find=_gate)
"""A user; a service gets 403."""
get_current_service: Final = Guard("get_current_service", is_service, _service, find=_gate)
"""A service; a user gets 403."""
get_optional_auth: Final = Guard("get_optional_auth", bearer, _caller_or_none, optional=True, find=_gate)
"""A user or a service, or None where nothing is presented; an invalid token gets 401 (Law 1.4)."""
get_optional_user: Final = Guard("get_optional_user", bearer, _user_or_none, optional=True, find=_gate)
"""A user, or None where nothing is presented, or a service calls; an invalid token gets 401 (Law 1.4)."""
verify_hmac_signature: Final = Guard("verify_hmac_signature", bearer, _caller, find=_gate)
"""A user or a service. Where the gateway signs (``VERIFY_HMAC``), every guard verifies that before it believes it."""

require_roles: Final = Asking("require_roles", any_role, _caller, find=_gate)
"""A user or service with any of the roles."""
require_user_roles: Final = Asking("require_user_roles", user_roles, _user, find=_gate)
"""A user with any of the roles."""
require_service_roles: Final = Asking("require_service_roles", service_roles, _service, find=_gate)
"""A service with any of the roles."""
require_scopes: Final = Asking("require_scopes", user_scopes, _user, find=_gate)
"""A user with all of the scopes."""

require_admin: Final = Guard("require_admin", any_role("admin"), _caller, find=_gate)
"""A user or service with the role ``admin``."""
require_supplier: Final = Guard("require_supplier", any_role("supplier"), _caller, find=_gate)
"""A user or service with the role ``supplier``."""
require_customer: Final = Guard("require_customer", any_role("customer"), _caller, find=_gate)
"""A user or service with the role ``customer``."""
require_moderator: Final = Guard("require_moderator", any_role("moderator"), _caller, find=_gate)
"""A user or service with the role ``moderator``."""
require_supplier_or_admin: Final = Guard(
    "require_supplier_or_admin", any_role("supplier", "admin"), _caller, find=_gate
)
"""A user or service with the role ``supplier`` or ``admin``."""
require_user_admin: Final = Guard("require_user_admin", user_roles("admin"), _user, find=_gate)
"""A user with the role ``admin``."""
require_user_supplier: Final = Guard("require_user_supplier", user_roles("supplier"), _user, find=_gate)
"""A user with the role ``supplier``."""
require_user_customer: Final = Guard("require_user_customer", user_roles("customer"), _user, find=_gate)
"""A user with the role ``customer``."""
require_user_moderator: Final = Guard("require_user_moderator", user_roles("moderator"), _user, find=_gate)
"""A user with the role ``moderator``."""
