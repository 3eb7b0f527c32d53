"""A server that says what no HTTP library would: byte by byte, without end, or not in HTTP at all."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final, TypeAlias

__all__ = ["HOSTILE", "RawServer", "Send", "drip"]

BACKLOG: Final = 128
PAUSE: Final = 0.01
"""Seconds between two pieces of what has no end, so that it is no race of processors."""

LENGTH: Final = b"Content-Length: "

Send: TypeAlias = Callable[[socket.socket, bytes], None]
"""Answers on a connection; it is told what the right answer is."""


class RawServer:
    """Answers every request with a document, until it is told to do otherwise.

    Args:
        document: Makes the body.
        status: With which status.

    Attributes:
        send: How it answers.
        requests: How many connections were opened.
        url: Where it is.
    """

    def __init__(self, document: Callable[[], bytes], status: int = 200) -> None:
        self._document = document
        self._status = HTTPStatus(status)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self.send: Send = socket.socket.sendall
        self.requests = 0
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/jwks"

    @contextmanager
    def serving(self) -> Generator[None]:
        """Serve while the block lasts."""
        threading.Thread(target=self._serve, name="torture-raw", daemon=True).start()
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
            threading.Thread(target=self._answer, args=(connection,), name="torture-raw", daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        body = self._document()
        line = f"HTTP/1.1 {self._status.value} {self._status.phrase}\r\nContent-Type: application/json\r\n"
        right = line.encode() + LENGTH + f"{len(body)}\r\n\r\n".encode() + body
        with connection, contextlib.suppress(ConnectionError):  # whoever asked has had enough
            connection.recv(65_536)
            self.send(connection, right)


def drip(connection: socket.socket, right: bytes) -> None:
    """The right answer, a byte a second."""
    for byte in right:
        connection.sendall(bytes([byte]))
        time.sleep(1)


def _head(right: bytes) -> bytes:
    """Where the right answer begins, up to the length of its body."""
    return right.partition(LENGTH)[0]


def _endless(connection: socket.socket, beginning: bytes, again: bytes) -> None:
    connection.sendall(beginning)
    while True:
        connection.sendall(again)
        time.sleep(PAUSE)


def _headers(connection: socket.socket, right: bytes) -> None:
    _endless(connection, _head(right), b"X-Header: " + b"a" * 1000 + b"\r\n")


def _header(connection: socket.socket, right: bytes) -> None:
    _endless(connection, _head(right) + b"X-Header: ", b"a" * 65_536)


def _continue(connection: socket.socket, _: bytes) -> None:
    _endless(connection, b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 10)


def _chunks(connection: socket.socket, right: bytes) -> None:
    _endless(
        connection, _head(right) + b"Transfer-Encoding: chunked\r\n\r\n", b"1;" + b"x" * 8000 + b"\r\n \r\n"
    )


def _trailers(connection: socket.socket, right: bytes) -> None:
    body = right.partition(b"\r\n\r\n")[2]
    chunk = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n"
    beginning = _head(right) + b"Transfer-Encoding: chunked\r\n\r\n" + chunk
    _endless(connection, beginning, b"X-Trailer: " + b"a" * 1000 + b"\r\n")


def _garbage(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"\x00\xff" * 1000)


def _no_head(connection: socket.socket, right: bytes) -> None:
    connection.sendall(right.partition(b"\r\n\r\n")[2])


def _two_lengths(connection: socket.socket, right: bytes) -> None:
    connection.sendall(right.replace(b"\r\n\r\n", b"\r\n" + LENGTH + b"1\r\n\r\n", 1))


def _switched(connection: socket.socket, right: bytes) -> None:
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + right
    )


def _reset(connection: socket.socket, right: bytes) -> None:
    connection.sendall(right[:-1])
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closed by a reset


HOSTILE: Final[tuple[Send, ...]] = (
    _headers,
    _header,
    _continue,
    _chunks,
    _trailers,
    _garbage,
    _no_head,
    _two_lengths,
    _switched,
    _reset,
)
"""Answers that are no right ones, though each was sent by somebody who has the right document."""
