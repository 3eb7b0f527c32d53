"""The named dependencies, and the ``Annotated`` aliases made of them."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends
from starlette.requests import HTTPConnection

from authgate_core import (
    Admission,
    ApiKey,
    AsyncGate,
    Policy,
    Project,
    Service,
    User,
    is_api_key,
    is_project,
    is_service,
    is_user,
)
from authgate_core.principal import Principal

from .admission import admitted
from .give import (
    give_api_key,
    give_both,
    give_caller,
    give_caller_or_none,
    give_project,
    give_service,
    give_user,
    give_user_or_none,
)
from .guards import Guard
from .locate import gate_of, gate_or_environment
from .refusals import answer_refusals

__all__ = [
    "CurrentAdmission",
    "CurrentApiKey",
    "CurrentGate",
    "CurrentPrincipal",
    "CurrentProject",
    "CurrentService",
    "CurrentUser",
    "OptionalPrincipal",
    "OptionalUser",
    "any_of",
    "bearer",
    "fastapi_combined_auth",
    "fastapi_jwt_auth",
    "fastapi_project_auth",
    "get_current_api_key",
    "get_current_auth",
    "get_current_principal",
    "get_current_project",
    "get_current_service",
    "get_current_user",
    "get_optional_auth",
    "get_optional_principal",
    "get_optional_user",
]


def any_of(gate: AsyncGate, *kinds: Policy) -> Policy:
    """Those of the kinds that the gate has a source for; of none the first, which it then refuses by name."""
    policy, *others = [kind for kind in kinds if gate.has_source(kind)] or kinds[:1]
    for other in others:
        policy |= other
    return policy


def bearer(gate: AsyncGate) -> Policy:
    """Whomever a Bearer token may speak for."""
    return any_of(gate, is_user, is_service)


def _anyone(gate: AsyncGate) -> Policy:
    return any_of(gate, is_user, is_service, is_project, is_api_key)


async def _gate(connection: HTTPConnection) -> AsyncGate:
    gate = await gate_of(connection)
    answer_refusals(connection, gate)
    return gate


fastapi_jwt_auth: Final = Guard("fastapi_jwt_auth", is_user, give_user, find=gate_or_environment)
"""``Depends(fastapi_jwt_auth)``: a user token; gives the user."""
fastapi_project_auth: Final = Guard(
    "fastapi_project_auth", is_project, give_project, find=gate_or_environment
)
"""``Depends(fastapi_project_auth)``: ``x-app-id`` and ``x-app-secret``; gives the project."""
fastapi_combined_auth: Final = Guard(
    "fastapi_combined_auth", is_user & is_project, give_both, find=gate_or_environment
)
"""``Depends(fastapi_combined_auth)``: both; gives ``{"user": ..., "project": ...}``."""

get_current_user: Final = Guard("get_current_user", is_user, give_user)
"""``Depends(get_current_user)``: the user; 401 without one, 403 for a service."""
get_current_service: Final = Guard("get_current_service", is_service, give_service)
"""``Depends(get_current_service)``: the service."""
get_current_project: Final = Guard("get_current_project", is_project, give_project)
"""``Depends(get_current_project)``: the project."""
get_current_api_key: Final = Guard("get_current_api_key", is_api_key, give_api_key)
"""``Depends(get_current_api_key)``: the API key."""
get_current_auth: Final = Guard("get_current_auth", bearer, give_caller)
"""``Depends(get_current_auth)``: whom the Bearer token speaks for, a user or a service."""
get_current_principal: Final = Guard("get_current_principal", _anyone, give_caller)
"""``Depends(get_current_principal)``: who calls, of any kind that the gate has a source for; the user or
service where a project came along."""
get_optional_auth: Final = Guard("get_optional_auth", bearer, give_caller_or_none, optional=True)
"""``Depends(get_optional_auth)``: as ``get_current_auth``, or None without a Bearer token (Law 1.4)."""
get_optional_principal: Final = Guard("get_optional_principal", _anyone, give_caller_or_none, optional=True)
"""``Depends(get_optional_principal)``: as ``get_current_principal``, or None for nobody (Law 1.4)."""
get_optional_user: Final = Guard("get_optional_user", bearer, give_user_or_none, optional=True)
"""``Depends(get_optional_user)``: the user, or None when nobody, or a service, calls (Law 1.4)."""

CurrentUser = Annotated[User, Depends(get_current_user)]
"""The user who calls."""
CurrentService = Annotated[Service, Depends(get_current_service)]
"""The service that calls."""
CurrentProject = Annotated[Project, Depends(get_current_project)]
"""The project that calls."""
CurrentApiKey = Annotated[ApiKey, Depends(get_current_api_key)]
"""The API key that was presented."""
CurrentPrincipal = Annotated[Principal, Depends(get_current_principal)]
"""Whoever calls."""
CurrentAdmission = Annotated[
    Admission, Depends(admitted, use_cache=False)
]  # who was admitted may become more
"""Everyone whom the guards of this route have admitted before this parameter."""
CurrentGate = Annotated[AsyncGate, Depends(_gate)]
"""The gate of the app, for ``gate.revocations`` and ``gate.health()``; admits nobody by itself."""
OptionalUser = Annotated[User | None, Depends(get_optional_user)]
"""The user who calls, or None."""
OptionalPrincipal = Annotated[Principal | None, Depends(get_optional_principal)]
"""Whoever calls, or None."""
