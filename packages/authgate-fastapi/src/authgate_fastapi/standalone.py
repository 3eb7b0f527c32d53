"""The gate of an app that has none: built from the environment, for the named shortcuts alone (Law 1.6)."""

from __future__ import annotations

import threading
from typing import Final

from authgate_core import AsyncGate, AuthgateError, GateConfig
from starlette.requests import HTTPConnection

from .locate import carried, carry
from .refusals import refuse

__all__ = ["gate_or_environment"]

_lock: Final = threading.Lock()
_built: Final[list[AsyncGate]] = []


def gate_or_environment(connection: HTTPConnection) -> AsyncGate:
    """The gate of the app, else the one of this process, built once under a lock.

    Raises:
        ConfigurationError: If the environment does not say how to build one.
    """
    gate = carried(connection)
    if gate is not None:
        return gate
    with _lock:
        if not _built:
            _built.append(AsyncGate(GateConfig.from_env()))
    carry(connection.scope, _built[0])
    # An app without AuthGate(app) has no handler for our errors either.
    connection.scope["starlette.exception_handlers"][0].setdefault(AuthgateError, refuse)
    return _built[0]
