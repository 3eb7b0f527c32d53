"""One issuer, one project, gates of both colours, and every way to serve a schema of Strawberry."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import strawberry
from fastapi import FastAPI
from flask import Flask
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.fastapi import GraphQLRouter
from strawberry.flask.views import AsyncGraphQLView, GraphQLView

from authgate_core import AsyncGate, Gate, GateConfig, Issuer, StaticProjects
from authgate_core.principal import ProjectRef, TokenRef
from authgate_core.testing import FakeIssuer
from authgate_fastapi import AuthGate as FastAPIAuthGate
from authgate_flask import AuthGate as FlaskAuthGate
from authgate_graphql.carriers import AuthenticatedRequest

APP_SECRET = "a-secret-of-more-than-thirty-two-characters"

Headers = dict[str, str]


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
    """The same for an ``AsyncGate``, which has to wait for its answers; a test may keep them back."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = threading.Event()
        self.answers.set()
        self.called = threading.Event()

    async def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:  # type: ignore[override]  # of the other colour
        """Count, and answer later."""
        self.asked.append(ref)
        self.called.set()
        await asyncio.sleep(0)
        if not self.answers.is_set():
            await asyncio.to_thread(self.answers.wait)
        if self.failure is not None:
            raise self.failure
        return self.revoked


@dataclass
class World:
    """Both gates, and what counts and steers their verifications.

    Args:
        gate: The sync one.
        async_gate: The async one.
        stores: The revocation stores of both.
    """

    gate: Gate
    async_gate: AsyncGate
    stores: tuple[Counter, AsyncCounter]

    @property
    def verified(self) -> list[str]:
        """Of what kind each verification was, whichever gate was asked."""
        return [type(ref).__name__ for store in self.stores for ref in store.asked]

    def revoke(self) -> None:
        """From here on everything is revoked."""
        for store in self.stores:
            store.revoked = True

    def fail(self, failure: Exception | None) -> None:
        """From here on the stores raise this."""
        for store in self.stores:
            store.failure = failure


@dataclass(frozen=True)
class Answer:
    """An HTTP response, however it was had.

    Args:
        status: Its status.
        headers: Its headers, with names in lower case.
        json: Its body.
    """

    status: int
    headers: Mapping[str, str]
    json: Any

    @property
    def data(self) -> Any:
        """What was resolved."""
        return self.json["data"]

    @property
    def errors(self) -> list[dict[str, Any]]:
        """What was not."""
        return self.json.get("errors") or []

    @property
    def codes(self) -> list[str]:
        """The codes of the errors, in order of their paths."""
        errors = sorted(self.errors, key=lambda error: str(error.get("path")))
        return [error.get("extensions", {}).get("code", error["message"]) for error in errors]


class Door:
    """A schema behind a view of some framework.

    Args:
        client: The test client of that framework.
        path: Where the view is.
    """

    def __init__(self, client: Any, path: str = "/graphql") -> None:
        self.client = client
        self.path = path

    def post(self, query: str, headers: Headers | None = None, **more: Any) -> Answer:
        """Ask by POST."""
        return self._answer(self.client.post(self.path, json={"query": query, **more}, headers=headers or {}))

    def get(self, query: str, headers: Headers | None = None) -> Answer:
        """Ask by GET."""
        asked = "query_string" if hasattr(self.client, "application") else "params"
        return self._answer(self.client.get(self.path, **{asked: {"query": query}}, headers=headers or {}))

    def batch(self, queries: list[str], headers: Headers | None = None) -> Answer:
        """Ask several things in one request."""
        asked = [{"query": query} for query in queries]
        return self._answer(self.client.post(self.path, json=asked, headers=headers or {}))

    @staticmethod
    def _answer(response: Any) -> Answer:
        body = response.json() if callable(response.json) else response.json
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, body)


class Explicit(GraphQL[Any, Any]):
    """Strawberry's ASGI app in no framework, with a gate that its context names."""

    gate: AsyncGate

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Any:
        """Name the gate."""
        return {"request": AuthenticatedRequest(request, gate=self.gate), "response": response}


