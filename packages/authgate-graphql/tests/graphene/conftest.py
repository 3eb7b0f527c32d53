"""One issuer, one project, gates of both colours, and schemas to guard."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import flask
import graphene
import pytest
import uvicorn
from flask import Flask
from graphql import ExecutionResult
from starlette.requests import Request

from authgate_core import AsyncGate, Gate, GateConfig, Issuer, StaticProjects
from authgate_core.principal import ProjectRef, TokenRef
from authgate_core.testing import FakeIssuer
from authgate_flask import AuthGate

APP_SECRET = "a-secret-of-more-than-thirty-two-characters"

Headers = dict[str, str]


class Served:
    """An application on a real server, on a free port of 127.0.0.1."""

    def __init__(self, app: Any) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self._socket.getsockname()[1]}/graphql"
        config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))

    def start(self) -> None:
        """Serve; returns when requests are answered."""
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the server did not start"
            time.sleep(0.01)

    def stop(self) -> None:
        """Serve no longer."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


class Counter:
    """A revocation store that counts how often it is asked, and revokes or fails on demand."""

    def __init__(self) -> None:
        self.asked: list[TokenRef | ProjectRef] = []
        self.revoked = False
        self.failure: Exception | None = None

    def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
        """Count: every verification asks (Law 5.1)."""
        self.asked.append(ref)
        if self.failure is not None:
            raise self.failure
        return self.revoked


class AsyncCounter(Counter):
    """The same for an ``AsyncGate``; it answers one turn of the loop later, as a store does that is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()
        self.answers = asyncio.Event()
        self.answers.set()

    async def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:  # type: ignore[override]  # of the other colour
        """Count, and say that somebody waits."""
        self.asked.append(ref)
        self.reached.set()
        await asyncio.sleep(0)
        await self.answers.wait()
        if self.failure is not None:
            raise self.failure
        return self.revoked


@pytest.fixture(scope="session")
def issuer() -> FakeIssuer:
    """An issuer whose tokens every gate here believes."""
    return FakeIssuer(audience="orders-api", url="https://id.example.com")


@pytest.fixture(scope="session")
def trusted(issuer: FakeIssuer) -> Issuer:
    """The issuer as gates are told of it, with its keys known by heart."""
    services = {"gty": "client-credentials"}
    return Issuer.static(issuer.jwks(), issuer=issuer.url, audience=issuer.audience, service_when=services)


@pytest.fixture(scope="session")
def projects() -> StaticProjects:
    """One project."""
    return StaticProjects({"shop": {"id": "p1", "name": "Shop", "secret": APP_SECRET}})


@pytest.fixture
def counter() -> Counter:
    """What counts verifications of the sync gate."""
    return Counter()


@pytest.fixture
def async_counter() -> AsyncCounter:
    """What counts verifications of the async gate."""
    return AsyncCounter()


@pytest.fixture
def gate(trusted: Issuer, projects: StaticProjects, counter: Counter) -> Iterator[Gate]:
    """A sync gate for users, services and projects."""
    with Gate(GateConfig(issuers=[trusted], projects=projects, revocation=counter, realm="orders")) as gate:
        yield gate


@pytest.fixture
def async_gate(trusted: Issuer, projects: StaticProjects, async_counter: AsyncCounter) -> Iterator[AsyncGate]:
    """An async gate for the same."""
    config = GateConfig(issuers=[trusted], projects=projects, revocation=async_counter, realm="orders")
    gate = AsyncGate(config)
    yield gate
    asyncio.run(gate.aclose())


@pytest.fixture
def app(gate: Gate) -> Flask:
    """A Flask application with the sync gate."""
    app = Flask("orders")
    AuthGate(app, gate=gate)
    return app


@pytest.fixture
def bearer(issuer: FakeIssuer) -> Callable[..., Headers]:
    """Makes the header that presents a token; the arguments shape the token."""

    def present(sub: object = "u1", **shape: Any) -> Headers:
        return {"Authorization": f"Bearer {issuer.token(sub, **shape)}"}

    return present


@pytest.fixture
def user(bearer: Callable[..., Headers]) -> Headers:
    """What a user's request carries."""
    return bearer(scope="orders:read", roles=["clerk"], email="u1@example.com", name="Uma")


@pytest.fixture
def service(bearer: Callable[..., Headers]) -> Headers:
    """What a service's request carries."""
    return bearer("s1", gty="client-credentials", client_id="c1")


@pytest.fixture
def project() -> Headers:
    """What a project's request carries."""
    return {"x-app-id": "shop", "x-app-secret": APP_SECRET}


@pytest.fixture
def arrive(async_gate: AsyncGate) -> Callable[..., Request]:
    """Makes a request as Starlette does, in an app that carries a gate: the async one, another, or none."""

    def arrived(headers: Headers, gate: AsyncGate | Gate | None = async_gate) -> Request:
        pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        line: dict[str, Any] = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b""}
        return Request({**line, "headers": pairs, "authgate.gate": gate})

    return arrived


Asked = Callable[..., ExecutionResult]


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, app: Flask, arrive: Callable[..., Request]) -> Asked:
    """Executes an operation for one request: in Flask by ``execute``, in an ASGI app by ``execute_async``."""

    def sync(schema: graphene.Schema, query: str, headers: Headers, **more: Any) -> ExecutionResult:
        with app.test_request_context("/graphql", method="POST", headers=headers):
            result: ExecutionResult = schema.execute(query, context={"request": flask.request}, **more)
        return result

    def asynchronous(schema: graphene.Schema, query: str, headers: Headers, **more: Any) -> ExecutionResult:
        context = {"request": arrive(headers)}
        result: ExecutionResult = asyncio.run(schema.execute_async(query, context=context, **more))
        return result

    return sync if request.param == "sync" else asynchronous


@pytest.fixture
def verified(counter: Counter, async_counter: AsyncCounter) -> Callable[[], int]:
    """Counts the verifications of whichever gate was asked."""
    return lambda: len(counter.asked) + len(async_counter.asked)


@pytest.fixture
def serve() -> Iterator[Callable[[Any], Served]]:
    """Puts applications on real servers, which are stopped afterwards."""
    running: list[Served] = []

    def start(app: Any) -> Served:
        running.append(Served(app))
        running[-1].start()
        return running[-1]

    yield start
    for served in running:
        served.stop()
