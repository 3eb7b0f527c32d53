"""Servers that speak something else than Redis's protocol, in both colours, over our connections and redis-py's own."""

from __future__ import annotations

import contextlib
import importlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from authgate_core.errors import RevocationUnavailable
from authgate_core.principal import ProjectRef

REDIS: dict[str, Any] = {
    "sync": (importlib.import_module("redis"), Retry),
    "async": (importlib.import_module("redis.asyncio"), AsyncRetry),
}

OpenAny = Callable[..., Any]

GARBLED = [
    b"-MOVED 3999 127.0.0.1:none\r\n",
    b"-MOVED 3999\r\n",
    b"-ASK x 127.0.0.1:1\r\n",
    b"%1\r\n*0\r\n:1\r\n",
    b":12ab\r\n",
    b"*abc\r\n",
    b"$" + b"8" * 60 + b"\r\n",
    b"*1\r\n" * 5000,
    b"-\xff\xfe\r\n",
    b"SSH-2.0-OpenSSH_9.9\r\n",
]


@pytest.fixture(params=GARBLED, ids=lambda said: repr(said[:24]))
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    """Where a server answers everything with the same bytes, twice, and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.recv(4096)
                connection.sendall(request.param * 2)

    server = threading.Thread(target=serve)
    server.start()
    yield int(listener.getsockname()[1])
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    server.join()


class TestGarbled:
    """Laws 1.5, 3.11: whatever bytes a server sends, the store cannot answer, and that is all that leaves."""

    def test_over_our_own_connections(self, open_store: OpenAny, port: int) -> None:
        """Those for a URL."""
        with pytest.raises(RevocationUnavailable):
            open_store(f"redis://127.0.0.1:{port}").is_revoked(ProjectRef("shop", 1))

    def test_through_a_client(self, open_store: OpenAny, colour: str, port: int) -> None:
        """One that was handed in, whose parsing is its own."""
        options: dict[str, Any] = {
            "protocol": 2,
            "port": port,
            "socket_timeout": 0.9,
            "socket_connect_timeout": 0.9,
        }
        redis, retry = REDIS[colour]
        client = redis.Redis(**options, retry=retry(NoBackoff(), 0))
        store = open_store(client)
        try:
            with pytest.raises(RevocationUnavailable):
                store.is_revoked(ProjectRef("shop", 1))
        finally:
            store._done(client.aclose() if colour == "async" else client.close())
