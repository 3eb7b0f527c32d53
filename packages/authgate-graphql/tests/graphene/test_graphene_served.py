import asyncio
from collections.abc import Callable
from typing import Any

import graphene
import httpx2
import pytest
from fastapi import Depends, FastAPI
from flask import Flask
from graphql_server.asgi import GraphQL
from graphql_server.fastapi import BaseContext, GraphQLRouter
from graphql_server.flask.views import AsyncGraphQLView, GraphQLView
from starlette.testclient import TestClient

from authgate_core import AsyncGate, Gate, RevocationUnavailable, all_scopes, is_user
from authgate_fastapi import AuthGate, AuthMiddleware, CurrentUser
from authgate_flask import requires as flask_requires
from authgate_graphql.graphene import (
    get_admission,
    jwt_auth_required,
    project_auth_required,
    protect,
    requires,
)
from tests.adapter_contract.adapters.flask_waitress import served

Headers = dict[str, str]
Post = Callable[..., Any]


class Query(graphene.ObjectType):
    me = graphene.String()
    shop = graphene.String()
    reader = graphene.String()
    slow = graphene.String()
    open = graphene.String()

    @jwt_auth_required
    def resolve_me(self, info: Any) -> str:
        return str(info.context["user"].id)

    @project_auth_required
    def resolve_shop(self, info: Any) -> str:
        return str(info.context["project"].id)

    @requires(is_user & all_scopes("orders:read"))
    def resolve_reader(self, info: Any) -> str:
        return get_admission(info).user.id

    def resolve_open(self, info: Any) -> str:
        return "open"


class AsyncQuery(Query):
    class Meta:
        name = "Query"

    @requires(is_user)
    async def resolve_slow(self, info: Any) -> str:
        await asyncio.sleep(0)
        return get_admission(info).user.id


SCHEMA = graphene.Schema(query=Query).graphql_schema
ASYNC_SCHEMA = graphene.Schema(query=AsyncQuery).graphql_schema

EVERYTHING = "{ me shop reader open }"
DATA = {"me": "u1", "shop": "p1", "reader": "u1", "open": "open"}
REFUSED = {
    "message": "Authentication is required.",
    "extensions": {"code": "UNAUTHENTICATED", "missing": [], "http": {"status": 401}},
}


def shown(body: Any) -> Any:
    """An answer without the places of its errors."""
    for error in body.get("errors", ()):
        del error["locations"], error["path"]
    return body


@pytest.fixture
def everybody(user: Headers, project: Headers) -> Headers:
    """What a request of a user carries that comes from a project."""
    return {**user, **project}


