"""A real server and a real client of the two protocols that GraphQL speaks over WebSockets."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

__all__ = ["Client", "connected", "served"]


@contextmanager
def served(app: Any) -> Iterator[int]:
    """The port of 127.0.0.1 on which uvicorn serves an ASGI application."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive(), "the server did not start"
                time.sleep(0.01)
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


class Client:
    """One end of a WebSocket that speaks ``graphql-transport-ws``, or ``graphql-ws``.

    Args:
        opened: The WebSocket.
    """

    def __init__(self, opened: ClientConnection) -> None:
        self.opened = opened
        self._starts = "start" if opened.subprotocol == "graphql-ws" else "subscribe"

    def say(self, **message: Any) -> None:
        """Send a message."""
        self.opened.send(json.dumps(message))

    def hear(self) -> dict[str, Any]:
        """The next message."""
        heard: dict[str, Any] = json.loads(self.opened.recv(timeout=10))
        return heard

    def hear_or_end(self) -> dict[str, Any] | None:
        """The next message, or None where the server has closed."""
        try:
            return self.hear()
        except ConnectionClosed:
            return None

    def begin(self, payload: Any = None) -> None:
        """Send ``connection_init``, and wait for its answer."""
        self.say(type="connection_init", **({} if payload is None else {"payload": payload}))
        assert {"type": "connection_ack"} == self.hear()

    def ask(self, query: str, number: str = "1") -> None:
        """Begin an operation."""
        self.say(type=self._starts, id=number, payload={"query": query})

    def told(self, query: str, number: str = "1") -> Any:
        """The first answer to an operation: its payload, or the extensions of its first error."""
        self.ask(query, number)
        heard = self.hear()
        assert number == heard["id"]
        payload = heard["payload"]
        errors = payload if isinstance(payload, list) else payload.get("errors")
        return errors[0]["extensions"]["code"] if errors else payload["data"]

    def closed(self) -> tuple[int, str]:
        """How the server closes it, whatever it says before."""
        while self.hear_or_end() is not None:
            pass
        assert self.opened.close_code is not None
        return self.opened.close_code, self.opened.close_reason or ""


@contextmanager
def connected(
    port: int, *more: str, headers: dict[str, str] | None = None, speaks: str = "graphql-transport-ws"
) -> Iterator[Client]:
    """A client of ``/graphql`` that has said nothing yet.

    Args:
        port: The server's.
        more: What it offers besides its protocol.
        headers: Of the handshake.
        speaks: Its protocol.
    """
    offered = [Subprotocol(speaks), *map(Subprotocol, more)]
    url = f"ws://127.0.0.1:{port}/graphql"
    with connect(url, additional_headers=headers, subprotocols=offered, proxy=None) as opened:
        yield Client(opened)
