"""Which gate a connection meets: that of its app, else, for the named shortcuts, one of the process."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import HTTPConnection
from starlette.types import Scope

from authgate_core import AsyncGate, ConfigurationError
from authgate_core.gate.environment import EnvironmentGate

__all__ = [
    "carried_gate",
    "carry",
    "gate_of",
    "gate_of_keycloak_environment",
    "gate_or_environment",
    "gate_or_keycloak_environment",
    "gate_or_older_environment",
]

_GATE: Final = "authgate.gate"


def carry(scope: Scope, gate: AsyncGate) -> None:
    """Put the gate of an app where guards of the app, and of apps mounted in it, find it."""
    scope[_GATE] = gate


def carried_gate(scope: Scope) -> AsyncGate | None:
    """The gate of the app, if it has one."""
    gate = scope.get(_GATE)
    return gate if isinstance(gate, AsyncGate) else None


async def gate_of(connection: HTTPConnection) -> AsyncGate:
    """The gate of the app.

    Raises:
        ConfigurationError: If the app has none, naming the line that is missing (Law 1.6).
    """
    gate = carried_gate(connection.scope)
    if gate is None:
        raise ConfigurationError("this app has guards but no gate: write AuthGate(app) after app = FastAPI()")
    return gate


async def gate_or_environment(connection: HTTPConnection) -> AsyncGate:
    """The gate of the app, else one that is built from the environment, once in a process (Law 1.6).

    Raises:
        ConfigurationError: If the environment does not say how to build one, or for a WebSocket, which nothing
            but ``AuthGate(app)`` closes when its caller is admitted no longer (Law 5.13).
    """
    return await _carried_or(_environment, connection)


async def gate_or_older_environment(connection: HTTPConnection) -> AsyncGate:
    """As ``gate_or_environment``, from the variables that the older client of Mercury read."""
    return await _carried_or(_older_environment, connection)


async def gate_or_keycloak_environment(connection: HTTPConnection) -> AsyncGate:
    """As ``gate_or_environment``, from the variables that the older FastAPI client read."""
    return await _carried_or(_keycloak_environment, connection)


async def gate_of_keycloak_environment() -> AsyncGate:
    """That gate for whoever carries it himself, and so sees to WebSockets as ``AuthGate(app)`` does."""
    return await _built(_keycloak_environment)


async def _carried_or(environment: EnvironmentGate[AsyncGate], connection: HTTPConnection) -> AsyncGate:
    carried = carried_gate(connection.scope)
    if carried is None and connection.scope["type"] == "websocket":
        raise ConfigurationError("a WebSocket has guards but the app no gate: write AuthGate(app)")
    return carried or await _built(environment)


async def _built(environment: EnvironmentGate[AsyncGate]) -> AsyncGate:
    gate = environment.gate
    # Reading settings and files may block, and so may waiting for whoever reads them already (Law 9.2).
    return gate if gate is not None else await asyncio.to_thread(environment.build)


_environment: Final = EnvironmentGate(AsyncGate)
_older_environment: Final = EnvironmentGate(AsyncGate, "mercury")
_keycloak_environment: Final = EnvironmentGate(AsyncGate, "keycloak")
