"""A small HTTP server on loopback that can be cut off and come back on the same port."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, TypeAlias, TypeGuard, cast

__all__ = ["Answer", "Asked", "LoopbackServer", "Respond"]

_HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that arrived.

    Args:
        method: The HTTP method.
        path: Without the query.
        query: Without the question mark.
        headers: Names in lower case; of repeated ones the last.
        body: The body, in bytes.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send back.

    Args:
        body: The body; pieces are sent without a length, one by one, until they end or the client hangs up.
        status: The HTTP status.
        content_type: The ``Content-Type``.
        headers: Further headers.
    """

    body: bytes | Iterable[bytes] = b""
    status: int = 200
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


_Connection: TypeAlias = socket.socket | tuple[bytes, socket.socket]  # as socketserver has it
Respond: TypeAlias = Callable[[Asked], Answer]


class LoopbackServer:
    """Serves what a function answers, each connection on a thread of its own.

    Args:
        respond: Answers a request; called from many threads.
        release: Called when connections are about to be cut, so that a ``respond`` that waits comes back.
        port: Where to listen; 0 for any that is free.
    """

    def __init__(
        self, respond: Respond, *, release: Callable[[], None] = lambda: None, port: int = 0
    ) -> None:
        self._respond = respond
        self._release = release
        self._port = port
        self._reserved: socket.socket | None = None
        self._listener: _Listener | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """Where it listens or refuses; 0 before either."""
        return self._port

    @property
    def url(self) -> str:
        """The address; to be asked for once there is a port."""
        return f"http://{_HOST}:{self._port}"

    @property
    def is_refusing(self) -> bool:
        """Whether ``refuse`` was called and ``start`` was not since."""
        return self._reserved is not None

    def start(self) -> None:
        """Listen, on the port it had before if there was one; does nothing while it listens."""
        if self._listener is not None:
            return
        bound = self._reserved or self._bind()
        self._reserved = None
        self._listener = _Listener(bound, self._respond)
        self._thread = threading.Thread(
            target=self._listener.serve_forever, args=(0.02,), name="authgate-testing", daemon=True
        )
        self._thread.start()

    def refuse(self) -> None:
        """Cut every connection and refuse new ones, keeping the port for a later ``start``."""
        self._close()
        if self._reserved is None:
            self._reserved = self._bind()

    def stop(self) -> None:
        """Cut every connection and let go of the port; no thread is left behind."""
        self._close()
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None

    def _bind(self) -> socket.socket:
        bound = socket.socket()
        if os.name == "posix":  # elsewhere the option would let two servers share the port
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((_HOST, self._port))
        except OSError:
            bound.close()
            raise
        self._port = bound.getsockname()[1]
        return bound

    def _close(self) -> None:
        listener, thread = self._listener, self._thread
        if listener is None or thread is None:
            return
        listener.closing = True
        self._release()
        listener.shutdown()
        thread.join()
        listener.server_close()
        listener.cut()
        self._listener = self._thread = None


def _is_socket(connection: _Connection) -> TypeGuard[socket.socket]:
    return isinstance(connection, socket.socket)


class _Listener(ThreadingHTTPServer):
    """``ThreadingHTTPServer`` that knows its connections and the threads that serve them."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, bound: socket.socket, respond: Respond) -> None:
        super().__init__(bound.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = bound
        self.respond = respond
        self.closing = False
        self._threads_of_its_own: list[threading.Thread] = []
        self._connections: set[_Connection] = set()
        self._lock = threading.Lock()
        self.server_activate()

    def process_request(self, request: _Connection, client_address: object) -> None:
        with self._lock:
            self._connections.add(request)
        connection = (request, client_address)
        thread = threading.Thread(
            target=self.process_request_thread, args=connection, name="authgate-testing", daemon=True
        )
        self._threads_of_its_own = [*filter(threading.Thread.is_alive, self._threads_of_its_own), thread]
        thread.start()

    def shutdown_request(self, request: _Connection) -> None:
        with self._lock:  # a socket is closed by its thread or shut down by cut(), never both at once
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: _Connection, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a client that went away is no mistake of ours
            super().handle_error(request, client_address)

    def cut(self) -> None:
        """Shut every connection down and wait for the threads."""
        with self._lock:
            for connection in filter(_is_socket, self._connections):
                with contextlib.suppress(OSError):  # the client was faster
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads_of_its_own:
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:  # the name that http.server looks for
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        headers = {name.lower(): value for name, value in self.headers.items()}
        path, _, query = self.path.partition("?")
        answer = self._listener.respond(Asked(self.command, path, query, headers, body))
        if self._listener.closing:
            self.close_connection = True
        else:
            self._send(answer)

    def do_POST(self) -> None:  # the name that http.server looks for
        self.do_GET()

    def do_DELETE(self) -> None:  # the name that http.server looks for
        self.do_GET()

    @property
    def _listener(self) -> _Listener:
        return cast("_Listener", self.server)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        for name, value in answer.headers:
            self.send_header(name, value)
        if isinstance(answer.body, bytes):
            self.send_header("Content-Length", str(len(answer.body)))
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        for piece in (answer.body,) if isinstance(answer.body, bytes) else answer.body:
            self.wfile.write(piece)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of what went well: a test's output is its own."""
