"""Guards in all their variants: optional, by path parameters, by stand-ins, in shadow mode."""

import asyncio
import gc
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import strawberry
from fastapi import FastAPI
from flask import Flask
from flask.typing import ResponseReturnValue
from starlette.requests import Request
from starlette.testclient import TestClient
from strawberry.fastapi import GraphQLRouter
from strawberry.flask.views import AsyncGraphQLView, GraphQLView

from authgate_core import (
    AsyncGate,
    Gate,
    GateConfig,
    Issuer,
    Policy,
    StaticProjects,
    any_role,
    claim_equals,
    fresh_within,
    is_project,
    is_user,
)
from authgate_core.testing import as_user, async_gate_for_tests, gate_for_tests
from authgate_fastapi import AuthGate as FastAPIAuthGate
from authgate_flask import AuthGate as FlaskAuthGate
from authgate_graphql.strawberry import AuthGateExtension, Guard, get_admission, requires, requires_jwt_auth

Headers = dict[str, str]
Serve = Callable[[strawberry.Schema], Any]


def whom(info: strawberry.Info) -> str | None:
    """Whom the guards have let in."""
    return " ".join(sorted(one.id for one in get_admission(info).principals)) or "nobody"


@strawberry.type
class Query:
    permitted = strawberry.field(
        whom, permission_classes=[requires(is_user & any_role("clerk"), optional=True)]
    )
    extended = strawberry.field(whom, extensions=[Guard(is_user & any_role("clerk"), optional=True)])
    both = strawberry.field(whom, permission_classes=[requires(is_user & is_project, optional=True)])
    either = strawberry.field(whom, extensions=[Guard(is_user | is_project)])

    @strawberry.field
    @requires_jwt_auth
    def mine(self, info: strawberry.Info) -> str | None:
        return whom(info)


def requiring(policy: Policy) -> Callable[[strawberry.Info], str | None]:
    """A resolver that asks more than its guard."""

    def resolve(info: strawberry.Info) -> str | None:
        get_admission(info).require(policy)
        return "in"

    return resolve


@strawberry.type
class Requiring:
    owned = strawberry.field(requiring(any_role("owner")), permission_classes=[requires(is_user)])
    recent = strawberry.field(requiring(fresh_within(300)), permission_classes=[requires(is_user)])


REQUIRING = strawberry.Schema(Requiring)
SCHEMAS = {
    "alone": strawberry.Schema(Query),
    "extended": strawberry.Schema(Query, extensions=[AuthGateExtension]),
}


@pytest.fixture(params=SCHEMAS)
def door(request: pytest.FixtureRequest, serve: Serve) -> Any:
    """Every view, with the schema extension and without."""
    return serve(SCHEMAS[request.param])


class TestOptional:
    """Law 1.4."""

    QUERIES = ("permitted", "extended")

    @pytest.mark.parametrize("name", QUERIES)
    def test_nobody(self, door: Any, project: Headers, name: str) -> None:
        """Nothing of what is asked for was presented: nobody is let in, as nobody."""
        assert {name: "nobody"} == door.post(f"{{ {name} }}").data
        assert {name: "nobody"} == door.post(f"{{ {name} }}", project).data

    @pytest.mark.parametrize("name", QUERIES)
    def test_presented(
        self, door: Any, world: Any, user: Headers, bearer: Callable[..., Headers], name: str
    ) -> None:
        """Whatever is presented is judged: somebody, not allowed, invalid, malformed."""
        query = f"{{ {name} }}"
        assert {name: "u1"} == door.post(query, user).data
        assert ["FORBIDDEN"] == door.post(query, bearer(roles=["other"])).codes
        assert ["BAD_CREDENTIALS"] == door.post(query, {"Authorization": "Bearer a, b"}).codes
        world.revoke()
        assert ["UNAUTHENTICATED"] == door.post(query, user).codes

    def test_a_part(self, door: Any, user: Headers, project: Headers) -> None:
        """A part of an ``&`` is not nothing."""
        assert ["UNAUTHENTICATED"] == door.post("{ both }", user).codes
        assert {"both": "p1 u1"} == door.post("{ both }", user | project).data
        assert {"both": "nobody"} == door.post("{ both }").data


class TestEither:
    def test_branches(self, door: Any, user: Headers, project: Headers) -> None:
        """Law 8.4: the branch that granted is who is let in."""
        assert [{"either": "u1"}, {"either": "p1"}] == [
            door.post("{ either }", headers).data for headers in (user, project)
        ]

    def test_together(self, door: Any, user: Headers, project: Headers) -> None:
        """Later guards of a request add whom they have let in."""
        answer = door.post("{ either }", project)
        assert {"either": "p1"} == answer.data
        answer = door.post("{ a: both mine b: both }", user | project)
        assert {"a": "p1 u1", "mine": "p1 u1", "b": "p1 u1"} == answer.data


class ByPath(GraphQLView):
    """A view at an address with a parameter."""

    def dispatch_request(self, owner: str) -> ResponseReturnValue:  # type: ignore[override]  # one more
        return super().dispatch_request()


class ByPathLater(AsyncGraphQLView):
    """The same, async."""

    async def dispatch_request(self, owner: str) -> ResponseReturnValue:  # type: ignore[override]  # one more
        return await super().dispatch_request()


@strawberry.type
class Owned:
    mine = strawberry.field(whom, permission_classes=[requires(is_user & claim_equals("sub", path="owner"))])


