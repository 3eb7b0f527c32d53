"""What the older client of Mercury exported, over authgate's own.

Refusals have the body that it gave them, ``{"error": "..."}``, with authgate's status and challenge, unless the
application has words of its own. In an application without a gate the first guard builds one from the variables
that the older client read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Never, TypeVar

from flask import Flask, Request
from flask.globals import app_ctx

from authgate_core import Admission, AuthgateError, GateConfig, Policy, Project, User, is_project, is_user
from authgate_core.challenge import Problem

from ..admit import admit
from ..guard import Guard, called_bare
from ..installed import Installed
from ..installing import installed_once, make

__all__ = [
    "AuthUser",
    "AuthenticatedRequest",
    "JwtAuthMiddleware",
    "Project",
    "ProjectAuthMiddleware",
    "flask_combined_auth",
    "flask_jwt_auth",
    "flask_project_auth",
]

V = TypeVar("V", bound=Callable[..., Any])  # a view takes and returns whatever its route does

AuthUser = User
"""The user, as ``g.user`` and ``AuthenticatedRequest.user``: ``user["uuid"]``, ``["email"]``, ``["name"]``."""


class AuthenticatedRequest:
    """A request, and who was found to have sent it; for all else it is the request.

    Args:
        request: Flask's request.

    Attributes:
        request: As given.
        user: The user, once ``JwtAuthMiddleware`` has authenticated the request.
        project: The project, once ``ProjectAuthMiddleware`` has.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.user: User | None = None
        self.project: Project | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - an attribute of the request is of any type
        return getattr(vars(self).get("request"), name)


class JwtAuthMiddleware:
    """Authenticates the user of a request by hand; from an async view use the decorators."""

    def authenticate(self, request: AuthenticatedRequest) -> AuthenticatedRequest:
        """Set ``request.user``, and return the request.

        Raises:
            AuthgateError: If it is not admitted; Flask answers it.
        """
        request.user = _admitted(request, is_user).get(User)
        return request


class ProjectAuthMiddleware:
    """Authenticates the project of a request by hand; from an async view use the decorators."""

    def authenticate(self, request: AuthenticatedRequest) -> AuthenticatedRequest:
        """Set ``request.project``, and return the request.

        Raises:
            AuthgateError: If it is not admitted; Flask answers it.
        """
        request.project = _admitted(request, is_project).get(Project)
        return request


def flask_jwt_auth(*misused: Never) -> Callable[[V], V]:
    """Guard a view by ``is_user`` and set ``g.user``: ``@flask_jwt_auth()``."""
    called_bare("flask_jwt_auth", misused)
    return Guard(is_user, sets_g=("user",), find=_installed, words=_in_old_words)


def flask_project_auth(*misused: Never) -> Callable[[V], V]:
    """Guard a view by ``is_project`` and set ``g.project``: ``@flask_project_auth()``."""
    called_bare("flask_project_auth", misused)
    return Guard(is_project, sets_g=("project",), find=_installed, words=_in_old_words)


def flask_combined_auth(*misused: Never) -> Callable[[V], V]:
    """Guard a view by ``is_user & is_project`` and set both: ``@flask_combined_auth()``."""
    called_bare("flask_combined_auth", misused)
    return Guard(is_user & is_project, sets_g=("user", "project"), find=_installed, words=_in_old_words)


def _admitted(request: AuthenticatedRequest, policy: Policy) -> Admission:
    return admit(_installed(app_ctx.app), request.request, policy, words=_in_old_words)


def _installed(app: Flask) -> Installed:
    return installed_once(app, _from_old_environment)


def _from_old_environment(app: Flask) -> Installed:
    return make(app, GateConfig.from_env(profile="mercury"), on_refusal=_in_old_words)


def _in_old_words(_error: AuthgateError, problem: Problem) -> Mapping[str, Any]:
    return {"error": problem.body["detail"]}
