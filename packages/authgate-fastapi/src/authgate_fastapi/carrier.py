"""Pure ASGI middleware that carries the gate of an app to the guards in it."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from authgate_core import AsyncGate
from authgate_core.challenge import OnRefusal

from .blanket import Blanket
from .locate import carry
from .refusals import answer_with

__all__ = ["Carrier", "carried_by", "default_of"]

_DEFAULT: Final = "authgate.default"


class Carrier:
    """Puts the gate in the scope of each connection: three assignments, no task, no copy.

    Args:
        app: What is behind it.
        gate: The gate.
        default: The guard of routes that have none.
        on_refusal: The words of the app for a refusal.
    """

    def __init__(
        self,
        app: ASGIApp,
        gate: AsyncGate,
        default: Blanket | None = None,
        on_refusal: OnRefusal | None = None,
    ) -> None:
        self._app = app
        self._gate = gate
        self._default = default
        self._on_refusal = on_refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry it."""
        if scope["type"] in {"http", "websocket"}:
            carry(scope, self._gate)
            scope[_DEFAULT] = self._default
            answer_with(scope, self._on_refusal)
        await self._app(scope, receive, send)


def carried_by(app: FastAPI) -> AsyncGate | None:
    """The gate that ``AuthGate(app)`` gave to an app."""
    for middleware in app.user_middleware:
        factory: object = middleware.cls
        gate = middleware.kwargs.get("gate")
        if factory is Carrier and isinstance(gate, AsyncGate):
            return gate
    return None


def default_of(scope: Scope) -> Blanket | None:
    """The guard of routes that have none, of the application whose gate this connection meets."""
    default: Blanket | None = scope.get(_DEFAULT)
    return default
