"""The root fields of a schema and what stands before each."""

from collections.abc import AsyncIterator
from typing import Any

import graphene
import pytest

from authgate_core import any_role, is_service, is_user
from authgate_core.routes import GuardedRoute, RouteGuard, routes_of
from authgate_graphql.graphene import guarded_fields, jwt_auth_required, protect, public, requires


class Query(graphene.ObjectType):
    orders = graphene.String()
    me = graphene.String()
    health = graphene.String()
    version = graphene.String(default_value="1")

    @requires(is_user)
    @requires(any_role("clerk"), optional=True)
    def resolve_orders(root: object, info: Any) -> str:
        return "in"

    @jwt_auth_required
    def resolve_me(root: object, info: Any) -> str:
        return "in"

    @public
    def resolve_health(root: object, info: Any) -> str:
        return "in"


class Pay(graphene.Mutation):
    done = graphene.Boolean()

    def mutate(root: object, info: Any) -> "Pay":
        return Pay(done=True)


class Mutation(graphene.ObjectType):
    pay = Pay.Field()


class Subscription(graphene.ObjectType):
    prices = graphene.String()
    forgotten = graphene.String()
    half = graphene.String()
    whole = graphene.String()

    @requires(is_user)
    async def subscribe_prices(root: object, info: Any) -> AsyncIterator[str]:
        yield "in"

    async def subscribe_forgotten(root: object, info: Any) -> AsyncIterator[str]:
        yield "in"

    @requires(is_user)
    async def subscribe_half(root: object, info: Any) -> AsyncIterator[str]:
        yield "in"

    def resolve_half(root: object, info: Any) -> str:
        return "in"

    @requires(is_user)
    async def subscribe_whole(root: object, info: Any) -> AsyncIterator[str]:
        yield "in"

    @requires(is_user)
    def resolve_whole(root: object, info: Any) -> str:
        return "in"


@pytest.fixture
def schema() -> graphene.Schema:
    """A schema with everything in it."""
    return graphene.Schema(Query, Mutation, Subscription)


def lines(schema: graphene.Schema) -> list[str]:
    """Each root field with what stands before it, in words."""
    return [f"{field} - {field.standing}" for field in guarded_fields(schema)]


class TestRootFields:
    """Queries, mutations and subscriptions."""

    def test_their_own_guards(self, schema: graphene.Schema) -> None:
        """A subscription is guarded where its source is, and its resolver, which some views call in its stead."""
        assert [
            "query Query.orders - own: is_user, own (optional): any_role('clerk')",
            "query Query.me - own: is_user",
            "query Query.health - public",
            "query Query.version - UNGUARDED",
            "mutation Mutation.pay - UNGUARDED",
            "subscription Subscription.prices - own: is_user",
            "subscription Subscription.forgotten - UNGUARDED",
            "subscription Subscription.half - UNGUARDED",
            "subscription Subscription.whole - own: is_user",
        ] == lines(schema)

    def test_the_default(self, schema: graphene.Schema) -> None:
        """Law 8.8: stands before those that say nothing themselves, and before what events show."""
        protect(schema, is_service)

        assert (
            GuardedRoute("query", "Query.version", guards=(RouteGuard("default", is_service),))
            == guarded_fields(schema)[3]
        )
        assert [
            "query Query.health - public",
            "query Query.version - default: is_service",
            "mutation Mutation.pay - default: is_service",
            "subscription Subscription.prices - own: is_user",
            "subscription Subscription.forgotten - default: is_service",
            "subscription Subscription.half - own: is_user",
        ] == lines(schema)[2:-1]

    def test_a_schema_of_graphql_core(self, schema: graphene.Schema) -> None:
        """Is the same one."""
        assert guarded_fields(schema) == guarded_fields(schema.graphql_schema)

    def test_the_core_finds_them(self, schema: graphene.Schema) -> None:
        """By the package of the library."""
        assert guarded_fields(schema) == routes_of(schema)

    def test_of_no_schema(self) -> None:
        """Says what it got."""
        with pytest.raises(TypeError, match="takes a schema, not 'Query'"):
            guarded_fields("Query")  # type: ignore[arg-type]
