"""The named dependencies, and the ``Annotated`` aliases made of them."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Annotated, Final

from authgate_core import (
    Admission,
    AsyncGate,
    Policy,
    Principal,
    Project,
    Service,
    User,
    is_project,
    is_service,
    is_user,
)
from fastapi import Depends

from .guards import Guard
from .overrides import get_admission

__all__ = [
    "CurrentAdmission",
    "CurrentPrincipal",
    "CurrentProject",
    "CurrentService",
    "CurrentUser",
    "OptionalPrincipal",
    "OptionalUser",
    "fastapi_combined_auth",
    "fastapi_jwt_auth",
    "fastapi_project_auth",
    "get_current_auth",
    "get_current_principal",
    "get_current_project",
    "get_current_service",
    "get_current_user",
    "get_optional_auth",
    "get_optional_user",
]


def _bearer(gate: AsyncGate) -> Policy:
    """A user or a service, as far as the gate knows of any."""
    return reduce(or_, [kind for kind in (is_user, is_service) if gate.has_source(kind)] or [is_user])


def _anyone(gate: AsyncGate) -> Policy:
    """Any kind that the gate has a source for."""
    return reduce(or_, [kind for kind in (is_user, is_service, is_project) if gate.has_source(kind)] or [is_user])


def _user(admission: Admission) -> User:
    return admission.user


def _service(admission: Admission) -> Service:
    return admission.service


def _project(admission: Admission) -> Project:
    return admission.project


def _principal(admission: Admission) -> Principal:
    return admission.principal


def _principal_or_none(admission: Admission) -> Principal | None:
    return admission.principal if admission.principals else None


def _user_or_none(admission: Admission) -> User | None:
    return admission.get(User)


def _both(admission: Admission) -> dict[str, User | Project]:
    return {"user": admission.user, "project": admission.project}


fastapi_jwt_auth: Final = Guard("fastapi_jwt_auth", is_user, _user, standalone=True)
"""``Depends(fastapi_jwt_auth)``: a user token; gives the user."""
fastapi_project_auth: Final = Guard("fastapi_project_auth", is_project, _project, standalone=True)
"""``Depends(fastapi_project_auth)``: ``x-app-id`` and ``x-app-secret``; gives the project."""
fastapi_combined_auth: Final = Guard("fastapi_combined_auth", is_user & is_project, _both, standalone=True)
"""``Depends(fastapi_combined_auth)``: both; gives ``{"user": ..., "project": ...}``."""

get_current_user: Final = Guard("get_current_user", is_user, _user)
"""``Depends(get_current_user)``: the user; 401 without one, 403 for a service."""
get_current_service: Final = Guard("get_current_service", is_service, _service)
"""``Depends(get_current_service)``: the service."""
get_current_project: Final = Guard("get_current_project", is_project, _project)
"""``Depends(get_current_project)``: the project."""
get_current_auth: Final = Guard("get_current_auth", _bearer, _principal)
"""``Depends(get_current_auth)``: whoever the Bearer token speaks of, user or service."""
get_current_principal: Final = Guard("get_current_principal", _anyone, _principal)
"""``Depends(get_current_principal)``: whoever calls, of any kind that the gate has a source for."""
get_optional_auth: Final = Guard("get_optional_auth", _anyone, _principal_or_none, optional=True)
"""``Depends(get_optional_auth)``: whoever calls, or None when nothing was presented (Law 1.4)."""
get_optional_user: Final = Guard("get_optional_user", _bearer, _user_or_none, optional=True)
"""``Depends(get_optional_user)``: the user, or None when nobody, or a service, calls (Law 1.4)."""

CurrentUser = Annotated[User, Depends(get_current_user)]
"""The user who calls."""
CurrentService = Annotated[Service, Depends(get_current_service)]
"""The service that calls."""
CurrentProject = Annotated[Project, Depends(get_current_project)]
"""The project that calls."""
CurrentPrincipal = Annotated[Principal, Depends(get_current_principal)]
"""Whoever calls."""
CurrentAdmission = Annotated[Admission, Depends(get_admission)]
"""Everyone whom the guards of this route have admitted."""
OptionalUser = Annotated[User | None, Depends(get_optional_user)]
"""The user who calls, or None."""
OptionalPrincipal = Annotated[Principal | None, Depends(get_optional_auth)]
"""Whoever calls, or None."""
