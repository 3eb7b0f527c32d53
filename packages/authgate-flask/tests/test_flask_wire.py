import http.client
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Self

import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from waitress import wasyncore
from waitress.server import create_server

from authgate_core import Gate, GateConfig, Issuer, is_project, is_user
from authgate_core.testing import FakeIssuer
from authgate_flask import AuthGate, current_user, requires

Headers = dict[str, str]
PROBLEM = "application/problem+json"

NAMES = st.sampled_from(["Authorization", "X-App-Id", "X-App-Secret"])
WORDS = [b"Bearer ", b"bearer ", b"Basic ", b"e30", b".", b",", b"\t", b" ", b"=", b"\xff", b"\xc3\xa9", b'"']
ANY_BYTES = st.one_of(
    st.binary(max_size=80),
    st.lists(st.sampled_from(WORDS) | st.binary(max_size=8), max_size=12).map(b"".join),
)
ON_ONE_LINE = ANY_BYTES.map(lambda value: value.translate(None, b"\r\n\0"))

many = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
some = settings(many, max_examples=100)


@pytest.fixture(scope="module")
def app(config: GateConfig) -> Iterator[Flask]:
    """An application with one route that reads every credential header."""
    app = Flask("orders")
    with Gate(config) as gate:
        AuthGate(app, gate=gate)
        app.add_url_rule("/", view_func=requires(is_user | is_project)(lambda: "in"))
        yield app


class TestBytesInAnEnvironment:
    """Law 3.11: whatever bytes arrive, the only answers are the table's."""

    @many
    @given(st.dictionaries(NAMES, ANY_BYTES, min_size=1))
    @example({"Authorization": b"Bearer \xff.\xff.\xff"})
    @example({"Authorization": b"Bearer \r\n x"})
    @example({"X-App-Id": b"\x00", "X-App-Secret": b"\x00"})
    def test_never_a_server_error(self, app: Flask, presented: dict[str, bytes]) -> None:
        """Any latin-1 text that a server may put into the environment is refused with a problem."""
        environ = {
            f"HTTP_{name.upper().replace('-', '_')}": value.decode("latin-1")
            for name, value in presented.items()
        }
        answer = app.test_client().get("/", environ_overrides=environ)
        assert (True, PROBLEM) == (answer.status_code in {400, 401}, answer.content_type)

    @some
    @given(path=st.binary(max_size=20).map(b"/".__add__), query=st.binary(max_size=20))
    def test_strange_paths(self, app: Flask, path: bytes, query: bytes) -> None:
        """A path or query that is no text changes nothing about the refusal."""
        environ = {
            "PATH_INFO": "/",
            "SCRIPT_NAME": path.decode("latin-1"),
            "QUERY_STRING": query.decode("latin-1"),
        }
        answer = app.test_client().get("/", environ_overrides=environ)
        assert (401, PROBLEM) == (answer.status_code, answer.content_type)

    @pytest.mark.parametrize("length", [16 * 1024, 16 * 1024 + 1, 1024 * 1024])
    def test_oversized(self, app: Flask, length: int) -> None:
        """Law 2.4: at its limit a header is read, over it it is malformed."""
        value = "Bearer ".ljust(length, "a")
        answer = app.test_client().get("/", headers={"Authorization": value})
        assert (401 if length <= 16 * 1024 else 400, PROBLEM) == (answer.status_code, answer.content_type)


class Wire:
    """An application behind waitress on loopback."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._sockets: dict[int, object] = {}
        self._server = create_server(self._count, map=self._sockets, host="127.0.0.1", port=0, threads=8)
        self._loop = threading.Thread(target=self._server.run)
        self.reached = 0

    def __enter__(self) -> Self:
        self._loop.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.trigger.pull_trigger(lambda: wasyncore.close_all(self._sockets))
        self._loop.join(timeout=10)
        assert not self._loop.is_alive()
        self._server.task_dispatcher.shutdown()

    def _count(self, environ: dict[str, object], start_response: Callable[..., object]) -> Iterable[bytes]:
        self.reached += 1
        return self._app(environ, start_response)  # type: ignore[arg-type]  # waitress ships no types

    def raw(self, lines: bytes) -> tuple[int, str]:
        """Send header lines as they are; the status and content type of the answer."""
        with socket.create_connection(("127.0.0.1", self._server.effective_port), timeout=10) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + lines + b"\r\n")
            with http.client.HTTPResponse(connection) as answer:
                answer.begin()
                answer.read()
                return answer.status, answer.headers.get_content_type()

    def get(self, headers: Headers) -> tuple[int, bytes]:
        """One ordinary request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self._server.effective_port, timeout=30)
        try:
            connection.request("GET", "/", headers=headers)
            with connection.getresponse() as answer:
                return answer.status, answer.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def wire(app: Flask) -> Iterator[Wire]:
    """That application on a real server."""
    with Wire(app) as wire:
        yield wire


class TestBytesOnASocket:
    """The same over a real server, which refuses some by itself."""

    @some
    @given(st.lists(st.tuples(NAMES, ON_ONE_LINE), min_size=1, max_size=3))
    @example([("Authorization", b"Bearer \xe4.\xf6.\xfc")])
    @example([("Authorization", b"Bearer a.b.c"), ("Authorization", b"Bearer a.b.c")])
    @example([("X-App-Id", b"shop")])
    def test_never_a_server_error(self, wire: Wire, lines: list[tuple[str, bytes]]) -> None:
        """What reaches the application is refused with a problem; what does not is the server's own 400."""
        before = wire.reached
        status, content_type = wire.raw(
            b"".join(name.encode() + b": " + value + b"\r\n" for name, value in lines)
        )
        assert status in {400, 401}
        assert (PROBLEM if wire.reached > before else "text/plain") == content_type

    def test_repeated_headers_arrive_joined(self, wire: Wire, user: Headers) -> None:
        """Law 2.2: a WSGI server joins repeats with a comma, which is 400."""
        line = f"Authorization: {user['Authorization']}\r\n".encode()
        assert (400, PROBLEM) == wire.raw(line + line)

    def test_admits(self, wire: Wire, user: Headers) -> None:
        """A good one gets in by the same door."""
        assert (200, b"in") == wire.get(user)


class TestManyAtOnce:
    def test_a_cold_gate(self, no_new_loops: None) -> None:
        """Law 4.1: fifty requests at once on eight threads, one fetch of the keys, each its own caller."""
        with FakeIssuer(audience="orders-api") as issuer:
            trusted = Issuer.jwks(issuer.jwks_url, issuer=issuer.url, audience=issuer.audience)
            app = Flask("orders")
            with Gate(GateConfig(issuers=[trusted])) as gate:
                AuthGate(app, gate=gate)
                app.add_url_rule("/", view_func=requires(is_user)(lambda: current_user.id))
                requests = [{"Authorization": f"Bearer {issuer.token(f'u{n}')}"} for n in range(50)]
                with Wire(app) as wire, ThreadPoolExecutor(50) as callers:
                    answers = list(callers.map(wire.get, requests))
        assert [(200, f"u{n}".encode()) for n in range(50)] == answers
        assert {"/jwks": 1} == issuer.hits
