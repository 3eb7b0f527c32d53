"""The root fields of a schema and what stands before each."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import strawberry
from strawberry.permission import BasePermission

from authgate_core import any_role, is_service, is_user
from authgate_core.routes import GuardedRoute, RouteGuard, routes_of
from authgate_graphql.strawberry import (
    AuthGateExtension,
    Guard,
    Public,
    guarded_fields,
    public,
    requires,
    requires_jwt_auth,
)


class Ours(BasePermission):
    """A permission that is not the gate's."""

    def has_permission(self, source: object, info: strawberry.Info, **kwargs: Any) -> bool:
        return True


@strawberry.type
class Line:
    """What is below a root field."""

    text: str = "a"


@strawberry.type
class Query:
    version: str = strawberry.field(default="1", extensions=[Public()])

    @strawberry.field(permission_classes=[requires(is_user), requires(any_role("clerk"), optional=True)])
    def orders(self) -> list[Line]:
        return []

    @strawberry.field(extensions=[Guard(is_service)])
    def jobs(self) -> str:
        return "in"

    @strawberry.field
    @requires_jwt_auth
    def me(self, info: strawberry.Info) -> str:
        return "in"

    @strawberry.field
    @public
    def health(self) -> str:
        return "in"

    @strawberry.field(permission_classes=[Ours])
    def forgotten_orders(self) -> str:
        return "in"


@strawberry.type
class Mutation:
    @strawberry.mutation
    def pay(self) -> str:
        return "in"


@strawberry.type
class Subscription:
    @strawberry.subscription(extensions=[Guard(is_user)])
    async def prices(self) -> AsyncIterator[str]:
        yield "in"

    @strawberry.subscription
    async def forgotten(self) -> AsyncIterator[str]:
        yield "in"


def lines(schema: strawberry.Schema) -> list[str]:
    """Each root field with what stands before it, in words."""
    return [f"{field} - {field.standing}" for field in guarded_fields(schema)]


class TestRootFields:
    """Queries, mutations and subscriptions."""

    def test_their_own_guards(self) -> None:
        """In each form that a guard has; a permission of somebody else's says nothing."""
        assert [
            "query Query.version - public",
            "query Query.orders - own: is_user, own (optional): any_role('clerk')",
            "query Query.jobs - own: is_service",
            "query Query.me - own: is_user",
            "query Query.health - public",
            "query Query.forgottenOrders - UNGUARDED",
            "mutation Mutation.pay - UNGUARDED",
            "subscription Subscription.prices - own: is_user",
            "subscription Subscription.forgotten - UNGUARDED",
        ] == lines(strawberry.Schema(Query, Mutation, Subscription))

    def test_the_default(self) -> None:
        """Law 8.8: stands before those that say nothing themselves, whether an event loop runs or not."""
        schema = strawberry.Schema(Query, Mutation, extensions=[partial(AuthGateExtension, default=is_user)])

        async def listed() -> list[str]:
            return lines(schema)

        assert (
            GuardedRoute("mutation", "Mutation.pay", guards=(RouteGuard("default", is_user),))
            == guarded_fields(schema)[-1]
        )
        assert [
            "query Query.health - public",
            "query Query.forgottenOrders - default: is_user",
            "mutation Mutation.pay - default: is_user",
        ] == lines(schema)[4:]
        assert lines(schema) == asyncio.run(listed())

    def test_an_extension_without_a_default(self) -> None:
        """Closes nothing."""
        schema = strawberry.Schema(Query, extensions=[AuthGateExtension])

        assert guarded_fields(strawberry.Schema(Query)) == guarded_fields(schema)

    def test_what_a_federation_adds(self) -> None:
        """Is a way in like others."""

        @strawberry.federation.type(keys=["text"])
        class Entity:
            text: str

        schema = strawberry.federation.Schema(Query, types=[Entity])

        assert {"query Query._entities - UNGUARDED", "query Query._service - UNGUARDED"} < {*lines(schema)}

    def test_the_core_finds_them(self) -> None:
        """By the package of the library."""
        schema = strawberry.Schema(Query)

        assert guarded_fields(schema) == routes_of(schema)
