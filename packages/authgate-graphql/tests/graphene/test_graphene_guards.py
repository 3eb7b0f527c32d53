import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Callable
from typing import Any

import graphene
import pytest
from graphene import relay
from graphql import ExecutionResult
from starlette.requests import Request

from authgate_core import all_scopes, is_user
from authgate_graphql.graphene import (
    get_admission,
    requires,
)

Headers = dict[str, str]
Asked = Callable[..., ExecutionResult]


class Rename(graphene.Mutation):
    class Arguments:
        to = graphene.String(required=True)

    name = graphene.String()

    @requires(is_user & all_scopes("orders:read"))
    def mutate(self: Any, info: Any, to: str) -> Any:
        return Rename(name=f"{to} by {get_admission(info).user.id}")


class Close(relay.ClientIDMutation):
    class Input:
        what = graphene.String(required=True)

    done = graphene.String()

    @classmethod
    @requires(is_user)
    def mutate_and_get_payload(cls, root: Any, info: Any, **given: Any) -> Any:
        return Close(done=f"{given['what']} by {get_admission(info).user.id}")


class Resolvers:
    """Resolvers that are methods of an object."""

    @requires(is_user)
    def bound(self, root: Any, info: Any) -> str:
        return f"bound {get_admission(info).user.id}"


@requires(is_user)
def behind_a_name(_root: Any, _field: Any) -> str:
    """Takes ``info`` by another name."""
    return "second"


@requires(is_user)
def by_name(*_: Any, info: Any) -> str:
    """Takes ``info`` by its name alone."""
    return "named"


def named(root: Any, info: Any) -> Any:
    """Calls another resolver."""
    return by_name(root, info=info)


class Query(graphene.ObjectType):
    plain = graphene.String()
    coloured = graphene.String()
    static = graphene.String()
    above_static = graphene.String()
    classed = graphene.String()
    bound = graphene.String(resolver=Resolvers().bound)
    second = graphene.String(resolver=behind_a_name)
    anything = graphene.String()
    named = graphene.String(resolver=named)
    partly = graphene.String()
    calling = graphene.String()
    twice = graphene.String()
    sum = graphene.Int(a=graphene.Int(), b=graphene.Int())

    @requires(is_user)
    def resolve_plain(self, info: Any) -> str:
        return f"plain {get_admission(info).user.id}"

    @requires(is_user)
    async def resolve_coloured(self, info: Any) -> str:
        return f"coloured {get_admission(info).user.id}"

    @staticmethod
    @requires(is_user)
    def resolve_static(root: Any, info: Any) -> str:
        return "static"

    @requires(is_user)
    @staticmethod
    def resolve_above_static(root: Any, info: Any) -> str:
        return "above"

    @requires(is_user)
    @classmethod
    def resolve_classed(cls, root: Any, info: Any) -> str:
        return cls.__name__

    @requires(is_user)
    def resolve_anything(*args: Any, **kwargs: Any) -> str:
        return "anything"

    resolve_partly = requires(is_user)(functools.partial(lambda name, root, info: name, "partly"))

    def resolve_calling(self, info: Any) -> Any:
        return Query.resolve_plain(self=self, info=info)

    @requires(is_user)
    @requires(all_scopes("orders:read"))
    def resolve_twice(self, info: Any) -> str:
        return "twice"

    @requires(is_user)
    def resolve_sum(self, info: Any, a: int = 0, b: int = 0) -> int:
        return a + b


class Mutations(graphene.ObjectType):
    rename = Rename.Field()
    close = Close.Field()


SCHEMA = graphene.Schema(query=Query, mutation=Mutations)


class TestResolvers:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("plain", "plain u1"),
            ("static", "static"),
            ("aboveStatic", "above"),
            ("classed", "Query"),
            ("bound", "bound u1"),
            ("second", "second"),
            ("anything", "anything"),
            ("named", "named"),
            ("partly", "partly"),
            ("twice", "twice"),
        ],
    )
    def test_are_resolved_for_whom_the_policy_admits(
        self, ask: Asked, user: Headers, field: str, value: str
    ) -> None:
        """Whatever they are: functions, methods, partials, with ``info`` by name or second; and once more."""
        asked = f"{{ {field} again: {field} }}"
        assert ({field: value, "again": value}, None) == ask(SCHEMA, asked, user)

    @pytest.mark.parametrize(
        "field",
        [
            "plain",
            "static",
            "aboveStatic",
            "classed",
            "bound",
            "second",
            "anything",
            "named",
            "partly",
            "twice",
        ],
    )
    def test_are_not_resolved_for_others(self, ask: Asked, field: str) -> None:
        """The field is null each time, and one error for each says what is missing."""
        result = ask(SCHEMA, f"{{ {field} again: {field} }}", {})
        assert {field: None, "again": None} == result.data
        errors = [(error.message, error.path) for error in result.errors or []]
        assert [("Authentication is required.", [name]) for name in (field, "again")] == errors

    def test_take_their_arguments(self, ask: Asked, user: Headers) -> None:
        """As if no guard stood before them, the first time and later."""
        asked = "{ sum(a: 2, b: 3) plain again: sum(a: 4, b: 1) none: sum }"
        told = {"sum": 5, "plain": "plain u1", "again": 5, "none": 0}
        assert (told, None) == ask(SCHEMA, asked, user)

    def test_may_be_called_by_name(self, ask: Asked, user: Headers) -> None:
        """By another resolver, which gives what it was given."""
        asked = "{ plain calling again: calling }"
        told = {"plain": "plain u1", "calling": "plain u1", "again": "plain u1"}
        assert (told, None) == ask(SCHEMA, asked, user)

    def test_may_be_mutations(self, ask: Asked, bearer: Callable[..., Headers]) -> None:
        """``mutate`` and relay's ``mutate_and_get_payload`` alike."""
        mutation = 'mutation { rename(to: "x") { name } close(input: {what: "y"}) { done } }'
        reader, other = bearer(scope="orders:read"), bearer(scope="mail")
        done = {"done": "y by u1"}
        assert {"rename": {"name": "x by u1"}, "close": done} == ask(SCHEMA, mutation, reader).data
        assert {"rename": None, "close": done} == ask(SCHEMA, mutation, other).data

    def test_all_guards_must_admit(self, ask: Asked, bearer: Callable[..., Headers]) -> None:
        """Of several on one resolver."""
        (error,) = ask(SCHEMA, "{ twice }", bearer()).errors or []
        assert {"code": "FORBIDDEN", "missing": ["orders:read"], "http": {"status": 403}} == error.extensions


class TestColours:
    def test_stay_what_they_were(self) -> None:
        """A guard makes no coroutine of a sync resolver, and no sync function of an async one (Law 9.1)."""

        @requires(is_user)
        async def events(root: Any, info: Any) -> AsyncIterator[int]:
            """Count."""
            yield 1

        assert not inspect.iscoroutinefunction(Query.resolve_plain)
        assert inspect.iscoroutinefunction(Query.resolve_coloured)
        assert inspect.isasyncgenfunction(events)
        assert ("events", "Count.") == (events.__name__, events.__doc__)

    def test_async_resolvers_are_checked_inside(self, arrive: Callable[..., Request], user: Headers) -> None:
        """Where they are awaited, and so is what their gate asks."""
        context = {"request": arrive(user)}
        result = asyncio.run(SCHEMA.execute_async("{ coloured plain }", context=context))
        assert ({"coloured": "coloured u1", "plain": "plain u1"}, None) == result