class TestFlask:
    @pytest.fixture(params=["sync", "async"])
    def viewed(self, request: pytest.FixtureRequest, app: Flask) -> Flask:
        """The application with a view of either colour, the gate being sync."""
        view = (
            GraphQLView.as_view("graphql", schema=SCHEMA)
            if request.param == "sync"
            else AsyncGraphQLView.as_view("graphql", schema=ASYNC_SCHEMA)
        )
        app.add_url_rule("/graphql", view_func=view)
        return app

    def test_admits(self, viewed: Flask, everybody: Headers, counter: Any) -> None:
        """Once for each kind."""
        answer = viewed.test_client().post("/graphql", json={"query": EVERYTHING}, headers=everybody)
        assert (200, {"data": DATA}) == (answer.status_code, answer.json)
        assert 2 == len(counter.asked)

    def test_marks_what_was_admitted(self, viewed: Flask, user: Headers) -> None:
        """For shared caches (Law 1.7), by Flask's own adapter."""
        answer = viewed.test_client().post("/graphql", json={"query": "{ me }"}, headers=user)
        assert ("private", "Authorization") == (answer.headers["Cache-Control"], answer.headers["Vary"])

    def test_refuses(self, viewed: Flask) -> None:
        """With status 200, the error saying what it would be."""
        answer = viewed.test_client().post("/graphql", json={"query": "{ me open }"})
        assert {"data": {"me": None, "open": "open"}, "errors": [REFUSED]} == shown(answer.json)
        assert (200, "no-store") == (answer.status_code, answer.headers["Cache-Control"])

    def test_a_guard_before_the_view_is_not_asked_again(
        self, app: Flask, user: Headers, counter: Any
    ) -> None:
        """What it found is what the fields know (Law 2.6)."""
        guarded = flask_requires(is_user)(GraphQLView.as_view("graphql", schema=SCHEMA))
        app.add_url_rule("/graphql", view_func=guarded)
        client = app.test_client()
        assert {"data": {"me": "u1"}} == client.post("/graphql", json={"query": "{ me }"}, headers=user).json
        assert 1 == len(counter.asked)
        assert 401 == client.post("/graphql", json={"query": "{ open }"}).status_code

    def test_an_async_resolver_waits(self, app: Flask, user: Headers) -> None:
        """In an async view the gate decides on a thread of its own, and no loop is blocked (Law 9.2)."""
        app.add_url_rule("/graphql", view_func=AsyncGraphQLView.as_view("graphql", schema=ASYNC_SCHEMA))
        answer = app.test_client().post("/graphql", json={"query": "{ slow me }"}, headers=user)
        assert {"data": {"slow": "u1", "me": "u1"}} == answer.json

    def test_on_a_real_server(self, app: Flask, everybody: Headers, counter: Any) -> None:
        """Waitress with four threads, asked by eight."""
        app.add_url_rule("/graphql", view_func=GraphQLView.as_view("graphql", schema=SCHEMA))

        async def ask(url: str) -> list[Any]:
            async with httpx2.AsyncClient() as client:
                posts = (client.post(url, json={"query": EVERYTHING}, headers=everybody) for _ in range(8))
                return [answer.json() for answer in await asyncio.gather(*posts)]

        with served(app) as port:
            assert [{"data": DATA}] * 8 == asyncio.run(ask(f"http://127.0.0.1:{port}/graphql"))
        assert 16 == len(counter.asked)


