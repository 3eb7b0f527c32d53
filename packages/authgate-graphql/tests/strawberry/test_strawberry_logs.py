"""What is logged: refusals in one line and without a traceback, bugs with everything (Laws 1.3, 10.1)."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import strawberry

from authgate_core import InvalidToken, RevocationUnavailable, all_scopes, any_role, is_user
from authgate_graphql.strawberry import AuthGateExtension, Guard, get_admission, requires, requires_jwt_auth

Headers = dict[str, str]
Serve = Callable[[strawberry.Schema], Any]


def require(info: strawberry.Info) -> str | None:
    """What a resolver does that asks for more than its guard."""
    get_admission(info).require(all_scopes("orders:write"))
    return "never"


async def require_later(info: strawberry.Info) -> str | None:
    """The same, for execution in a loop."""
    return require(info)


def raise_one(info: strawberry.Info) -> str | None:
    """What a resolver does that judges a token of its own."""
    raise InvalidToken("the precise reason")


async def raise_later(info: strawberry.Info) -> str | None:
    """The same, for execution in a loop."""
    return raise_one(info)


def unavailable(info: strawberry.Info) -> str | None:
    """What a resolver does that cannot."""
    raise RevocationUnavailable("the store is down")


def stumble(info: strawberry.Info) -> str | None:
    """What a resolver with a bug does."""
    raise KeyError("a bug")


async def stumble_later(info: strawberry.Info) -> str | None:
    """The same, for execution in a loop."""
    return stumble(info)


def guarded(resolver: Any) -> dict[str, Any]:
    """One field for each kind of guard."""
    return {
        "permitted": strawberry.field(resolver, permission_classes=[requires(is_user)]),
        "extended": strawberry.field(resolver, extensions=[Guard(is_user)]),
        "decorated": strawberry.field(requires_jwt_auth(resolver)),
    }


def schema(resolver: Any, *, extended: bool = True, **options: Any) -> strawberry.Schema:
    """A schema with these fields."""
    extension: Any = partial(AuthGateExtension, **options)
    made = strawberry.type(type("Query", (), {**guarded(resolver), "__annotations__": {}}))
    return strawberry.Schema(made, extensions=[extension] if extended else [])


QUERY = "{ permitted extended decorated }"


@pytest.fixture(params=[True, False], ids=["extended", "alone"])
def extended(request: pytest.FixtureRequest) -> bool:
    """With the schema extension and without."""
    return bool(request.param)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[logging.LogRecord]]:
    """What Strawberry has logged."""
    caplog.set_level(logging.DEBUG)
    return lambda: [record for record in caplog.records if record.name == "strawberry.execution"]


class TestRefusals:
    def test_of_guards(self, serve: Serve, lines: Any, *, extended: bool) -> None:
        """The gate has logged them; Strawberry's log holds nothing."""
        answer = serve(schema(require, extended=extended)).post(QUERY)
        assert (["UNAUTHENTICATED"] * 3, []) == (answer.codes, lines())

    def test_by_default(self, serve: Serve, lines: Any) -> None:
        """So it is where a whole operation is refused."""
        answer = serve(schema(require, default=any_role("admin"))).post("{ __schema { queryType { name } } }")
        assert (["UNAUTHENTICATED"], []) == (answer.codes, lines())

    def test_of_the_journal(self, serve: Serve, caplog: pytest.LogCaptureFixture, *, extended: bool) -> None:
        """Law 10.1: one decision, one line, whatever number of fields."""
        caplog.set_level(logging.DEBUG)
        serve(schema(require, extended=extended)).post("{ a: permitted b: permitted c: permitted }")
        messages = [one.getMessage() for one in caplog.records if one.name == "authgate"]
        assert 1 == len([message for message in messages if "credentials_missing" in message])


