"""What a guard injects, of what it found."""

from __future__ import annotations

from authgate_core import Admission, ApiKey, Project, Service, User
from authgate_core.principal import Principal

__all__ = [
    "give_all",
    "give_api_key",
    "give_both",
    "give_caller",
    "give_caller_or_none",
    "give_project",
    "give_service",
    "give_user",
    "give_user_or_none",
]


def give_all(admission: Admission) -> Admission:
    """Everything."""
    return admission


def give_user(admission: Admission) -> User:
    """The user."""
    return admission.user


def give_user_or_none(admission: Admission) -> User | None:
    """The user, if one was admitted."""
    return admission.get(User)


def give_service(admission: Admission) -> Service:
    """The service."""
    return admission.service


def give_project(admission: Admission) -> Project:
    """The project."""
    return admission.project


def give_api_key(admission: Admission) -> ApiKey:
    """The API key."""
    return admission.api_key


def give_both(admission: Admission) -> dict[str, User | Project]:
    """Both, by name."""
    return {"user": admission.user, "project": admission.project}


def give_caller(admission: Admission) -> Principal:
    """Whoever calls."""
    return admission.principal


def give_caller_or_none(admission: Admission) -> Principal | None:
    """Whoever calls, if anybody was admitted."""
    return admission.principal if admission else None
