"""What ``authgate_core.testing`` does for the tests of a schema: stand-ins, and what it asserts (Law 9.6)."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import flask
import graphene
import pytest
from flask import Flask
from starlette.requests import Request

from authgate_core import AsyncGate, Gate, GateConfig, Issuer, StaticProjects, any_role, is_project, is_user
from authgate_core.testing import (
    as_nobody,
    as_project,
    as_user,
    assert_all_routes_guarded,
    assert_denied,
    async_gate_for_tests,
    gate_for_tests,
)
from authgate_graphql.graphene import get_current_user, protect, public, requires

Ask = Callable[[str], Any]


class Query(graphene.ObjectType):
    me = graphene.String()
    admin = graphene.String()
    shop = graphene.String()
    health = graphene.String()

    @requires(is_user)
    def resolve_me(root: object, info: Any) -> str:
        return getattr(get_current_user(info), "id", "nobody")

    @requires(any_role("admin"))
    def resolve_admin(root: object, info: Any) -> str:
        return "in"

    @requires(is_project)
    def resolve_shop(root: object, info: Any) -> str:
        return "in"

    @public
    def resolve_health(root: object, info: Any) -> str:
        return "in"


@pytest.fixture
def config(trusted: Issuer, projects: StaticProjects) -> GateConfig:
    """Users and projects."""
    return GateConfig(issuers=[trusted], projects=projects)


@pytest.fixture
def gate(config: GateConfig) -> Gate:
    """A gate for tests."""
    return gate_for_tests(config)


@pytest.fixture
def async_gate(config: GateConfig) -> Iterator[AsyncGate]:
    """One for event loops."""
    gate = async_gate_for_tests(config)
    yield gate
    asyncio.run(gate.aclose())


@pytest.fixture(params=["flask", "asgi"])
def ask(request: pytest.FixtureRequest, app: Flask, arrive: Callable[..., Request]) -> Ask:
    """Executes an operation, in Flask or in an ASGI app."""
    schema = graphene.Schema(Query)

    def sync(query: str) -> Any:
        with app.test_request_context("/graphql", method="POST"):
            return schema.execute(query, context={"request": flask.request})

    def asynchronous(query: str) -> Any:
        return asyncio.run(schema.execute_async(query, context={"request": arrive({})}))

    return sync if request.param == "flask" else asynchronous


class TestStandIns:
    """``as_user`` and its like."""

    def test_fields_see_them(self, ask: Ask) -> None:
        """Several kinds together, and nobody before or after."""
        assert_denied(ask("{ me }"), 401, code="UNAUTHENTICATED")
        with as_user("ann", roles=["admin"]), as_project("shop"):
            assert {"me": "ann", "admin": "in", "shop": "in"} == ask("{ me admin shop }").data
            with as_nobody():
                assert_denied(ask("{ shop }"), 401)
        assert_denied(ask("{ me }"), 401)

    def test_policies_still_decide(self, ask: Ask) -> None:
        """Who lacks the role is refused."""
        with as_user("ann"):
            assert_denied(ask("{ admin }"), 403, code="FORBIDDEN")
            with pytest.raises(AssertionError, match="expected 400 or 401 or 403"):
                assert_denied(ask("{ me }"))


class TestAllRoutesGuarded:
    """``assert_all_routes_guarded``."""

    def test_of_a_closed_schema(self) -> None:
        """It says nothing, with a list of what is public or without."""
        assert_all_routes_guarded(graphene.Schema(Query))
        assert_all_routes_guarded(graphene.Schema(Query), public={"Query.health"})

    def test_a_forgotten_field(self, app: Flask) -> None:
        """It is named, and no longer once the schema is protected."""

        class More(Query):
            orders = graphene.String()

        schema = graphene.Schema(More)
        with pytest.raises(AssertionError, match=r"\Aanybody may use query More.orders \(UNGUARDED\)"):
            assert_all_routes_guarded(schema)
        protect(schema, is_user)
        assert_all_routes_guarded(schema, public={"More.health"})
        with app.test_request_context("/graphql", method="POST"):
            assert_denied(schema.execute("{ orders }", context={"request": flask.request}), 401)
