"""Law 2.6: a request is authenticated once for each kind, however many of its fields have guards."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
import strawberry
from fastapi import FastAPI
from flask import Flask
from flask.typing import ResponseReturnValue
from starlette.requests import Request
from starlette.testclient import TestClient
from strawberry.fastapi import GraphQLRouter
from strawberry.flask.views import GraphQLView
from strawberry.schema.config import StrawberryConfig

from authgate_core import (
    AsyncGate,
    GateConfig,
    Issuer,
    StaticProjects,
    all_scopes,
    any_role,
    is_project,
    is_user,
)
from authgate_core.testing import FakeIssuer
from authgate_fastapi import AuthGate as FastAPIAuthGate
from authgate_fastapi import AuthMiddleware
from authgate_fastapi import requires as fastapi_requires
from authgate_flask import AuthGate as FlaskAuthGate
from authgate_flask import requires as flask_requires
from authgate_graphql.strawberry import (
    AuthGateExtension,
    Guard,
    JWTAuthPermission,
    get_current_user,
    requires,
    requires_jwt_auth,
    requires_project_auth,
)

Headers = dict[str, str]
Serve = Callable[[strawberry.Schema], Any]


@strawberry.type
class Item:
    number: int

    @strawberry.field(permission_classes=[requires(is_user)])
    def owner(self, info: strawberry.Info) -> str:
        user = get_current_user(info)
        return "" if user is None else user.id

    @strawberry.field(extensions=[Guard(is_user & any_role("clerk"))])
    def price(self) -> int:
        return self.number * 100

    @strawberry.field
    @requires_jwt_auth
    def note(self, info: strawberry.Info) -> str:
        return f"note {self.number}"


@strawberry.type
class Query:
    @strawberry.field
    def items(self) -> list[Item]:
        return [Item(number=number) for number in range(100)]

    @strawberry.field(permission_classes=[requires(all_scopes("orders:read"))])
    async def scoped(self) -> str:
        await asyncio.sleep(0)
        return "scoped"

    @strawberry.field(permission_classes=[JWTAuthPermission])
    async def mine(self) -> str:
        await asyncio.sleep(0)
        return "mine"

    @strawberry.field
    @requires_project_auth
    async def shop(self, info: strawberry.Info) -> str:
        return "shop"

    @strawberry.field
    def hello(self) -> str:
        return "hello"


@strawberry.type
class SyncQuery:
    @strawberry.field
    def items(self) -> list[Item]:
        return [Item(number=number) for number in range(100)]

    @strawberry.field(permission_classes=[JWTAuthPermission])
    def mine(self) -> str:
        return "mine"

    @strawberry.field
    @requires_project_auth
    def shop(self, info: strawberry.Info) -> str:
        return "shop"

    @strawberry.field
    def hello(self) -> str:
        return "hello"


CONFIG = StrawberryConfig(batching_config={"max_operations": 10})
SCHEMAS = {
    "alone": strawberry.Schema(SyncQuery, config=CONFIG),
    "extended": strawberry.Schema(SyncQuery, config=CONFIG, extensions=[AuthGateExtension]),
}


@pytest.fixture(params=SCHEMAS)
def door(request: pytest.FixtureRequest, serve: Serve) -> Any:
    """Every view, with the schema extension and without."""
    return serve(SCHEMAS[request.param])


class TestFields:
    def test_of_a_hundred_items(self, door: Any, world: Any, user: Headers) -> None:
        """Three hundred guarded fields by permission classes, Guards and decorators: one verification."""
        answer = door.post("{ items { owner price note } mine }", user)
        assert [] == answer.errors
        assert (100, "u1", 9900) == (
            len(answer.data["items"]),
            answer.data["items"][99]["owner"],
            answer.data["items"][99]["price"],
        )
        assert ["TokenRef"] == world.verified

    def test_of_two_kinds(self, door: Any, world: Any, user: Headers, project: Headers) -> None:
        """One for each kind."""
        answer = door.post("{ items { owner } shop mine again: shop }", user | project)
        assert ("shop", "mine", "shop") == tuple(answer.data[name] for name in ("shop", "mine", "again"))
        assert ["ProjectRef", "TokenRef"] == sorted(world.verified)

    def test_refused(self, door: Any, world: Any, user: Headers) -> None:
        """A refusal is found once as well."""
        world.revoke()
        answer = door.post("{ one: mine }", user)
        assert (["UNAUTHENTICATED"], ["TokenRef"]) == (answer.codes, world.verified)

    def test_of_a_batch(self, door: Any, world: Any, user: Headers) -> None:
        """Ten operations in one request: one verification."""
        answer = door.batch(["{ mine items { owner } }"] * 10, user)
        assert ["mine"] * 10 == [one["data"]["mine"] for one in answer.json]
        assert ["TokenRef"] == world.verified

    def test_none(self, door: Any, world: Any, user: Headers) -> None:
        """Without guarded fields nobody is asked, whatever is presented."""
        assert {"hello": "hello"} == door.post("{ hello }", user).data
        assert [] == world.verified

    def test_each_request_anew(self, door: Any, world: Any, user: Headers) -> None:
        """Law 5.1: the next request is verified again, and revoked."""
        assert "mine" == door.post("{ mine }", user).data["mine"]
        world.revoke()
        assert ["UNAUTHENTICATED"] == door.post("{ mine }", user).codes
        assert 2 == len(world.verified)


class TestInFlight:
    @pytest.mark.parametrize("extensions", [[], [AuthGateExtension]])
    def test_two_policies_of_one_kind(
        self, serve_async: Serve, world: Any, user: Headers, project: Headers, extensions: Any
    ) -> None:
        """Fields that wait at the same time share one verification for each kind."""
        door = serve_async(strawberry.Schema(Query, extensions=extensions))
        answer = door.post("{ scoped mine shop items { owner price } }", user | project)
        assert [] == answer.errors
        assert ["ProjectRef", "TokenRef"] == sorted(world.verified)


class TestBehindGuards:
    """Behind guards of the framework nothing is authenticated twice."""

    def test_of_flask(self, world: Any, user: Headers) -> None:
        """``@requires`` on the view."""
        app = Flask("orders")
        FlaskAuthGate(app, gate=world.gate)
        view = cast(
            "Callable[[], ResponseReturnValue]", GraphQLView.as_view("graphql", schema=SCHEMAS["alone"])
        )
        app.add_url_rule("/graphql", view_func=flask_requires(is_user)(view), methods=["POST"])
        answer = app.test_client().post("/graphql", json={"query": "{ mine }"}, headers=user)
        assert {"mine": "mine"} == answer.json["data"]  # type: ignore[index]  # it is JSON
        assert ["TokenRef"] == world.verified

    @pytest.mark.parametrize("by", ["middleware", "dependency"])
    def test_of_fastapi(self, world: Any, user: Headers, by: str) -> None:
        """``AuthMiddleware`` around the app, or a dependency of the router."""
        app = FastAPI()
        FastAPIAuthGate(app, gate=world.async_gate)
        guards = [fastapi_requires(is_user)] if by == "dependency" else []
        app.include_router(GraphQLRouter(SCHEMAS["alone"], dependencies=guards), prefix="/graphql")
        if by == "middleware":
            app.add_middleware(AuthMiddleware, policy=is_user)
        client = TestClient(app)
        assert 401 == client.post("/graphql", json={"query": "{ mine }"}).status_code
        answer = client.post("/graphql", json={"query": "{ mine items { owner } }"}, headers=user)
        assert "mine" == answer.json()["data"]["mine"]
        assert ["TokenRef"] == world.verified


class TestColdKeys:
    @pytest.mark.parametrize("extensions", [[], [AuthGateExtension]])
    def test_fetched_once(
        self, arrive: Callable[..., Request], projects: StaticProjects, extensions: Any
    ) -> None:
        """Law 4.1: a hundred fields that need keys nobody has yet fetch them once, from a real issuer."""
        with FakeIssuer(audience="orders-api") as issuer:
            trusted = Issuer.oidc(issuer.url, audience="orders-api")
            schema = strawberry.Schema(SyncQuery, extensions=extensions)

            async def ask() -> Any:
                gate = AsyncGate(GateConfig(issuers=[trusted], projects=projects))
                headers = {"Authorization": f"Bearer {issuer.token('u1', roles=['clerk'])}"}
                context = {"request": arrive(headers, gate)}
                result = await schema.execute("{ items { owner price note } }", context_value=context)
                await gate.aclose()
                return result

            result = asyncio.run(ask())
            assert (None, "u1") == (result.errors, result.data["items"][7]["owner"])
            assert {1} == set(issuer.hits.values())


class TestMemo:
    def test_of_another_policy(self, in_flask: Callable[..., Any], world: Any, user: Headers) -> None:
        """Two policies about one kind judge what one verification found."""

        @strawberry.type
        class Two:
            @strawberry.field(permission_classes=[requires(is_project), requires(is_user)])
            def first(self) -> str:
                return "never"

            @strawberry.field(permission_classes=[requires(is_user), requires(any_role("admin"))])
            def second(self) -> str:
                return "never"

        answer = in_flask(strawberry.Schema(Two)).post("{ second }", user)
        assert (["FORBIDDEN"], ["TokenRef"]) == (answer.codes, world.verified)
