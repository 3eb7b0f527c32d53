"""What is written wrongly says what to write instead, and lets nobody in (Law 1.6)."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import pytest
import strawberry
from flask import Flask
from starlette.requests import Request
from strawberry.permission import PermissionExtension
from strawberry.types import Info as RenamedInfo

from authgate_core import ConfigurationError, GateConfig, Issuer, any_role, is_project, is_user
from authgate_flask import AuthGate as FlaskAuthGate
from authgate_graphql.strawberry import (
    AuthGateExtension,
    Guard,
    JWTAuthPermission,
    Public,
    public,
    requires,
    requires_combined_auth,
    requires_jwt_auth,
    requires_project_auth,
)

Headers = dict[str, str]
Arrive = Callable[..., Request]

ran: list[str] = []


@strawberry.type
class Query:
    @strawberry.field(permission_classes=[requires(is_user)])
    def permitted(self) -> str | None:
        ran.append("permitted")
        return "never"

    @strawberry.field(extensions=[Guard(is_user)])
    def extended(self) -> str | None:
        ran.append("extended")
        return "never"

    @strawberry.field
    @requires_jwt_auth
    async def later(self, info: strawberry.Info) -> str | None:
        ran.append("later")
        return "never"


def never() -> str:
    """A resolver that must not run."""
    ran.append("never")
    return "never"


QUERY = "{ permitted extended }"


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    ran.clear()


@pytest.fixture(
    params=[[], [AuthGateExtension], [partial(AuthGateExtension, default=is_user, http_status=True)]]
)
def schema(request: pytest.FixtureRequest) -> strawberry.Schema:
    """With the schema extension, without, and closed."""
    return strawberry.Schema(Query, extensions=request.param)


def told(schema: strawberry.Schema, context: Any) -> set[str]:
    """The messages of the errors, with no data and no resolver that ran; of configuration errors alone."""
    result = asyncio.run(schema.execute(QUERY, context_value=context))
    assert result.errors
    assert {ConfigurationError} == {type(error.original_error) for error in result.errors}
    assert ([], {None}) == (ran, set((result.data or {"": None}).values()))
    return {error.message for error in result.errors}


class TestGates:
    def test_none(self, schema: strawberry.Schema, arrive: Arrive, user: Headers) -> None:
        """A guard in an app without a gate names the line that is missing."""
        (message,) = told(schema, {"request": arrive(user, gate=None)})
        assert "write AuthGate(app)" in message

    def test_none_in_flask(self, schema: strawberry.Schema, user: Headers) -> None:
        """In Flask as well."""
        with Flask("orders").test_request_context("/", headers=user) as context:
            (message,) = told(schema, {"request": context.request})
        assert "write AuthGate(app)" in message

    def test_sync_gate_in_an_async_app(self, arrive: Arrive, world: Any, user: Headers) -> None:
        """One given in words is told apart by its colour."""
        extension: Any = partial(AuthGateExtension, gate=world.gate)
        (message,) = told(strawberry.Schema(Query, extensions=[extension]), {"request": arrive(user)})
        assert "Gate cannot judge the requests of this async app: give it AsyncGate(config)" in message

    def test_async_gate_in_flask(self, world: Any, user: Headers) -> None:
        """And the other way round."""
        app = Flask("orders")
        FlaskAuthGate(app, gate=world.gate)
        extension: Any = partial(AuthGateExtension, gate=world.async_gate)
        with app.test_request_context("/", headers=user) as context:
            (message,) = told(strawberry.Schema(Query, extensions=[extension]), {"request": context.request})
        assert "AsyncGate cannot judge the requests of this WSGI app (Flask)" in message

    def test_given(self, arrive: Arrive, world: Any, user: Headers) -> None:
        """A gate that is given goes before that of the app."""
        extension: Any = partial(AuthGateExtension, gate=world.async_gate)
        schema = strawberry.Schema(Query, extensions=[extension])
        context = {"request": arrive(user, gate=None)}
        result = asyncio.run(schema.execute("{ permitted later }", context_value=context))
        assert (None, ["TokenRef"]) == (result.errors, world.verified)

    def test_policy_without_a_source(self, arrive: Arrive, trusted: Issuer, user: Headers) -> None:
        """A policy that the gate can never satisfy says what the gate lacks."""
        from authgate_core import AsyncGate

        @strawberry.type
        class Shops:
            @strawberry.field(permission_classes=[requires(is_project)])
            def shop(self) -> str | None:
                ran.append("shop")
                return "never"

        async def ask() -> Any:
            async with AsyncGate(GateConfig(issuers=[trusted])) as gate:
                context = {"request": arrive(user, gate=gate)}
                return await strawberry.Schema(Shops).execute("{ shop }", context_value=context)

        result = asyncio.run(ask())
        assert "give projects=StaticProjects(...)" in str(result.errors)
        assert [] == ran


class TestContexts:
    @pytest.mark.parametrize("context", [None, {}, {"request": None}, {"user": "u1"}, object(), "request"])
    def test_without_a_request(self, schema: strawberry.Schema, context: Any) -> None:
        """A context that holds no request says how to give one."""
        (message,) = told(schema, context)
        assert 'context={"request": request}' in message


class TestPolicies:
    @pytest.mark.parametrize("wrong", [None, "admin", object, 7, lambda: is_user])
    @pytest.mark.parametrize("guard", [requires, Guard])
    def test_none(self, guard: Any, wrong: Any) -> None:
        """What is no policy is refused where it is written."""
        with pytest.raises(TypeError, match=r"write requires\(is_user\)"):
            guard(wrong)

    @pytest.mark.parametrize("guard", [requires, Guard])
    def test_and(self, guard: Any) -> None:
        """Law 8.1: ``and`` is found at once."""
        any_policy: Any = is_user
        with pytest.raises(TypeError, match="&"):
            guard(any_policy and is_project)

    @pytest.mark.parametrize("guard", [requires, Guard])
    def test_of_nobody(self, guard: Any) -> None:
        """Law 8.3: a role of two principals is nobody's."""
        with pytest.raises(ConfigurationError, match="of="):
            guard(is_user & is_project & any_role("admin"))

    def test_missing(self) -> None:
        """``requires`` itself is no permission class."""
        with pytest.raises(TypeError, match="policy"):
            strawberry.field(resolver=never, permission_classes=[cast("Any", requires)])

    def test_as_a_decorator(self) -> None:
        """It decorates nothing: that would guard nothing."""
        with pytest.raises(TypeError, match=r"permission_classes=\[requires\(policy\)\]"):
            cast("Any", requires(is_user))(never)

    def test_same_class(self) -> None:
        """One policy is one class, so that schemas may be compared and cached."""
        assert requires(is_user) is requires(is_user)
        assert requires(is_user) is not requires(is_user, optional=True)


