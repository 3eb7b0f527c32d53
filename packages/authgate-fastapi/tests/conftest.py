"""One issuer, one project and an application to guard."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient

from authgate_core import AsyncGate, GateConfig, Issuer, StaticProjects
from authgate_core.principal import ProjectRef, TokenRef
from authgate_core.testing import FakeIssuer
from authgate_fastapi import AuthGate

APP_SECRET = "a-secret-of-more-than-thirty-two-characters"


class Served:
    """An application on a real server, on a free port of 127.0.0.1.

    Args:
        app: The application.
        lifespan: Whether it starts and ends with the server: "on" or "off".
    """

    def __init__(self, app: FastAPI, lifespan: Literal["on", "off"]) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        config = uvicorn.Config(app, log_config=None, lifespan=lifespan, timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))

    def start(self) -> None:
        """Serve; returns when requests are answered."""
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the server did not start"
            time.sleep(0.01)

    def stop(self) -> None:
        """Serve no longer; the lifespan has ended when it returns."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


class Counter:
    """A revocation store that counts how often it is asked, and revokes or fails on demand."""

    def __init__(self) -> None:
        self.asked: list[TokenRef | ProjectRef] = []
        self.revoked = False
        self.failure: Exception | None = None

    async def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
        """Count: every verification asks (Law 5.1)."""
        self.asked.append(ref)
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
    """What counts verifications."""
    return Counter()


@pytest.fixture
def config(trusted: Issuer, projects: StaticProjects, counter: Counter) -> GateConfig:
    """Users, services and projects."""
    return GateConfig(issuers=[trusted], projects=projects, revocation=counter, realm="orders")


@pytest.fixture
def gate(config: GateConfig) -> Iterator[AsyncGate]:
    """A gate that is closed afterwards."""
    gate = AsyncGate(config)
    yield gate
    asyncio.run(gate.aclose())


@pytest.fixture
def app(gate: AsyncGate) -> FastAPI:
    """An application with a gate, and no routes yet."""
    app = FastAPI()
    AuthGate(app, gate=gate)
    return app


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    """Asks the application, without a lifespan; what nobody handles becomes a 500."""
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture
def bearer(issuer: FakeIssuer) -> Callable[..., dict[str, str]]:
    """Makes the header that presents a token; the arguments shape the token."""

    def present(sub: object = "u1", **shape: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {issuer.token(sub, **shape)}"}

    return present


@pytest.fixture
def user(bearer: Callable[..., dict[str, str]]) -> dict[str, str]:
    """What a user's request carries."""
    return bearer(scope="orders:read", roles=["clerk"], email="u1@example.com", department="toys")


@pytest.fixture
def service(bearer: Callable[..., dict[str, str]]) -> dict[str, str]:
    """What a service's request carries."""
    return bearer("s1", gty="client-credentials", client_id="c1")


@pytest.fixture
def project() -> dict[str, str]:
    """What a project's request carries."""
    return {"x-app-id": "shop", "x-app-secret": APP_SECRET}


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Puts applications on real servers, which are stopped afterwards."""
    running: list[Served] = []

    def start(app: FastAPI, lifespan: Literal["on", "off"] = "on") -> Served:
        running.append(Served(app, lifespan))
        running[-1].start()
        return running[-1]

    yield start
    for served in running:
        served.stop()


@pytest.fixture
def served(app: FastAPI, serve: Callable[..., Served]) -> Served:
    """The application on a real server."""
    return serve(app)
