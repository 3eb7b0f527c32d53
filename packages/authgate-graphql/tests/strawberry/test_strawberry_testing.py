"""What ``authgate_core.testing`` does for the tests of a schema: stand-ins, and what it asserts (Law 9.6)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import strawberry
from fastapi import FastAPI
from flask import Flask
from starlette.testclient import TestClient
from strawberry.fastapi import GraphQLRouter
from strawberry.flask.views import AsyncGraphQLView, GraphQLView

from authgate_core import GateConfig, Issuer, StaticProjects, any_role, is_project, is_user
from authgate_core.testing import (
    as_nobody,
    as_project,
    as_user,
    assert_all_routes_guarded,
    assert_denied,
    async_gate_for_tests,
    gate_for_tests,
)
from authgate_fastapi import AuthGate as FastAPIAuthGate
from authgate_flask import AuthGate as FlaskAuthGate
from authgate_graphql.strawberry import AuthGateExtension, get_current_user, public, requires

Info = strawberry.Info[Any, Any]


@strawberry.type
class Query:
    @strawberry.field(permission_classes=[requires(is_user)])
    def me(self, info: Info) -> str:
        return getattr(get_current_user(info), "id", "nobody")

    @strawberry.field(permission_classes=[requires(any_role("admin"))])
    def admin(self) -> str:
        return "in"

    @strawberry.field(permission_classes=[requires(is_project)])
    def shop(self) -> str:
        return "in"

    @strawberry.field
    @public
    def health(self) -> str:
        return "in"


@strawberry.type
class Subscription:
    @strawberry.subscription(permission_classes=[requires(is_user)])
    async def ticks(self, info: Info) -> AsyncIterator[str]:
        yield getattr(get_current_user(info), "id", "nobody")


@pytest.fixture
def schema() -> strawberry.Schema:
    """A schema of which nothing was forgotten."""
    return strawberry.Schema(Query, subscription=Subscription, extensions=[AuthGateExtension])


@pytest.fixture
def config(trusted: Issuer, projects: StaticProjects) -> GateConfig:
    """Users and projects."""
    return GateConfig(issuers=[trusted], projects=projects)


@pytest.fixture
def browser(config: GateConfig, schema: strawberry.Schema) -> Iterator[TestClient]:
    """Asks a FastAPI app with a gate for tests."""
    app, gate = FastAPI(), async_gate_for_tests(config)
    FastAPIAuthGate(app, gate=gate)
    app.include_router(GraphQLRouter(schema), prefix="/graphql")
    yield TestClient(app)
    asyncio.run(gate.aclose())


@pytest.fixture(params=["fastapi", "flask", "flask_async"])
def client(
    request: pytest.FixtureRequest, config: GateConfig, schema: strawberry.Schema, browser: TestClient
) -> Any:
    """Asks an application with a gate for tests."""
    if request.param == "fastapi":
        return browser
    app = Flask("orders")
    FlaskAuthGate(app, gate=gate_for_tests(config))
    view = GraphQLView if request.param == "flask" else AsyncGraphQLView
    app.add_url_rule("/graphql", view_func=view.as_view("graphql", schema=schema))
    return app.test_client()


def ask(client: Any, query: str) -> Any:
    """Send one operation."""
    return client.post("/graphql", json={"query": query})


def data_of(response: Any) -> Any:
    """What was resolved."""
    return (response.json() if callable(response.json) else response.json)["data"]


class TestStandIns:
    """``as_user`` and its like."""

    def test_fields_see_them(self, client: Any) -> None:
        """Several kinds together, and nobody before or after."""
        assert_denied(ask(client, "{ me }"), 401, code="UNAUTHENTICATED")
        with as_user("ann", roles=["admin"]), as_project("shop"):
            assert {"me": "ann", "admin": "in", "shop": "in"} == data_of(ask(client, "{ me admin shop }"))
            with as_nobody():
                assert_denied(ask(client, "{ shop }"), 401)
        assert_denied(ask(client, "{ me }"), 401)

    def test_policies_still_decide(self, client: Any) -> None:
        """Who lacks the role is refused."""
        with as_user("ann"):
            assert_denied(ask(client, "{ admin }"), 403, code="FORBIDDEN")
            with pytest.raises(AssertionError, match="expected 400 or 401 or 403"):
                assert_denied(ask(client, "{ me }"))

    def test_subscriptions(self, browser: TestClient) -> None:
        """Over a WebSocket too."""

        def first(query: str) -> Any:
            with browser.websocket_connect("/graphql", ["graphql-transport-ws"]) as socket:
                socket.send_json({"type": "connection_init"})
                assert "connection_ack" == socket.receive_json()["type"]
                socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": query}})
                return socket.receive_json()["payload"]

        with as_user("ann"):
            assert {"ticks": "ann"} == first("subscription { ticks }")["data"]
        refused = first("subscription { ticks }")
        assert_denied(refused if isinstance(refused, dict) else {"errors": refused}, 401)


class TestAllRoutesGuarded:
    """``assert_all_routes_guarded``."""

    def test_of_a_closed_schema(self, schema: strawberry.Schema) -> None:
        """It says nothing, with a list of what is public or without."""
        assert_all_routes_guarded(schema)
        assert_all_routes_guarded(schema, public={"Query.health"})

    def test_a_forgotten_field(self) -> None:
        """It is named, whichever root it is of."""

        @strawberry.type
        class Mutation:
            @strawberry.mutation
            def pay(self) -> str:
                return "in"

        with pytest.raises(AssertionError, match=r"\Aanybody may use mutation Mutation.pay \(UNGUARDED\)"):
            assert_all_routes_guarded(strawberry.Schema(Query, Mutation))
