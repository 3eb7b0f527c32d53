"""Contexts that carry a request, as the older client of Mercury named them for Graphene."""

from __future__ import annotations

from typing import Any

from authgate_core import AsyncGate, Gate, Project, User

__all__ = ["AuthenticatedRequest", "GqlContext"]


class AuthenticatedRequest:
    """A request, and who was found to have sent it; for all else it is the request.

    Args:
        request: The framework's request.
        gate: Who judges it, where that is not the gate of the app around the view.

    Attributes:
        request: As given.
        gate: As given.
        user: The user, once a guard that asks for one has let the request in; a copy for reading (Law 2.6).
        project: The project, likewise.
    """

    def __init__(self, request: object, *, gate: Gate | AsyncGate | None = None) -> None:
        self.request = request
        self.gate = gate
        self.user: User | None = None
        self.project: Project | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - an attribute of the request is of any type
        return getattr(vars(self).get("request"), name)


class GqlContext:
    """A context for ``schema.execute(..., context=GqlContext(AuthenticatedRequest(request)))``.

    Args:
        req: The request; ``info.context.req.user`` is the user whom a guard has let in.
    """

    def __init__(self, req: AuthenticatedRequest) -> None:
        self.req = req