DECORATORS = [requires_jwt_auth, requires_project_auth, requires_combined_auth]


@pytest.mark.parametrize("decorator", DECORATORS)
class TestDecorators:
    def test_on_a_field(self, decorator: Any) -> None:
        """Above ``@strawberry.field`` it would guard nothing."""
        with pytest.raises(TypeError, match=r"below @strawberry\.field"):
            decorator(strawberry.field(resolver=never))

    def test_on_a_class(self, decorator: Any) -> None:
        """A type is no resolver."""
        with pytest.raises(TypeError, match=r"below @strawberry\.field"):
            decorator(Query)

    def test_with_parentheses(self, decorator: Any) -> None:
        """Nor is nothing."""
        with pytest.raises(TypeError, match=r"without parentheses|positional"):
            decorator()
        with pytest.raises(TypeError, match="without parentheses"):
            decorator(None)

    def test_without_info(self, decorator: Any) -> None:
        """A resolver that takes no ``info`` has no request."""

        def resolver(root: Any) -> str:
            return "never"

        with pytest.raises(TypeError, match=r"info: strawberry\.Info.*resolver"):
            decorator(resolver)

    def test_info_by_type(self, decorator: Any, arrive: Arrive) -> None:
        """Whatever the parameter is called, its type says what it is."""

        @strawberry.type
        class Named:
            @strawberry.field
            @decorator
            def by_type(self, number: int, where: RenamedInfo[Any, Any]) -> str | None:
                return f"{number} {where.field_name}"

            @strawberry.field
            @decorator
            def by_name(self, info: strawberry.Info, number: int = 3) -> str | None:
                return f"{number} {info.field_name}"

        everybody = {"Authorization": "Bearer no-token", "x-app-id": "a", "x-app-secret": "b"}
        result = asyncio.run(
            strawberry.Schema(Named).execute(
                "{ byType(number: 1) byName }", context_value={"request": arrive(everybody)}
            )
        )
        assert ["UNAUTHENTICATED"] * 2 == [
            (error.extensions or {}).get("code") for error in result.errors or []
        ]


class TestPublic:
    @pytest.mark.parametrize("wrong", [strawberry.field(resolver=never), Query, None])
    def test_no_resolver(self, wrong: Any) -> None:
        """It marks a resolver, and says where."""
        with pytest.raises(TypeError, match=r"below @strawberry\.field"):
            public(wrong)


class TestSchemas:
    def test_in_print(self) -> None:
        """Many policies, and one directive that tells none of them."""
        users, admins = requires(is_user), requires(any_role("admin"))

        @strawberry.type
        class Printed:
            one: str = strawberry.field(resolver=never, extensions=[PermissionExtension([users(), admins()])])
            two: str = strawberry.field(resolver=never, extensions=[PermissionExtension([admins()])])
            three: str = strawberry.field(
                resolver=never, extensions=[PermissionExtension([JWTAuthPermission()]), Public()]
            )

        text = strawberry.Schema(Printed).as_str()
        assert 1 == text.count("directive @guarded on FIELD_DEFINITION")
        assert "one: String! @guarded\n" in text
        assert "admin" not in text
