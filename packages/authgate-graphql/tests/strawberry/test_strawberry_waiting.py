"""Fields that must wait for a store before their guards can say anything (ADR 16)."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import strawberry
from starlette.requests import Request
from strawberry import relay
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission, PermissionExtension

from authgate_core import any_role, is_project, is_user
from authgate_graphql.strawberry import (
    AuthGateExtension,
    Guard,
    JWTAuthPermission,
    requires,
    requires_jwt_auth,
)

Headers = dict[str, str]
Ask = Callable[..., Any]

calls: list[str] = []


class Shout(FieldExtension):
    """One that looks at the value and can do so in both colours."""

    def resolve(self, next_: Any, source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        calls.append("shout")
        return next_(source, info, **kwargs).upper()

    async def resolve_async(self, next_: Any, source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        calls.append("shout")
        return (await next_(source, info, **kwargs)).upper()


class ShoutLater(FieldExtension):
    """One that can only wait."""

    async def resolve_async(self, next_: Any, source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        calls.append("shout")
        return (await next_(source, info, **kwargs)).upper()


class Allowed(BasePermission):
    """Another permission, which is asked after ours."""

    message = "not allowed by another one"

    def has_permission(self, source: Any, info: strawberry.Info, **kwargs: Any) -> bool:
        calls.append("allowed")
        return kwargs.get("text") != "forbidden"


class AllowedLater(BasePermission):
    """One that waits."""

    message = "not allowed later"

    async def has_permission(self, source: Any, info: strawberry.Info, **kwargs: Any) -> bool:
        await asyncio.sleep(0)
        return kwargs.get("text") != "forbidden"


class Mine(JWTAuthPermission):
    """A permission made of ours, which says more."""

    message = "not mine"

    def has_permission(self, source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        known = super().has_permission(source, info, **kwargs)
        return known and kwargs.get("text") != "forbidden"


class Lax(JWTAuthPermission):
    """One that asks ours and does not mind the answer."""

    def has_permission(self, source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        super().has_permission(source, info, **kwargs)
        return True


class Never(JWTAuthPermission):
    """One that says no without asking ours."""

    message = "never"

    def has_permission(self, source: Any, info: strawberry.Info, **kwargs: Any) -> bool:
        return False


@strawberry.input
class Point:
    x: int
    y: int = 7


@strawberry.type
class Row(relay.Node):
    id: relay.NodeID[int]

    @classmethod
    def resolve_nodes(cls, *, node_ids: Iterable[str], info: Any = None, required: bool = False) -> Any:
        return [cls(id=int(one)) for one in node_ids]


@strawberry.type
class Child:
    name: str = strawberry.field(permission_classes=[requires(is_user)], default="Kim")
    guarded: str = strawberry.field(extensions=[Guard(is_user)], default="Lee")

    @strawberry.field(permission_classes=[requires(is_user)])
    def of_self(self, text: str) -> str:
        return f"{type(self).__name__} {text}"

    @strawberry.field(permission_classes=[requires(is_user)])
    @staticmethod
    def of_parent(parent: strawberry.Parent["Child"], text: str = "default") -> str:
        return f"{type(parent).__name__} {text}"

    @strawberry.field(permission_classes=[requires(is_user)])
    @staticmethod
    def of_root(root: "Child", where: strawberry.Info) -> str:
        return f"{type(root).__name__} {where.field_name}"


USER: list[type[BasePermission]] = [requires(is_user)]


@strawberry.type
class Query:
    @strawberry.field(permission_classes=USER)
    def point(
        self, point: Point, info: strawberry.Info, text: str = "text", more: list[int] | None = None
    ) -> str:
        calls.append("point")
        return f"{type(point).__name__} {point.x} {point.y} {text} {more} {info.field_name}"

    @strawberry.field
    def child(self) -> Child:
        return Child()

    @strawberry.field(permission_classes=[requires(is_user), Allowed, requires(any_role("clerk"))])
    def several(self, text: str = "") -> str:
        calls.append("several")
        return text

    @strawberry.field(permission_classes=[requires(is_user), requires(any_role("admin"))])
    def admin(self) -> str | None:
        calls.append("admin")
        return "admin"

    @strawberry.field(permission_classes=USER, extensions=[Shout()])
    def inside(self) -> str:
        return "inside"

    @strawberry.field(
        extensions=[Guard(is_user), PermissionExtension([requires(any_role("clerk"))()]), Guard(is_user)]
    )
    def nested(self) -> str:
        return "nested"

    @strawberry.field(permission_classes=[Lax])
    def lax(self) -> str | None:
        return "lax"

    @strawberry.field(permission_classes=[Never])
    def never(self) -> str | None:
        return "never"

    @strawberry.field(
        extensions=[PermissionExtension([requires(is_user)()]), PermissionExtension([Allowed()])]
    )
    def allowed(self) -> str:
        return "allowed"

    @strawberry.field(extensions=[Guard(is_project, optional=True), Guard(is_user)])
    def guards(self) -> str:
        return "guards"

    @strawberry.field(extensions=[Guard(is_user), Shout()])
    def guard_inside(self) -> str | None:
        calls.append("resolved")
        return "inside"

    @strawberry.field(extensions=[PermissionExtension([requires(is_user)()]), Shout()])
    def permission_inside(self) -> str | None:
        calls.append("resolved")
        return "inside"

    @strawberry.field(extensions=[PermissionExtension([requires(is_user)()]), ShoutLater()])
    def mixed(self) -> str | None:
        calls.append("resolved")
        return "mixed"

    @strawberry.field(extensions=[Guard(is_user), ShoutLater()])
    def guard_mixed(self) -> str | None:
        calls.append("resolved")
        return "mixed"

    @strawberry.field(extensions=[PermissionExtension([requires(is_user)()], fail_silently=True)])
    def silent(self) -> str | None:
        calls.append("resolved")
        return "silent"

    @strawberry.field(extensions=[Guard(is_user, fail_silently=True)])
    def silent_guard(self) -> str | None:
        return "silent"

    @strawberry.field(permission_classes=[requires(is_user), AllowedLater])
    def later(self, text: str = "") -> str | None:
        return text

    @strawberry.field(permission_classes=[Mine])
    def mine(self, text: str = "") -> str | None:
        return text

    @strawberry.field
    @requires_jwt_auth
    def decorated(self, info: strawberry.Info, text: str = "text") -> str:
        return text


ALONE = strawberry.Schema(Query)
EXTENDED = strawberry.Schema(Query, extensions=[AuthGateExtension])


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    calls.clear()


@pytest.fixture(params=[ALONE, EXTENDED], ids=["alone", "extended"])
def schema(request: pytest.FixtureRequest) -> strawberry.Schema:
    """With the schema extension, which waits before the first field, and without."""
    found: strawberry.Schema = request.param
    return found


def ask(schema: strawberry.Schema, query: str, request: Request) -> Any:
    """Execute where the gate must be awaited."""
    return asyncio.run(schema.execute(query, context_value={"request": request}, root_value=Query()))


FIELDS = [
    ("{ point(point: {x: 1}) }", {"point": "Point 1 7 text None point"}),
    ('{ point(point: {x: 1, y: 2}, text: "t", more: [3]) }', {"point": "Point 1 2 t [3] point"}),
    ('{ child { ofSelf(text: "t") } }', {"child": {"ofSelf": "Child t"}}),
    ("{ child { ofParent } }", {"child": {"ofParent": "Child default"}}),
    ("{ child { ofRoot } }", {"child": {"ofRoot": "Child ofRoot"}}),
    ("{ child { name guarded } }", {"child": {"name": "Kim", "guarded": "Lee"}}),
    ('{ several(text: "t") }', {"several": "t"}),
    ("{ inside }", {"inside": "INSIDE"}),
    ("{ nested }", {"nested": "nested"}),
    ("{ guards }", {"guards": "guards"}),
    ('{ later(text: "t") }', {"later": "t"}),
    ('{ mine(text: "t") }', {"mine": "t"}),
    ("{ decorated }", {"decorated": "text"}),
]


class TestAdmitted:
    @pytest.mark.parametrize(("query", "data"), FIELDS)
    def test_resolved(
        self, schema: strawberry.Schema, arrive: Ask, world: Any, user: Headers, query: str, data: Any
    ) -> None:
        """Arguments, defaults, input types, sources and other extensions arrive as ever; the store is asked once."""
        result = ask(schema, query, arrive(user))
        assert (None, data, ["TokenRef"]) == (result.errors, result.data, world.verified)

    @pytest.mark.parametrize(("query", "data"), FIELDS)
    def test_refused(
        self, schema: strawberry.Schema, arrive: Ask, world: Any, user: Headers, query: str, data: Any
    ) -> None:
        """None of them shows anything to somebody who is revoked."""
        world.revoke()
        result = ask(schema, query, arrive(user))
        assert {"UNAUTHENTICATED"} == {error.extensions["code"] for error in result.errors}
        assert "point" not in calls

    def test_other_permissions(self, schema: strawberry.Schema, arrive: Ask, user: Headers) -> None:
        """What is asked after a permission that has waited is asked as well, and may refuse."""
        result = ask(schema, '{ a: several(text: "forbidden") }', arrive(user))
        assert ["not allowed by another one"] == [error.message for error in result.errors]
        result = ask(schema, '{ later(text: "forbidden") admin }', arrive(user))
        messages = sorted(error.message for error in result.errors)
        assert ["You are not allowed to do this.", "not allowed later"] == messages
        assert [] == [name for name in calls if name in {"several", "admin"}]

    def test_extensions_inside(self, schema: strawberry.Schema, arrive: Ask, user: Headers) -> None:
        """An extension inside of a permission runs once."""
        ask(schema, "{ inside }", arrive(user))
        assert ["shout"] == calls

    def test_extensions_around(self, schema: strawberry.Schema, arrive: Ask, user: Headers) -> None:
        """Permissions around it are asked once."""
        assert {"allowed": "allowed"} == ask(schema, "{ allowed }", arrive(user)).data
        assert ["allowed"] == calls

    def test_resolved_once(self, schema: strawberry.Schema, arrive: Ask, user: Headers) -> None:
        """The resolver runs once for each time that its field is asked."""
        ask(schema, "{ point(point: {x: 1}) again: point(point: {x: 2}) }", arrive(user))
        assert ["point", "point"] == calls


def relayed() -> type[Any]:
    """Fields of Relay, which belong to one schema alone."""

    @strawberry.type
    class Relayed:
        row: Row = relay.node(permission_classes=USER)

        @relay.connection(relay.ListConnection[Row], permission_classes=USER)
        def rows(self) -> Iterable[Row]:
            return [Row(id=number) for number in range(3)]

    return Relayed


class TestRelay:
    QUERY = '{ rows(first: 1) { edges { node { id } } } row(id: "Um93OjE=") { id } }'

    @pytest.mark.parametrize("extensions", [[], [AuthGateExtension]])
    def test_resolved(self, arrive: Ask, world: Any, user: Headers, extensions: Any) -> None:
        """Connections and nodes have permissions like others."""
        schema = strawberry.Schema(relayed(), extensions=extensions)
        result = asyncio.run(schema.execute(self.QUERY, context_value={"request": arrive(user)}))
        data = {"rows": {"edges": [{"node": {"id": "Um93OjA="}}]}, "row": {"id": "Um93OjE="}}
        assert (None, data, ["TokenRef"]) == (result.errors, result.data, world.verified)
        world.revoke()
        result = asyncio.run(schema.execute(self.QUERY, context_value={"request": arrive(user)}))
        assert {"UNAUTHENTICATED"} == {(error.extensions or {}).get("code") for error in result.errors or []}


class TestPermissionsMadeOfOurs:
    def test_says_no(self, schema: strawberry.Schema, arrive: Ask, user: Headers) -> None:
        """Law 1.3: its own no is its own, and never the value of another field that waited."""
        query = '{ point(point: {x: 1}) one: mine(text: "fine") two: mine(text: "forbidden") }'
        result = ask(schema, query, arrive(user))
        assert (["not mine"], [["two"]]) == (
            [error.message for error in result.errors],
            [error.path for error in result.errors],
        )
        assert ("fine", None) == (result.data["one"], result.data["two"])

    def test_asks_for_nothing(self, schema: strawberry.Schema, arrive: Ask, user: Headers) -> None:
        """What one of them began and left is nothing to another."""
        result = ask(schema, "{ lax never }", arrive(user))
        assert ({"lax": "lax", "never": None}, ["never"]) == (
            result.data,
            [error.message for error in result.errors],
        )

    @pytest.mark.parametrize(
        ("extensions", "message"),
        [([], "neither true nor false"), ([AuthGateExtension], "The token is not valid.")],
    )
    def test_waits_around_an_async_resolver(
        self, arrive: Ask, world: Any, user: Headers, extensions: Any, message: str
    ) -> None:
        """Law 9.1: what must be awaited is no yes, whatever a class made of ours asks besides."""

        @strawberry.type
        class Other:
            @strawberry.field(permission_classes=[Mine])
            async def mine(self, text: str = "") -> str | None:
                calls.append("resolved")
                return text

        world.revoke()
        schema = strawberry.Schema(Other, extensions=extensions)
        result = asyncio.run(schema.execute("{ mine }", context_value={"request": arrive(user)}))
        assert [True] == [message in error.message for error in result.errors or []]
        assert [] == calls


class TestAround:
    """An extension around a guard would take what waits for the value; the schema extension waits before it."""

    @pytest.mark.parametrize(
        "query", ["{ guardInside }", "{ permissionInside }", "{ mixed }", "{ guardMixed }", "{ silent }"]
    )
    def test_told(self, arrive: Ask, user: Headers, query: str) -> None:
        """Without it that is a configuration error, and no resolver runs; with it the field is resolved."""
        result = ask(ALONE, query, arrive(user))
        (error,) = result.errors
        assert "extensions=[AuthGateExtension]" in error.message
        assert "ConfigurationError" == type(error.original_error).__name__
        assert "resolved" not in calls
        result = ask(EXTENDED, query, arrive(user))
        assert None is result.errors
        assert next(iter(result.data.values())) in {"INSIDE", "MIXED", "silent"}

    def test_silent_guards(self, schema: strawberry.Schema, arrive: Ask, world: Any, user: Headers) -> None:
        """A Guard that hides may wait anywhere."""
        assert {"silentGuard": "silent"} == ask(schema, "{ silentGuard }", arrive(user)).data
        world.revoke()
        result = ask(schema, "{ silentGuard }", arrive(user))
        assert (None, {"silentGuard": None}) == (result.errors, result.data)


class Either(BasePermission):
    """A permission that asks two of ours, instead of one policy that says either."""

    message = "neither"

    def has_permission(self, source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        first, second = requires(is_user)(), requires(is_project)()
        return first.has_permission(source, info) or second.has_permission(source, info)


class TestAskedByAnother:
    def test_told(self, arrive: Ask, user: Headers) -> None:
        """Where it would have to wait it says so, and is never taken for a yes."""

        @strawberry.type
        class Other:
            @strawberry.field(permission_classes=[Either])
            def value(self) -> str | None:
                calls.append("resolved")
                return "value"

        result = ask(strawberry.Schema(Other), "{ value }", arrive(user))
        assert "requires(a | b)" in result.errors[0].message
        assert [] == calls


class TestCancelled:
    def test_others_go_on(self, schema: strawberry.Schema, arrive: Ask, world: Any, user: Headers) -> None:
        """An operation that is cancelled while its request is authenticated takes nobody with it."""

        async def run() -> Any:
            request = arrive(user)
            world.stores[1].answers.clear()
            query = '{ decorated several(text: "t") }'
            context = {"request": request}
            first, second = (
                asyncio.create_task(schema.execute(query, context_value=context, root_value=Query()))
                for _ in range(2)
            )
            await asyncio.to_thread(world.stores[1].called.wait)
            first.cancel()
            await asyncio.sleep(0)
            world.stores[1].answers.set()
            finished = await asyncio.wait_for(second, 10)
            return (
                finished,
                first.cancelled(),
                await schema.execute("{ decorated }", context_value={"request": arrive(user)}),
            )

        finished, cancelled, following = asyncio.run(run())
        assert (None, {"decorated": "text", "several": "t"}) == (finished.errors, finished.data)
        assert cancelled
        assert {"decorated": "text"} == following.data

    def test_together(self, schema: strawberry.Schema, arrive: Ask, world: Any, user: Headers) -> None:
        """Ten operations of one request at once: one verification."""

        async def run() -> list[Any]:
            context = {"request": arrive(user)}
            asked = (schema.execute("{ decorated nested }", context_value=context) for _ in range(10))
            return await asyncio.gather(*asked)

        assert [None] * 10 == [result.errors for result in asyncio.run(run())]
        assert ["TokenRef"] == world.verified
