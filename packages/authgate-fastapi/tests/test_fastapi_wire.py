import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.requests import HTTPConnection

import authgate_core as ag
from authgate_core import check, is_project, is_user
from authgate_core.testing import FakeIssuer, ManualClock
from authgate_fastapi import AuthGate, CurrentUser, requires
from authgate_fastapi.visit import view_of

Headers = dict[str, str]
Pairs = list[tuple[bytes, bytes]]

PROBLEM = "application/problem+json"
NAMES = st.sampled_from([b"authorization", b"x-app-id", b"x-app-secret"])
WORDS = [
    b"Bearer ",
    b"bearer ",
    b"Basic ",
    b"e30",
    b".",
    b",",
    b"\t",
    b" ",
    b"=",
    b"\xff",
    b"\xc3\xa9",
    b'"',
    b"\0",
]
ANY_BYTES = st.one_of(
    st.binary(max_size=80),
    st.lists(st.sampled_from(WORDS) | st.binary(max_size=8), max_size=12).map(b"".join),
)
ON_ONE_LINE = ANY_BYTES.map(lambda value: value.translate(None, b"\r\n"))

many = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
some = settings(many, max_examples=100)


@pytest.fixture
def app(app: FastAPI) -> FastAPI:
    """An application with one route that reads every credential header, and one that reads none."""
    app.get("/", dependencies=[requires(is_user | is_project)])(_answer)
    app.get("/me", dependencies=[requires(is_user)])(_answer)
    app.get("/open")(_answer)
    return app


async def _answer() -> str:
    return "in"


async def ask(app: FastAPI, headers: Pairs) -> tuple[int, bytes, bytes]:
    """What the application answers to header bytes of any kind: status, content type, body."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}
    await app(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]).get(b"content-type", b""), sent[1]["body"]


class TestBytesInAScope:
    """Law 3.11: whatever bytes arrive, the only answers are the table's."""

    @many
    @given(st.lists(st.tuples(NAMES, ANY_BYTES), min_size=1, max_size=5))
    @example([(b"authorization", b"Bearer \xff.\xff.\xff")])
    @example([(b"authorization", b"Bearer \r\n x"), (b"x-app-id", b"\0"), (b"x-app-secret", b"\0")])
    def test_never_a_server_error(self, app: FastAPI, headers: Pairs) -> None:
        """Any bytes in any credential header, repeated or not, are refused with a problem."""
        status, content_type, body = asyncio.run(ask(app, headers))
        assert (True, PROBLEM.encode()) == (status in {400, 401}, content_type)
        assert status == json.loads(body)["status"]

    @some
    @given(st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=20)), max_size=5))
    def test_other_headers_change_nothing(self, app: FastAPI, user: Headers, headers: Pairs) -> None:
        """Headers that nobody reads may hold anything, in name and value."""
        others = [(b"z" + name, value) for name, value in headers]
        good = [(name.lower().encode(), value.encode()) for name, value in user.items()]
        assert 200 == asyncio.run(ask(app, [*others, *good]))[0]

    def test_names_are_spelled_with_hyphens(self, app: FastAPI, project: Headers) -> None:
        """An underscore makes another header, which presents nothing."""
        other = [(name.replace("-", "_").encode(), value.encode()) for name, value in project.items()]
        assert b"credentials_missing" in asyncio.run(ask(app, other))[2]

    def test_names_in_any_case(self, app: FastAPI, project: Headers) -> None:
        """A server that does not lower names, as ASGI asks it to, loses nothing."""
        upper = [(name.upper().encode(), value.encode()) for name, value in project.items()]
        assert 200 == asyncio.run(ask(app, upper))[0]