class TestOfResolvers:
    """A resolver may refuse by itself, as handlers may anywhere."""

    @pytest.mark.parametrize("resolver", [require, require_later])
    def test_told(
        self, serve_async: Serve, lines: Any, user: Headers, resolver: Any, *, extended: bool
    ) -> None:
        """It is told like a guard's, and leaves a line without a traceback."""
        answer = serve_async(schema(resolver, extended=extended)).post(QUERY, user)
        extensions = {"code": "FORBIDDEN", "missing": ["orders:write"], "http": {"status": 403}}
        assert [extensions] * 3 == [error["extensions"] for error in answer.errors]
        assert {"The token lacks a required scope."} == {error["message"] for error in answer.errors}
        assert "no-store" == answer.headers["cache-control"]
        assert 3 == len(lines())
        assert {(logging.INFO, None)} == {(line.levelno, line.exc_info) for line in lines()}
        assert all("a resolver refused: scope_insufficient" in line.getMessage() for line in lines())

    def test_told_in_sync(self, in_flask: Serve, lines: Any, user: Headers, *, extended: bool) -> None:
        """In sync execution as well."""
        answer = in_flask(schema(require, extended=extended)).post(QUERY, user)
        assert (["FORBIDDEN"] * 3, 3) == (answer.codes, len(lines()))

    def test_raised(self, serve: Serve, lines: Any, user: Headers) -> None:
        """Law 1.2: an error of its own making as well; its reason is for the log alone."""
        answer = serve(schema(raise_one)).post(QUERY, user)
        extensions = {"code": "UNAUTHENTICATED", "missing": [], "http": {"status": 401}}
        assert [("The token is not valid.", extensions)] * 3 == [
            (error["message"], error["extensions"]) for error in answer.errors
        ]
        assert [None] * 3 == [line.exc_info for line in lines()]
        assert all("the precise reason" in line.getMessage() for line in lines())

    def test_raised_later(self, serve_async: Serve, lines: Any, user: Headers) -> None:
        """By an async resolver as well."""
        answer = serve_async(schema(raise_later)).post(QUERY, user)
        assert (["UNAUTHENTICATED"] * 3, [None] * 3) == (answer.codes, [line.exc_info for line in lines()])
        answer = serve_async(schema(raise_later, extended=False)).post("{ extended decorated }", user)
        assert ["UNAUTHENTICATED"] * 2 == answer.codes

    def test_raised_alone(self, serve: Serve, lines: Any, user: Headers) -> None:
        """Without the schema extension nobody words what a resolver behind a permission class raises, but hides it."""
        answer = serve(schema(raise_one, extended=False)).post("{ permitted }", user)
        assert ["The token is not valid."] == [error["message"] for error in answer.errors]
        assert [None] == [line.exc_info for line in lines()]

    def test_unguarded(self, serve: Serve, lines: Any, *, extended: bool) -> None:
        """Where no gate has judged the reason stays in the log as well."""
        made = strawberry.type(
            type("Query", (), {"plain": strawberry.field(raise_one), "__annotations__": {}})
        )
        answer = serve(strawberry.Schema(made, extensions=[AuthGateExtension] if extended else [])).post(
            "{ plain }"
        )
        assert ({"plain": None}, ["The token is not valid."]) == (
            answer.data,
            [error["message"] for error in answer.errors],
        )
        assert [None] == [line.exc_info for line in lines()]

    def test_outage(self, serve: Serve, lines: Any, user: Headers) -> None:
        """An outage is a warning."""
        answer = serve(schema(unavailable)).post(QUERY, user)
        assert ["AUTH_UNAVAILABLE"] * 3 == answer.codes
        assert {logging.WARNING} == {line.levelno for line in lines()}


class TestBugs:
    @pytest.mark.parametrize("resolver", [stumble, stumble_later])
    def test_of_resolvers(
        self, serve_async: Serve, lines: Any, user: Headers, resolver: Any, *, extended: bool
    ) -> None:
        """Law 1.3: they stay what they are, with their traceback."""
        answer = serve_async(schema(resolver, extended=extended)).post(QUERY, user)
        assert ["'a bug'"] * 3 == answer.codes
        assert [KeyError] * 3 == [line.exc_info[0] for line in lines()]
        assert {logging.ERROR} == {line.levelno for line in lines()}

    def test_of_a_store(self, serve: Serve, world: Any, lines: Any, user: Headers, *, extended: bool) -> None:
        """Law 1.3: a bug of a port is neither a bad token nor an outage, and no resolver runs."""
        world.fail(ZeroDivisionError("a bug of the store"))
        answer = serve(schema(stumble, extended=extended)).post("{ permitted }", user)
        assert ({None}, ["a bug of the store"]) == (
            {answer.data and answer.data["permitted"]},
            [error["message"] for error in answer.errors],
        )
        assert ZeroDivisionError in {line.exc_info[0] for line in lines()}
