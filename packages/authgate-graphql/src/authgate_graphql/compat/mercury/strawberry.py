"""What the older client exported for Strawberry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ...strawberry import AuthGateExtension
from ...strawberry.decorators import decorated
from ...strawberry.permissions import Permission
from .older import COMBINED, JWT, PROJECT

__all__ = [
    "AuthenticationExtension",
    "CombinedAuthPermission",
    "JWTAuthPermission",
    "ProjectAuthPermission",
    "requires_combined_auth",
    "requires_jwt_auth",
    "requires_project_auth",
]

R = TypeVar("R", bound=Callable[..., Any])  # a resolver takes and returns whatever its field does

AuthenticationExtension = AuthGateExtension
"""The schema extension; here it authenticates an operation only if one of its fields has a guard."""


class JWTAuthPermission(Permission):
    """A user, who is then ``info.context["user"]``."""

    requirement = JWT


class ProjectAuthPermission(Permission):
    """A project, which is then ``info.context["project"]``."""

    requirement = PROJECT


class CombinedAuthPermission(Permission):
    """A user and a project, which are then both in the context."""

    requirement = COMBINED


def requires_jwt_auth(resolver: R) -> R:
    """Guard a resolver by ``is_user``."""
    return decorated("requires_jwt_auth", resolver, JWT)


def requires_project_auth(resolver: R) -> R:
    """Guard a resolver by ``is_project``."""
    return decorated("requires_project_auth", resolver, PROJECT)


def requires_combined_auth(resolver: R) -> R:
    """Guard a resolver by ``is_user & is_project``."""
    return decorated("requires_combined_auth", resolver, COMBINED)