def flask_door(world: World, schema: strawberry.Schema, view: type[Any] = GraphQLView) -> Door:
    """In Flask."""
    app = Flask("orders")
    FlaskAuthGate(app, gate=world.gate)
    app.add_url_rule("/graphql", view_func=view.as_view("graphql", schema=schema))
    return Door(app.test_client())


def flask_async_door(world: World, schema: strawberry.Schema) -> Door:
    """In Flask, in an async view: each request in an event loop of its own."""
    return flask_door(world, schema, AsyncGraphQLView)


def fastapi_door(world: World, schema: strawberry.Schema, **options: Any) -> Door:
    """In FastAPI."""
    app = FastAPI()
    FastAPIAuthGate(app, gate=world.async_gate)
    app.include_router(GraphQLRouter(schema, **options), prefix="/graphql")
    return Door(TestClient(app))


def asgi_door(world: World, schema: strawberry.Schema) -> Door:
    """In no framework."""
    app = Explicit(schema)
    app.gate = world.async_gate
    return Door(TestClient(app))


DOORS: dict[str, Callable[[World, strawberry.Schema], Door]] = {
    "flask": flask_door,
    "flask_async": flask_async_door,
    "fastapi": fastapi_door,
    "asgi": asgi_door,
}


@pytest.fixture(params=DOORS)
def serve(request: pytest.FixtureRequest, world: World) -> Callable[[strawberry.Schema], Door]:
    """Puts a schema behind each of the views by turns."""
    return lambda schema: DOORS[request.param](world, schema)


@pytest.fixture(params=["fastapi", "asgi"])
def serve_async(request: pytest.FixtureRequest, world: World) -> Callable[[strawberry.Schema], Door]:
    """Puts a schema behind those views whose gate must be awaited."""
    return lambda schema: DOORS[request.param](world, schema)


@pytest.fixture
def in_flask(world: World) -> Callable[..., Door]:
    """Puts a schema into Flask."""
    return lambda schema, **options: flask_door(world, schema, **options)


@pytest.fixture
def in_fastapi(world: World) -> Callable[..., Door]:
    """Puts a schema into FastAPI."""
    return lambda schema, **options: fastapi_door(world, schema, **options)


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
def world(trusted: Issuer, projects: StaticProjects) -> Iterator[World]:
    """Both gates, for users, services and projects."""
    stores = Counter(), AsyncCounter()
    configs = [
        GateConfig(issuers=[trusted], projects=projects, revocation=store, realm="orders") for store in stores
    ]
    with Gate(configs[0]) as gate:
        async_gate = AsyncGate(configs[1])
        yield World(gate, async_gate, stores)
        asyncio.run(async_gate.aclose())


@pytest.fixture
def bearer(issuer: FakeIssuer) -> Callable[..., Headers]:
    """Makes the header that presents a token; the arguments shape the token."""

    def present(sub: object = "u1", **shape: Any) -> Headers:
        return {"Authorization": f"Bearer {issuer.token(sub, **shape)}"}

    return present


@pytest.fixture
def user(bearer: Callable[..., Headers]) -> Headers:
    """What a user's request carries."""
    return bearer(scope="orders:read", roles=["clerk"], email="u1@example.com")


@pytest.fixture
def service(bearer: Callable[..., Headers]) -> Headers:
    """What a service's request carries."""
    return bearer("s1", gty="client-credentials", client_id="c1")


@pytest.fixture
def project() -> Headers:
    """What a project's request carries."""
    return {"x-app-id": "shop", "x-app-secret": APP_SECRET}


@pytest.fixture
def arrive(world: World) -> Callable[..., Request]:
    """Makes a request as Starlette does, in an app with the async gate, another, or none."""

    def arrived(headers: Headers | None = None, gate: object = world.async_gate, **scope: Any) -> Request:
        pairs = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
        line: dict[str, Any] = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b""}
        return Request({**line, "headers": pairs, "authgate.gate": gate, **scope})

    return arrived
