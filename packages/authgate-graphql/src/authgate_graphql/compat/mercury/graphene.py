"""What the older client exported for Graphene."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ...graphene.guards import behind
from .older import COMBINED, JWT, PROJECT

__all__ = ["combined_auth_required", "jwt_auth_required", "project_auth_required"]

R = TypeVar("R", bound=Callable[..., Any])  # a resolver takes and returns whatever its field does


def jwt_auth_required(resolver: R) -> R:
    """Guard a resolver by ``is_user``; the user is then ``info.context.req.user``."""
    return behind(resolver, JWT, "jwt_auth_required")


def project_auth_required(resolver: R) -> R:
    """Guard a resolver by ``is_project``; the project is then ``info.context.req.project``."""
    return behind(resolver, PROJECT, "project_auth_required")


def combined_auth_required(resolver: R) -> R:
    """Guard a resolver by ``is_user & is_project``; both are then there."""
    return behind(resolver, COMBINED, "combined_auth_required")