class TestPathParameters:
    """A policy may compare with a parameter of the HTTP route."""

    @pytest.mark.parametrize("view", [ByPath, ByPathLater])
    def test_flask(self, world: Any, user: Headers, view: Any) -> None:
        """In Flask."""
        app = Flask("orders")
        FlaskAuthGate(app, gate=world.gate)
        schema = strawberry.Schema(Owned)
        app.add_url_rule("/<owner>/graphql", view_func=view.as_view("graphql", schema=schema))
        self.holds(app.test_client(), user, lambda answer: answer.json)

    def test_fastapi(self, world: Any, user: Headers) -> None:
        """In FastAPI."""
        app = FastAPI()
        FastAPIAuthGate(app, gate=world.async_gate)
        app.include_router(GraphQLRouter(strawberry.Schema(Owned)), prefix="/{owner}/graphql")
        self.holds(TestClient(app), user, lambda answer: answer.json())

    @staticmethod
    def holds(client: Any, user: Headers, json: Callable[[Any], Any]) -> None:
        asked = {"query": "{ mine }"}
        answers = [json(client.post(f"/{owner}/graphql", json=asked, headers=user)) for owner in ("u1", "u2")]
        assert [{"mine": "u1"}, {"mine": None}] == [answer["data"] for answer in answers]
        assert "FORBIDDEN" == answers[1]["errors"][0]["extensions"]["code"]


@pytest.fixture
def config(trusted: Issuer, projects: StaticProjects) -> GateConfig:
    """What both gates are built from where nothing is counted."""
    return GateConfig(issuers=[trusted], projects=projects)


class TestStandIns:
    """Law 9.6: whoever stands in for a caller does so behind GraphQL as well."""

    @pytest.mark.parametrize("schema", SCHEMAS.values())
    def test_both_colours(
        self, config: GateConfig, in_flask: Any, in_fastapi: Any, world: Any, schema: strawberry.Schema
    ) -> None:
        """By a gate for tests, in either colour."""
        world.gate, world.async_gate = gate_for_tests(config), async_gate_for_tests(config)
        for door in (in_flask(schema), in_flask(schema, view=AsyncGraphQLView), in_fastapi(schema)):
            with as_user("ann", roles=["clerk"]):
                assert {"mine": "ann", "permitted": "ann"} == door.post("{ mine permitted }").data
            assert ["UNAUTHENTICATED"] == door.post("{ mine }").codes


class TestShadow:
    """``GateConfig(shadow=True)`` reports refusals and does not carry them out (Law 8.6)."""

    @pytest.fixture
    def shadow(self, trusted: Issuer, projects: StaticProjects, world: Any) -> Iterator[Any]:
        """Both gates in shadow mode."""
        config = GateConfig(issuers=[trusted], projects=projects, shadow=True)
        world.gate, world.async_gate = Gate(config), AsyncGate(config)
        yield world
        world.gate.close()
        asyncio.run(world.async_gate.aclose())

    @pytest.mark.parametrize("schema", SCHEMAS.values())
    def test_let_in(
        self, shadow: Any, serve: Serve, bearer: Callable[..., Headers], schema: strawberry.Schema
    ) -> None:
        """Strangers see, and so does one who may not."""
        door = serve(schema)
        assert ({"mine": "nobody", "either": "nobody"}, []) == (
            door.post("{ mine either }").data,
            door.post("{ mine either }").errors,
        )
        assert [] == door.post("{ permitted extended }", bearer(roles=["other"])).errors

    def test_what_a_resolver_requires(
        self, shadow: Any, serve: Serve, bearer: Callable[..., Headers], caplog: pytest.LogCaptureFixture
    ) -> None:
        """Is reported, and not carried out either."""
        door = serve(REQUIRING)
        assert {"owned": "in"} == door.post("{ owned }", bearer(roles=["other"])).data
        assert ["would_refuse"] == [
            vars(record)["authgate"].verdict for record in caplog.records if "owner" in record.message
        ]


class TestReading:
    """What ``get_admission`` gives to resolvers."""

    def test_a_fresh_login(self, serve: Serve, bearer: Callable[..., Headers]) -> None:
        """Is as fresh there as it was before the guard."""
        door = serve(REQUIRING)
        assert {"recent": "in"} == door.post("{ recent }", bearer(auth_time=int(time.time()) - 60)).data
        assert ["STEP_UP_REQUIRED"] == door.post("{ recent }", bearer(auth_time=int(time.time()) - 900)).codes


class TestColours:
    """Law 9.4: a gate of the wrong colour is a configuration error with the fix in its text, and nothing runs."""

    def test_async_gate_without_a_loop(self, arrive: Callable[..., Request], user: Headers) -> None:
        """``execute_sync`` cannot await an AsyncGate."""
        result = SCHEMAS["alone"].execute_sync("{ mine }", context_value={"request": arrive(user)})
        assert "await schema.execute(...)" in str(result.errors)
        assert {"mine": None} == result.data

    @pytest.mark.parametrize("name", ["permitted", "extended", "mine"])
    def test_sync_execution_in_a_loop(self, arrive: Callable[..., Request], user: Headers, name: str) -> None:
        """Nor in a running loop, where what waits is never taken for a yes."""

        async def ask() -> Any:
            context = {"request": arrive(user)}
            return SCHEMAS["alone"].execute_sync(f"{{ {name} }}", context_value=context)

        with warnings.catch_warnings():
            # Strawberry drops what it was to await, whoever's it is.
            warnings.simplefilter("ignore", RuntimeWarning)
            result = asyncio.run(ask())
            gc.collect()
        assert (None, True) == (result.data, "synchronously" in str(result.errors))