def exchange(port: int, *lines: bytes) -> tuple[int, str | None, bytes]:
    """Send a request with these header lines, byte by byte as given; status, content type and body."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        head = [b"GET / HTTP/1.1", b"Host: test", b"Connection: close", *lines, b"", b""]
        connection.sendall(b"\r\n".join(head))
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, answer.getheader("content-type"), answer.read()


class TestBytesOnTheWire:
    def test_never_a_server_error(self, served: Any) -> None:
        """Whatever bytes a client sends, those that reach the application give 400 or 401 with a problem."""
        reached = []

        @some
        @given(NAMES, ON_ONE_LINE)
        @example(b"Authorization", b"Bearer \xff.\xff.\xff")
        def send(name: bytes, value: bytes) -> None:
            status, content_type, body = exchange(served.port, name + b": " + value)
            if content_type != PROBLEM:
                # The server's own parser refuses control characters before any application is asked.
                assert (400, b"Invalid HTTP request received.") == (status, body)
                return
            reached.append(status)
            assert status in {400, 401}

        send()
        assert {400, 401} == {*reached}

    def test_repeated_and_oversized(self, served: Any, issuer: FakeIssuer) -> None:
        """Laws 2.2 and 2.4, as they arrive over TCP."""
        good = f"Authorization: Bearer {issuer.token()}".encode()
        assert 200 == exchange(served.port, good)[0]
        for lines in (
            [good, good],
            [good, b"Authorization: Basic dTpw"],
            [b"Authorization: Bearer " + b"a" * 20_000],
        ):
            status, content_type, body = exchange(served.port, *lines)
            assert (400, PROBLEM) == (status, content_type)
            assert "credentials_malformed" == json.loads(body)["code"]


class TestPeer:
    """Law 2.7: a peer is the socket's own, or nobody."""

    @pytest.mark.parametrize(
        ("headers", "expected"),
        [
            ({}, "127.0.0.1"),
            ({"X-Forwarded-For": "203.0.113.7"}, None),
            ({"X-Forwarded-For": "127.0.0.1"}, None),
            ({"x-real-ip": "203.0.113.7"}, None),
            ({"Forwarded": "for=203.0.113.7"}, None),
        ],
    )
    def test_forwarded(
        self, app: FastAPI, serve: Callable[..., Any], user: Headers, headers: Headers, expected: str | None
    ) -> None:
        """Servers believe their own machine about ``X-Forwarded-For``: ``client`` is not the peer then."""
        seen: list[str | None] = []

        def look(admission: ag.Admission, request: ag.RequestView) -> bool:
            seen.append(request.peer)
            return True

        app.get("/peer", dependencies=[requires(is_user & check("look", look))])(_answer)
        served = serve(app)
        assert 200 == httpx2.get(f"{served.url}/peer", headers=user | headers).status_code
        assert [expected] == seen

    def test_without_an_address(self) -> None:
        """A client on a Unix socket has none."""
        scope: dict[str, Any] = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "query_string": b"",
            "headers": [],
            "client": None,
        }
        assert None is view_of(HTTPConnection(scope)).peer


@pytest.fixture
def clock() -> ManualClock:
    """Time that a test moves."""
    return ManualClock()


@pytest.fixture
def remote(clock: ManualClock) -> Iterator[FakeIssuer]:
    """An issuer whose keys are fetched over HTTP."""
    with FakeIssuer(audience="orders-api", clock=clock) as issuer:
        yield issuer


class Cold:
    """An application whose gate has no keys yet.

    Args:
        issuer: Who has them.
        clock: The gate's.
    """

    def __init__(self, issuer: FakeIssuer, clock: ManualClock) -> None:
        trusted = ag.Issuer.jwks(issuer.jwks_url, issuer=issuer.url, audience=issuer.audience)
        self.gate = ag.AsyncGate(ag.GateConfig(issuers=[trusted]), clock=clock)
        self.app = FastAPI()
        AuthGate(self.app, gate=self.gate)

        @self.app.get("/me")
        async def me(user: CurrentUser) -> str:
            return user.id

        self.app.get("/open")(_answer)

    def run(self, script: Callable[[httpx2.AsyncClient], Awaitable[Any]]) -> Any:
        """Run a script that asks the application, in an event loop of its own."""

        async def scripted() -> Any:
            async with httpx2.AsyncClient(
                transport=httpx2.ASGITransport(self.app), base_url="http://test", timeout=30
            ) as client:
                return await script(client)

        return asyncio.run(scripted())


@pytest.fixture
def cold(remote: FakeIssuer, clock: ManualClock) -> Iterator[Cold]:
    """One of those."""
    cold = Cold(remote, clock)
    yield cold
    asyncio.run(cold.gate.aclose())


def bearers(issuer: FakeIssuer, count: int) -> list[Headers]:
    """As many tokens, of as many users."""
    return [
        {"Authorization": f"Bearer {issuer.token(f'u{number}', expires_in=7200)}"} for number in range(count)
    ]


