"""A server that sends even the first line of its answer a byte a second, as no HTTP library would."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

__all__ = ["Dripper"]

BACKLOG: Final = 128


class Dripper:
    """Answers every request with a document.

    Args:
        document: Makes the body.
    """

    def __init__(self, document: Callable[[], bytes]) -> None:
        self._document = document
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self._drips = False
        self.requests = 0
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/jwks"

    def drip(self) -> None:
        """Send what is sent from now on a byte a second."""
        self._drips = True

    @contextmanager
    def serving(self) -> Generator[None]:
        """Serve while the block lasts."""
        threading.Thread(target=self._serve, name="torture-dripper", daemon=True).start()
        try:
            yield
        finally:
            self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                return
            self.requests += 1
            threading.Thread(
                target=self._answer, args=(connection,), name="torture-drip", daemon=True
            ).start()

    def _answer(self, connection: socket.socket) -> None:
        body = self._document()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        with connection, contextlib.suppress(ConnectionError):  # whoever asked has had enough
            connection.recv(65_536)
            if not self._drips:
                connection.sendall(head.encode() + body)
                return
            for byte in head.encode() + body:
                connection.sendall(bytes([byte]))
                time.sleep(1)
