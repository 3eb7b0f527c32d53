"""What the older client of Mercury exported, over authgate's own.

Refusals are raised as FastAPI's ``HTTPException`` and have the body that it gave them, ``{"detail": "..."}``, with
authgate's status and challenge, unless the app has words of its own. In an app without ``AuthGate(app)`` the first
guard builds a gate from the variables that the older client read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, TypeVar

from fastapi.security import SecurityScopes
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from authgate_core import AsyncGate, AuthgateError, Project, User, is_project, is_user
from authgate_core.challenge import Problem

from ..give import give_both, give_project, give_user
from ..guards import Guard
from ..locate import gate_or_older_environment
from ..refusals import answer_unless_told, is_answered_with, problem_of
from .raised import raised

__all__ = [
    "AuthUser",
    "AuthenticatedRequest",
    "JwtAuthMiddleware",
    "Project",
    "ProjectAuthMiddleware",
    "fastapi_combined_auth",
    "fastapi_jwt_auth",
    "fastapi_project_auth",
]

T = TypeVar("T")

AuthUser = User
"""The user: ``user["uuid"]``, ``["email"]``, ``["name"]``, which are also what a response shows."""


def _in_old_words(_error: AuthgateError, problem: Problem) -> Mapping[str, Any]:
    return {"detail": problem.body["detail"]}


async def _gate(connection: HTTPConnection) -> AsyncGate:
    gate = await gate_or_older_environment(connection)
    answer_unless_told(connection.scope, _in_old_words)
    return gate


class _Guard(Guard[T]):
    """A guard that refuses in the older client's words."""

    plain_body: ClassVar = False

    async def _admit(
        self, connection: HTTPConnection, security_scopes: SecurityScopes, response: Response
    ) -> T:
        try:
            return await super()._admit(connection, security_scopes, response)
        except AuthgateError as error:
            refusal = error
        if isinstance(connection, Request) and is_answered_with(connection.scope, _in_old_words):
            raise raised(refusal, await problem_of(connection, refusal)) from refusal
        raise refusal


fastapi_jwt_auth: Final = _Guard("fastapi_jwt_auth", is_user, give_user, find=_gate)
"""``Depends(fastapi_jwt_auth)``: a user token; gives the user."""
fastapi_project_auth: Final = _Guard("fastapi_project_auth", is_project, give_project, find=_gate)
"""``Depends(fastapi_project_auth)``: a project; gives it: ``project["projectUuid"]``, ``["projectName"]``."""
fastapi_combined_auth: Final = _Guard("fastapi_combined_auth", is_user & is_project, give_both, find=_gate)
"""``Depends(fastapi_combined_auth)``: both; gives ``{"user": ..., "project": ...}``."""


class AuthenticatedRequest:
    """A request, and who was found to have sent it; for all else it is the request.

    Args:
        request: FastAPI's request.

    Attributes:
        request: As given.
        user: The user, once ``JwtAuthMiddleware`` has authenticated the request.
        project: The project, once ``ProjectAuthMiddleware`` has.
    """

    def __init__(self, request: HTTPConnection) -> None:
        self.request = request
        self.user: User | None = None
        self.project: Project | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - an attribute of the request is of any type
        return getattr(vars(self).get("request"), name)


class JwtAuthMiddleware:
    """Authenticates the user of a request by hand."""

    async def authenticate(self, request: AuthenticatedRequest) -> AuthenticatedRequest:
        """Set ``request.user``, and return the request.

        Raises:
            HTTPException: If it is not admitted; an ``AuthgateError`` as well.
        """
        request.user = await fastapi_jwt_auth(request.request)
        return request


class ProjectAuthMiddleware:
    """Authenticates the project of a request by hand."""

    async def authenticate(self, request: AuthenticatedRequest) -> AuthenticatedRequest:
        """Set ``request.project``, and return the request.

        Raises:
            HTTPException: If it is not admitted; an ``AuthgateError`` as well.
        """
        request.project = await fastapi_project_auth(request.request)
        return request