class TestColdStart:
    def test_many_requests_and_one_fetch(self, cold: Cold, remote: FakeIssuer) -> None:
        """Law 4.1: of 500 requests at once, all wait for one fetch, and all are admitted."""
        remote.slow(0.3)
        presented = bearers(remote, 500)

        async def script(client: httpx2.AsyncClient) -> list[tuple[int, str]]:
            answers = await asyncio.gather(*(client.get("/me", headers=one) for one in presented))
            return [(answer.status_code, answer.json()) for answer in answers]

        assert [(200, f"u{number}") for number in range(500)] == cold.run(script)
        assert {"/jwks": 1} == remote.hits

    def test_over_the_wire(self, cold: Cold, remote: FakeIssuer, serve: Callable[..., Any]) -> None:
        """The same through a real server, with as many connections as an ordinary limit of files allows."""
        served = serve(cold.app, lifespan="off")  # which would warm it up
        remote.slow(0.3)
        presented = bearers(remote, 200)

        async def script() -> list[int]:
            limits = httpx2.Limits(max_connections=None)
            async with httpx2.AsyncClient(base_url=served.url, limits=limits, timeout=30) as client:
                answers = await asyncio.gather(*(client.get("/me", headers=one) for one in presented))
                return [answer.status_code for answer in answers]

        assert [200] * 200 == asyncio.run(script())
        assert {"/jwks": 1} == remote.hits

    def test_two_event_loops(self, cold: Cold, remote: FakeIssuer) -> None:
        """Law 4.11: two loops in two threads share the fetch as well."""
        remote.slow(0.3)
        presented = bearers(remote, 50)

        async def script(client: httpx2.AsyncClient) -> list[int]:
            answers = await asyncio.gather(*(client.get("/me", headers=one) for one in presented))
            return [answer.status_code for answer in answers]

        with ThreadPoolExecutor(2) as pool:
            assert [[200] * 50] * 2 == list(pool.map(cold.run, [script] * 2))
        assert {"/jwks": 1} == remote.hits

    def test_nobody_else_waits(self, cold: Cold, remote: FakeIssuer) -> None:
        """Law 9.2: while a guard waits for keys, the event loop serves other requests."""
        remote.slow(60)
        (presented,) = bearers(remote, 1)

        async def script(client: httpx2.AsyncClient) -> tuple[list[int], bool, int]:
            waiting = asyncio.create_task(client.get("/me", headers=presented))
            while not remote.hits:  # noqa: ASYNC110 - another thread counts
                await asyncio.sleep(0.001)
            others = [(await client.get("/open")).status_code for _ in range(20)]
            waited = not waiting.done()
            remote.recover()
            return others, waited, (await waiting).status_code

        assert ([200] * 20, True, 200) == cold.run(script)


class TestIssuerStopped:
    def test_known_keys_go_on(self, cold: Cold, remote: FakeIssuer, clock: ManualClock) -> None:
        """Law 4.4: an issuer that is gone stops nobody whose key is known."""
        presented = bearers(remote, 4)

        async def script(client: httpx2.AsyncClient) -> list[int]:
            codes = [(await client.get("/me", headers=presented[0])).status_code]
            remote.outage(None)
            codes.append((await client.get("/me", headers=presented[1])).status_code)
            for one in presented[2:]:
                clock.advance(1000)  # past the time to refresh, then past the time to wait for it
                codes.append((await client.get("/me", headers=one)).status_code)
            return codes

        assert [200, 200, 200, 200] == cold.run(script)

    def test_never_seen_keys_are_unavailable(self, cold: Cold, remote: FakeIssuer) -> None:
        """Law 1.5: without keys nobody can tell, which is neither yes nor no."""
        (presented,) = bearers(remote, 1)
        remote.outage(None)

        async def script(client: httpx2.AsyncClient) -> Sequence[Any]:
            answer = await client.get("/me", headers=presented)
            return (answer.status_code, answer.headers["content-type"], "retry-after" in answer.headers)

        assert (503, PROBLEM, True) == cold.run(script)


class TestWarm:
    def test_no_thread_and_no_loop(
        self,
        app: FastAPI,
        monkeypatch: pytest.MonkeyPatch,
        user: Headers,
        project: Headers,
    ) -> None:
        """Law 9.2: once warm, a request that is admitted or refused starts no thread and no event loop."""

        def refuse(*_: object) -> None:
            raise AssertionError("a warm request started something")

        async def script() -> list[int]:
            transport = httpx2.ASGITransport(app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
                for headers in (user, project):
                    assert 200 == (await client.get("/", headers=headers)).status_code
                monkeypatch.setattr(threading.Thread, "start", refuse)
                monkeypatch.setattr(asyncio, "new_event_loop", refuse)
                monkeypatch.setattr(asyncio.get_running_loop(), "run_in_executor", refuse, raising=False)
                wrong = {"Authorization": "Bearer a.b.c"}
                answers = [
                    await client.get("/", headers=headers)
                    for headers in (user, project, user | project, wrong)
                ]
                return [answer.status_code for answer in answers]

        assert [200, 200, 200, 401] == asyncio.run(script())