class TestFastAPI:
    @pytest.fixture
    def fastapi(self, async_gate: AsyncGate) -> FastAPI:
        """An application with the async gate."""
        app = FastAPI()
        AuthGate(app, gate=async_gate)
        return app

    def client(self, app: FastAPI, **router: Any) -> TestClient:
        """Asks the application with a router of graphql-server in it."""
        app.include_router(GraphQLRouter(ASYNC_SCHEMA, **router), prefix="/graphql")
        return TestClient(app)

    def test_admits(self, fastapi: FastAPI, everybody: Headers, async_counter: Any) -> None:
        """Once for each kind."""
        query = {"query": "{ me shop reader slow open }"}
        answer = self.client(fastapi).post("/graphql", json=query, headers=everybody)
        assert (200, {"data": {**DATA, "slow": "u1"}}) == (answer.status_code, answer.json())
        assert 2 == len(async_counter.asked)

    def test_marks_what_was_admitted(self, fastapi: FastAPI, user: Headers) -> None:
        """For shared caches (Law 1.7), by FastAPI's own adapter."""
        answer = self.client(fastapi).post("/graphql", json={"query": "{ me }"}, headers=user)
        assert ("private", "Authorization") == (answer.headers["Cache-Control"], answer.headers["Vary"])

    def test_refuses(self, fastapi: FastAPI) -> None:
        """With status 200, the error saying what it would be."""
        answer = self.client(fastapi).post("/graphql", json={"query": "{ me open }"})
        assert {"data": {"me": None, "open": "open"}, "errors": [REFUSED]} == shown(answer.json())
        assert (200, "no-store") == (answer.status_code, answer.headers["Cache-Control"])

    @pytest.mark.parametrize("order", ["before", "after"])
    def test_behind_middleware_nothing_is_authenticated_twice(
        self, async_gate: AsyncGate, everybody: Headers, async_counter: Any, order: str
    ) -> None:
        """Whichever of the two was added first; and what it refuses is refused before the view (Law 2.6)."""
        app = FastAPI()
        if order == "before":
            app.add_middleware(AuthMiddleware)
        AuthGate(app, gate=async_gate)
        if order == "after":
            app.add_middleware(AuthMiddleware)
        client = self.client(app)
        answer = client.post("/graphql", json={"query": EVERYTHING}, headers=everybody)
        assert {"data": DATA} == answer.json()
        assert 2 == len(async_counter.asked)
        assert 401 == client.post("/graphql", json={"query": "{ open }"}).status_code

    def test_a_dependency_and_fields_share_what_they_find(
        self, fastapi: FastAPI, user: Headers, async_counter: Any
    ) -> None:
        """A context of one's own class, made by a dependency that asks for a user."""

        class Own(BaseContext):
            def __init__(self, caller: Any) -> None:
                super().__init__()
                self.caller = caller

        def own(caller: CurrentUser) -> Own:
            return Own(caller)

        class Mine(graphene.ObjectType):
            me = graphene.String()

            @requires(is_user)
            def resolve_me(self, info: Any) -> str:
                return f"{info.context.caller.id} {get_admission(info).user.id}"

        router = GraphQLRouter(graphene.Schema(query=Mine).graphql_schema, context_getter=own)
        fastapi.include_router(router, prefix="/graphql", dependencies=[Depends(lambda: None)])
        answer = TestClient(fastapi).post("/graphql", json={"query": "{ me }"}, headers=user)
        assert {"data": {"me": "u1 u1"}} == answer.json()
        assert 1 == len(async_counter.asked)

    def test_a_mounted_app_has_the_gate_around_it(self, fastapi: FastAPI, user: Headers) -> None:
        """graphql-server's own ASGI application finds it."""
        fastapi.mount("/graphql", GraphQL(ASYNC_SCHEMA))
        answer = TestClient(fastapi).post("/graphql/", json={"query": "{ me }"}, headers=user)
        assert {"data": {"me": "u1"}} == answer.json()


class TestAsgi:
    def client(self, query: type[graphene.ObjectType], **options: Any) -> TestClient:
        """Asks an application of graphql-server that nothing stands around."""
        schema = graphene.Schema(query=query)
        protect(schema, None, **options)
        return TestClient(GraphQL(schema.graphql_schema))

    def test_a_gate_is_given_with_the_schema(
        self, async_gate: AsyncGate, everybody: Headers, async_counter: Any
    ) -> None:
        """Once for each kind."""
        client = self.client(AsyncQuery, gate=async_gate)
        assert {"data": DATA} == client.post("/", json={"query": EVERYTHING}, headers=everybody).json()
        assert 2 == len(async_counter.asked)
        assert {"data": {"me": None}, "errors": [REFUSED]} == shown(
            client.post("/", json={"query": "{ me }"}).json()
        )

    def test_a_refusal_may_be_the_status(
        self, async_gate: AsyncGate, async_counter: Any, user: Headers
    ) -> None:
        """With the challenge, or when to come back (Laws 1, 1.8)."""
        client = self.client(AsyncQuery, gate=async_gate, http_status=True)
        answer = client.post("/", json={"query": "{ me }"})
        assert (401, 'Bearer realm="orders"') == (answer.status_code, answer.headers["WWW-Authenticate"])
        async_counter.failure = RevocationUnavailable("the store is down")
        answer = client.post("/", json={"query": "{ me }"}, headers=user)
        assert 503 == answer.status_code
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert "no-store" == answer.headers["Cache-Control"]

    def test_a_gate_of_the_other_colour_is_said_to_be_one(self, gate: Gate, user: Headers) -> None:
        """With the fix in its text."""
        answer = self.client(AsyncQuery, gate=gate).post("/", json={"query": "{ me }"}, headers=user).json()
        assert "give it AsyncGate(config)" in answer["errors"][0]["message"]
