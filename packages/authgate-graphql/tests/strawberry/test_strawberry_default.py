"""Law 8.8: a schema that is closed unless it says otherwise."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import strawberry
from starlette.requests import Request
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig

from authgate_core import any_role, is_project, is_user
from authgate_graphql.strawberry import (
    AuthGateExtension,
    Guard,
    Public,
    get_admission,
    public,
    requires,
    requires_jwt_auth,
    requires_project_auth,
)

Headers = dict[str, str]
Serve = Callable[[strawberry.Schema], Any]

resolved: list[str] = []


@strawberry.interface
class Greeting:
    @strawberry.field(extensions=[Guard(is_project)])
    def greeting(self) -> str:
        return "never: an interface resolves nothing"


@strawberry.type
class Query(Greeting):
    version: str = strawberry.field(resolver=lambda: "1", extensions=[Public()])

    @strawberry.field
    def open(self) -> str:
        resolved.append("open")
        return "open"

    @strawberry.field
    def greeting(self) -> str:  # it hides the guarded field of the interface
        resolved.append("greeting")
        return "hello"

    @strawberry.field
    @public
    def login(self) -> str:
        return "login"

    @strawberry.field(permission_classes=[requires(is_project)])
    def shop(self) -> str:
        return "shop"

    @strawberry.field(extensions=[Guard(is_project, optional=True)])
    def perhaps(self) -> str:
        return "perhaps"

    @strawberry.field
    @requires_project_auth
    def decorated(self, info: strawberry.Info) -> str:
        return "decorated"


@strawberry.type
class Mutation:
    @strawberry.mutation
    def change(self) -> str:
        resolved.append("change")
        return "changed"

    @strawberry.mutation
    @public
    def register(self) -> str:
        return "registered"


def closed(*, http_status: bool = False, policy: Any = is_user, **options: Any) -> strawberry.Schema:
    """A schema that is closed by default."""
    extension: Any = partial(AuthGateExtension, default=policy, http_status=http_status)
    return strawberry.Schema(Query, Mutation, extensions=[extension], **options)


@pytest.fixture(autouse=True)
def _nothing_resolved() -> None:
    resolved.clear()


OPEN = [
    "{ open }",
    "{ alias: open }",
    "{ __schema { queryType { name } } }",
    '{ __type(name: "Query") { name } }',
    "{ login open }",
    "{ shop open }",
    "{ ...F } fragment F on Query { open }",
    "{ ...F } fragment F on Query { ...G } fragment G on Query { login open }",
    "{ ... on Query { login ... { open } } }",
    "{ login ... on Greeting { greeting } }",
    "{ ...F } fragment F on Greeting { greeting }",
    "query Q($yes: Boolean = true) { login open @include(if: $yes) }",
    "query Q($no: Boolean = false) { login open @include(if: $no) }",
    "mutation { change }",
    "mutation { register change }",
]

CLOSED_OR_PUBLIC = [
    "{ login }",
    "{ version }",
    "{ __typename }",
    "{ login __typename ...F } fragment F on Query { version }",
    "{ perhaps }",
    "mutation { register }",
    "mutation { register __typename }",
]


class TestStrangers:
    @pytest.mark.parametrize("query", OPEN)
    def test_refused(self, serve: Serve, query: str) -> None:
        """A root field that nobody guards is for nobody, by whichever way it is asked; nothing is resolved."""
        answer = serve(closed()).post(query)
        assert (200, None, ["UNAUTHENTICATED"]) == (answer.status, answer.data, answer.codes)
        assert {"code": "UNAUTHENTICATED", "missing": [], "http": {"status": 401}} == answer.errors[0][
            "extensions"
        ]
        assert [] == resolved

    @pytest.mark.parametrize("query", CLOSED_OR_PUBLIC)
    def test_public(self, serve: Serve, query: str) -> None:
        """What is marked, and the name of a type, is for everybody."""
        answer = serve(closed()).post(query)
        assert [] == answer.errors

    def test_guarded(self, serve: Serve, project: Headers) -> None:
        """A field with a guard asks what that asks, and no more."""
        door = serve(closed())
        assert {"shop": "shop", "decorated": "decorated"} == door.post("{ shop decorated }", project).data
        assert ["UNAUTHENTICATED"] == door.post("{ shop }").codes

    def test_status(self, serve: Serve) -> None:
        """A refusal of the whole request is its status, where that is asked for."""
        answer = serve(closed(http_status=True)).post("{ open }")
        assert (401, 'Bearer realm="orders"') == (answer.status, answer.headers["www-authenticate"])
        assert "no-store" == answer.headers["cache-control"]
        assert 400 == serve(closed(http_status=True)).post("{ open }", {"Authorization": "Bearer a,b"}).status

    def test_several_operations(self, serve: Serve) -> None:
        """Of several operations in a document the one that is executed counts."""
        document = "query A { login } query B { open }"
        door = serve(closed())
        assert {"login": "login"} == door.post(document, operationName="A").data
        assert ["UNAUTHENTICATED"] == door.post(document, operationName="B").codes

    def test_batch(self, serve: Serve, world: Any, user: Headers) -> None:
        """Each operation of a batch is held against it."""
        door = serve(closed(config=StrawberryConfig(batching_config={"max_operations": 10})))
        refused, let_in = door.batch(["{ open }", "{ login }"]).json
        assert (None, {"login": "login"}) == (refused["data"], let_in["data"])
        assert [{"open": "open"}] * 2 == [one["data"] for one in door.batch(["{ open }"] * 2, user).json]
        assert ["TokenRef"] == world.verified


@strawberry.interface
class Named:
    name: str = strawberry.field(resolver=lambda: "name")


@strawberry.type
class Home(Named):
    @strawberry.field
    def secret(self) -> str:
        resolved.append("secret")
        return "secret"

    @strawberry.field
    @public
    def viewer(self) -> "Home":
        return Home()

    @strawberry.field
    @public
    def anything(self) -> Named:
        return Home()

    @strawberry.field
    @public
    def version(self) -> str:
        return "1"


@strawberry.type
class SignedIn:
    ok: bool
    query: Home


@strawberry.type
class Away:
    @strawberry.mutation
    @public
    def sign_in(self) -> SignedIn:
        return SignedIn(ok=True, query=Home())


class TestRootTypesBelow:
    """A public field may lead back to where operations begin."""

    @pytest.fixture
    def door(self, serve: Serve) -> Any:
        """Serves a schema whose payloads have the whole query in them, as Relay has it."""
        extension: Any = partial(AuthGateExtension, default=is_user)
        return serve(strawberry.Schema(Home, Away, extensions=[extension]))

    @pytest.mark.parametrize(
        "query",
        [
            "{ viewer { secret } }",
            "{ viewer { viewer { version ...F } } } fragment F on Home { secret }",
            "{ viewer { __schema { queryType { name } } } }",
            "{ anything { name } }",
            "{ anything { ... on Home { secret } } }",
            "mutation { signIn { ok query { secret } } }",
        ],
    )
    def test_are_closed(self, door: Any, user: Headers, query: str) -> None:
        """Their fields are root fields still."""
        assert ["UNAUTHENTICATED"] == door.post(query).codes
        assert [] == resolved
        assert [] == door.post(query, user).errors

    def test_their_public_fields_are_open(self, door: Any) -> None:
        """And so is what is no root type."""
        data = {"signIn": {"ok": True, "query": {"version": "1", "__typename": "Home"}}}
        assert data == door.post("mutation { signIn { ok query { version __typename } } }").data


class TestStaticMethods:
    def test_marks(self, serve: Serve, user: Headers) -> None:
        """A static method is marked and guarded like others, whichever decorator stands first."""

        @strawberry.type
        class Static:
            @strawberry.field
            @public
            @staticmethod
            def above(text: str = "above") -> str:
                return text

            @strawberry.field
            @staticmethod
            @public
            def below() -> str:
                return "below"

            @strawberry.field
            @staticmethod
            @requires_jwt_auth
            def guarded(info: strawberry.Info) -> str | None:
                return get_admission(info).user.id

        extension: Any = partial(AuthGateExtension, default=any_role("nobody"))
        door = serve(strawberry.Schema(Static, extensions=[extension]))
        assert {"above": "above", "below": "below"} == door.post("{ above below }").data
        assert ["UNAUTHENTICATED"] == door.post("{ guarded }").codes
        assert {"guarded": "u1"} == door.post("{ guarded }", user).data

    def test_later(self, serve_async: Serve, user: Headers) -> None:
        """An async one as well."""

        @strawberry.type
        class Static:
            @strawberry.field
            @requires_jwt_auth
            @staticmethod
            async def guarded(info: strawberry.Info, text: str = "") -> str | None:
                return get_admission(info).user.id + text

        extension: Any = partial(AuthGateExtension, default=any_role("nobody"))
        door = serve_async(strawberry.Schema(Static, extensions=[extension]))
        assert ["UNAUTHENTICATED"] == door.post("{ guarded }").codes
        assert {"guarded": "u1!"} == door.post('{ guarded(text: "!") }', user).data


class TestUsers:
    @pytest.mark.parametrize("query", OPEN)
    def test_admitted(self, serve: Serve, world: Any, user: Headers, project: Headers, query: str) -> None:
        """Whoever satisfies the default sees what it is for, and is authenticated once."""
        answer = serve(closed()).post(query, user | project)
        assert ([], 1) == (answer.errors, world.verified.count("TokenRef"))

    def test_forbidden(self, serve: Serve, user: Headers) -> None:
        """The default is a policy like others."""
        answer = serve(closed(policy=any_role("admin"))).post("{ open }", user)
        assert (["FORBIDDEN"], []) == (answer.codes, resolved)


class TestExtensionItself:
    """One that could not hold an operation against its own request never lets it through."""

    @staticmethod
    def run(schema: strawberry.Schema, request: Request) -> Any:
        result = asyncio.run(schema.execute("{ open }", context_value={"request": request}))
        return result.data, str(result.errors)

    def test_an_instance(self, arrive: Callable[..., Request]) -> None:
        """It would serve every operation at once."""
        given: Any = AuthGateExtension(default=is_user)
        with pytest.warns(DeprecationWarning, match="instance"):
            schema = strawberry.Schema(Query, extensions=[given])
        data, errors = self.run(schema, arrive())
        assert (None, [], True) == (data, resolved, "partial(AuthGateExtension" in errors)

    def test_one_made_before(self, arrive: Callable[..., Request], user: Headers) -> None:
        """Made outside of the loop it could not wait, not for those either who may pass."""
        made = AuthGateExtension(default=is_user)
        data, errors = self.run(strawberry.Schema(Query, extensions=[lambda: made]), arrive(user))
        assert (None, [], True) == (data, resolved, "partial(AuthGateExtension" in errors)

    def test_a_class_of_ones_own(self, serve: Serve, user: Headers) -> None:
        """A subclass holds as well, in both colours."""

        class Closed(AuthGateExtension):
            def __init__(self) -> None:
                super().__init__(default=is_user)

        door = serve(strawberry.Schema(Query, extensions=[Closed]))
        assert (["UNAUTHENTICATED"], []) == (door.post("{ open }").codes, resolved)
        assert {"open": "open"} == door.post("{ open }", user).data

    def test_a_class_that_checks_nothing(self) -> None:
        """The check is not left out by mistake."""
        with pytest.raises(TypeError, match="use on_operation"):
            type("Open", (AuthGateExtension,), {"on_execute": SchemaExtension.on_execute})

    def test_sync_execution_in_a_loop(self, arrive: Callable[..., Request]) -> None:
        """Where nothing can wait, nothing is resolved, and the error says what to write."""

        async def ask() -> Any:
            return closed().execute_sync("{ open }", context_value={"request": arrive()})

        result = asyncio.run(ask())
        assert (None, [], True) == (result.data, resolved, "await schema.execute(...)" in str(result.errors))

    @pytest.mark.parametrize("wrong", ["is_user", is_user.__class__, 1])
    def test_no_policy(self, wrong: Any) -> None:
        """Only a policy closes anything."""
        with pytest.raises(TypeError, match=r"requires\(is_user\)"):
            AuthGateExtension(default=wrong)
