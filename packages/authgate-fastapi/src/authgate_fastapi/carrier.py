"""Pure ASGI middleware that carries the gate of an app to the guards in it."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from authgate_core import AsyncGate

from .locate import carry

__all__ = ["Carrier", "carried_by"]


class Carrier:
    """Puts the gate in the scope of each connection: one assignment, no task, no copy."""

    def __init__(self, app: ASGIApp, gate: AsyncGate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry it."""
        if scope["type"] in {"http", "websocket"}:
            carry(scope, self._gate)
        await self._app(scope, receive, send)


def carried_by(app: FastAPI) -> AsyncGate | None:
    """The gate that ``AuthGate(app)`` gave to an app."""
    for middleware in app.user_middleware:
        factory: object = middleware.cls
        gate = middleware.kwargs.get("gate")
        if factory is Carrier and isinstance(gate, AsyncGate):
            return gate
    return None
