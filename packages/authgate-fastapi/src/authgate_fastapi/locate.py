"""Finding the gate of the app that a connection lives in."""

from __future__ import annotations

from typing import Final

from authgate_core import AsyncGate, ConfigurationError
from starlette.requests import HTTPConnection
from starlette.types import Scope

__all__ = ["carried", "carry", "gate_of"]

_GATE: Final = "authgate.gate"


def carry(scope: Scope, gate: AsyncGate) -> None:
    """Put the gate where guards of this app, and of apps mounted in it, find it."""
    scope[_GATE] = gate


def carried(connection: HTTPConnection) -> AsyncGate | None:
    """The gate of the app, if it has one."""
    gate = connection.scope.get(_GATE)
    return gate if isinstance(gate, AsyncGate) else None


def gate_of(connection: HTTPConnection) -> AsyncGate:
    """The gate of the app.

    Raises:
        ConfigurationError: If the app has none, naming the line that is missing (Law 1.6).
    """
    gate = carried(connection)
    if gate is None:
        raise ConfigurationError("this app has no gate: write AuthGate(app) after app = FastAPI()")
    return gate
