import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import flask
import graphene
import pytest
from graphql import ExecutionResult
from starlette.requests import Request

from authgate_core import AsyncGate, GateConfig, all_scopes, any_role, is_project, is_user
from authgate_graphql.graphene import AuthGateMiddleware, get_current_user, jwt_auth_required, requires

Headers = dict[str, str]
Asked = Callable[..., ExecutionResult]
Arrive = Callable[..., Request]


class Item(graphene.ObjectType):
    price = graphene.Int()
    stock = graphene.Int()
    name = graphene.String()

    @requires(is_user & all_scopes("orders:read"))
    def resolve_price(self, info: Any) -> int:
        return 5

    @requires(is_user & any_role("clerk"))
    async def resolve_stock(self, info: Any) -> int:
        return 7


class Query(graphene.ObjectType):
    items = graphene.List(Item)
    user = graphene.String()
    clerk = graphene.String()
    reader = graphene.String()
    project = graphene.String()
    owner = graphene.String()
    open = graphene.String()

    def resolve_items(self, info: Any) -> Any:
        return [{"name": "thing"} for _ in range(100)]

    @jwt_auth_required
    def resolve_user(self, info: Any) -> str:
        user = get_current_user(info)
        assert user is not None
        return user.id

    @requires(is_user & any_role("clerk"))
    def resolve_clerk(self, info: Any) -> str:
        return "clerk"

    @requires(is_user & all_scopes("orders:read"))
    def resolve_reader(self, info: Any) -> str:
        return "reader"

    @requires(is_project)
    def resolve_project(self, info: Any) -> str:
        return "project"

    @requires(is_user & any_role("owner"))
    def resolve_owner(self, info: Any) -> str:
        return "owner"

    def resolve_open(self, info: Any) -> str:
        return "open"


SCHEMA = graphene.Schema(query=Query)


class TestOnce:
    def test_for_a_hundred_fields(self, ask: Asked, user: Headers, verified: Callable[[], int]) -> None:
        """A request is authenticated once (Law 2.6), whoever asks first."""
        result = ask(SCHEMA, "{ items { price } }", user)
        assert ([{"price": 5}] * 100, None) == ((result.data or {})["items"], result.errors)
        assert 1 == verified()

    def test_for_policies_of_one_kind(self, ask: Asked, user: Headers, verified: Callable[[], int]) -> None:
        """However many there are, in flight at once or one after the other."""
        data = {"user": "u1", "clerk": "clerk", "reader": "reader", "owner": None}
        assert data == ask(SCHEMA, "{ user clerk reader owner }", user).data
        assert 1 == verified()

    def test_for_each_kind(
        self, ask: Asked, user: Headers, project: Headers, verified: Callable[[], int]
    ) -> None:
        """A user and a project are two."""
        assert {"user": "u1", "project": "project"} == ask(
            SCHEMA, "{ user project }", {**user, **project}
        ).data
        assert 2 == verified()

    def test_for_refusals(
        self, ask: Asked, user: Headers, counter: Any, async_counter: Any, verified: Any
    ) -> None:
        """A hundred fields are refused by one look."""
        counter.revoked = async_counter.revoked = True
        assert 100 == len(ask(SCHEMA, "{ items { price } }", user).errors or [])
        assert 1 == verified()

    def test_for_sync_and_async_resolvers(self, arrive: Arrive, user: Headers, async_counter: Any) -> None:
        """In one operation."""
        context = {"request": arrive(user)}
        result = asyncio.run(SCHEMA.execute_async("{ items { stock price } }", context=context))
        assert [{"stock": 7, "price": 5}] * 100 == result.data["items"]
        assert 1 == len(async_counter.asked)

    def test_for_a_batch(self, arrive: Arrive, user: Headers, async_counter: Any) -> None:
        """Ten operations of one request, each with a context of its own, at the same time."""
        request = arrive(user)
        contexts: list[dict[str, Any]] = [{"request": request} for _ in range(10)]

        async def batch() -> list[str]:
            query = "{ user clerk items { price } }"
            results = await asyncio.gather(*(SCHEMA.execute_async(query, context=one) for one in contexts))
            return [result.data["user"] for result in results]

        assert ["u1"] * 10 == asyncio.run(batch())
        assert ["u1"] * 10 == [context["user"].id for context in contexts]
        assert 1 == len(async_counter.asked)

    def test_for_a_batch_in_flask(self, app: flask.Flask, user: Headers, counter: Any) -> None:
        """Likewise, one after the other."""
        with app.test_request_context("/graphql", headers=user):
            results = [
                SCHEMA.execute("{ user clerk }", context={"request": flask.request}) for _ in range(10)
            ]
        assert [{"user": "u1", "clerk": "clerk"}] * 10 == [result.data for result in results]
        assert 1 == len(counter.asked)

    def test_again_for_the_next_request(self, arrive: Arrive, user: Headers, async_counter: Any) -> None:
        """A revocation is seen by it (Law 5.1)."""
        said = []
        for async_counter.revoked in (False, True):
            context = {"request": arrive(user)}
            said.append(asyncio.run(SCHEMA.execute_async("{ user }", context=context)).data)
        assert [{"user": "u1"}, {"user": None}] == said
        assert 2 == len(async_counter.asked)


class TestNever:
    def test_without_a_guarded_field(self, ask: Asked, user: Headers, verified: Callable[[], int]) -> None:
        """What nobody asks for costs nothing."""
        assert {"open": "open"} == ask(SCHEMA, "{ open }", user).data
        assert 0 == verified()

    def test_before_the_field_is_resolved(
        self, ask: Asked, user: Headers, verified: Callable[[], int]
    ) -> None:
        """What the document has, but does not select, is not asked about."""
        query = "query ($on: Boolean = false) { open user @include(if: $on) }"
        assert {"open": "open"} == ask(SCHEMA, query, user).data
        assert 0 == verified()

    def test_as_a_coroutine_where_the_answer_is_known(self, arrive: Arrive, user: Headers) -> None:
        """From the second field on a check is a plain read."""
        context = {"request": arrive(user)}
        asyncio.run(SCHEMA.execute_async("{ user clerk }", context=context))

        async def resolved() -> list[Any]:
            info = SimpleNamespace(context=context)
            return [Query.resolve_user(Query(), info), Query.resolve_clerk(Query(), info)]

        assert ["u1", "clerk"] == asyncio.run(resolved())

    def test_as_a_coroutine_where_nobody_must_be_asked(
        self, trusted: Any, arrive: Arrive, user: Headers
    ) -> None:
        """A gate that knows its keys by heart and has no store decides at once, at the first field."""

        async def resolved() -> Any:
            async with AsyncGate(GateConfig(issuers=[trusted])) as gate:
                return Query.resolve_user(Query(), SimpleNamespace(context={"request": arrive(user, gate)}))

        assert "u1" == asyncio.run(resolved())


class TestMeanwhile:
    def test_a_cancelled_operation_takes_nothing_with_it(
        self, arrive: Arrive, user: Headers, async_counter: Any
    ) -> None:
        """Whoever waits for the same request has its answer all the same."""
        context = {"request": arrive(user)}

        async def run() -> ExecutionResult:
            async_counter.answers.clear()
            first, second = (
                asyncio.ensure_future(SCHEMA.execute_async("{ user }", context=context)) for _ in range(2)
            )
            await async_counter.reached.wait()
            first.cancel()
            await asyncio.wait([first])
            async_counter.answers.set()
            result: ExecutionResult = await second
            return result

        assert ({"user": "u1"}, None) == asyncio.run(run())

    def test_several_that_were_begun_are_all_answered(
        self, arrive: Arrive, user: Headers, project: Headers, async_counter: Any
    ) -> None:
        """While the store takes its time, fields of every policy wait for one look of each kind."""
        context = {"request": arrive({**user, **project})}

        async def run() -> ExecutionResult:
            async_counter.answers.clear()
            asked = asyncio.ensure_future(
                SCHEMA.execute_async("{ user clerk reader project }", context=context)
            )
            await async_counter.reached.wait()
            async_counter.answers.set()
            result: ExecutionResult = await asked
            return result

        data = {"user": "u1", "clerk": "clerk", "reader": "reader", "project": "project"}
        assert (data, None) == asyncio.run(run())
        assert 2 == len(async_counter.asked)

    def test_threads_keep_to_their_requests(self, app: flask.Flask, bearer: Callable[..., Headers]) -> None:
        """Eight of them, on one schema and one dict for a context."""
        context = {"request": flask.request}
        together = threading.Barrier(8)

        def call(number: int) -> str:
            with app.test_request_context("/graphql", headers=bearer(f"u{number}")):
                together.wait()
                said = {SCHEMA.execute("{ user }", context=context).data["user"] for _ in range(25)}
            (one,) = said
            return str(one)

        with ThreadPoolExecutor(8) as pool:
            assert [f"u{number}" for number in range(8)] == list(pool.map(call, range(8)))

    def test_threads_may_share_a_request(self, app: flask.Flask, user: Headers, counter: Any) -> None:
        """As where operations of one request are resolved by several: it is verified by one of them."""
        together = threading.Barrier(4)
        with app.test_request_context("/graphql", headers=user):
            request = flask.request._get_current_object()  # type: ignore[attr-defined]  # werkzeug's proxy

        def call(_: int) -> ExecutionResult:
            with app.app_context():
                together.wait()
                result: ExecutionResult = SCHEMA.execute(
                    "{ user items { price } }", context={"request": request}
                )
            return result

        with ThreadPoolExecutor(4) as pool:
            assert [None] * 4 == [result.errors for result in pool.map(call, range(4))]
        assert 1 == len(counter.asked)


class TestColours:
    def test_a_sync_field_is_no_coroutine_where_nothing_runs_it(
        self, app: flask.Flask, gate: Any, user: Headers
    ) -> None:
        """In a sync operation the answer is there when the resolver returns."""
        with app.test_request_context("/graphql", headers=user):
            info = SimpleNamespace(context={"request": flask.request})
            assert ["u1", "clerk"] == [Query.resolve_user(Query(), info), Query.resolve_clerk(Query(), info)]

    def test_a_sync_operation_in_a_running_loop_has_its_answer_now(
        self, app: flask.Flask, user: Headers
    ) -> None:
        """As in an async test of a Flask app: ``execute`` waits for no field, in a loop either."""

        async def called() -> ExecutionResult:
            with app.test_request_context("/graphql", headers=user):
                result: ExecutionResult = SCHEMA.execute("{ user clerk }", context={"request": flask.request})
                return result

        assert ({"user": "u1", "clerk": "clerk"}, None) == asyncio.run(called())

    @pytest.mark.parametrize("in_loop", [True, False])
    def test_an_async_gate_cannot_judge_a_sync_operation(
        self, arrive: Arrive, user: Headers, *, in_loop: bool
    ) -> None:
        """In or outside of a running loop, warm or cold: the error says what to await."""
        context = {"request": arrive(user)}

        async def called() -> ExecutionResult:
            result: ExecutionResult = SCHEMA.execute("{ user }", context=context)
            return result

        result = asyncio.run(called()) if in_loop else SCHEMA.execute("{ user }", context=context)
        assert {"user": None} == result.data
        (error,) = result.errors or []
        assert "with Graphene `await schema.execute_async(...)`" in error.message

    def test_a_sync_gate_cannot_judge_an_async_app(self, arrive: Arrive, gate: Any, user: Headers) -> None:
        """It would block the loop."""
        context = {"request": arrive(user, None)}
        middleware = [AuthGateMiddleware(gate=gate)]
        result = asyncio.run(SCHEMA.execute_async("{ user }", context=context, middleware=middleware))
        assert {"user": None} == result.data
        assert "give it AsyncGate(config)" in result.errors[0].message

    def test_an_async_gate_cannot_judge_flask(
        self, app: flask.Flask, async_gate: AsyncGate, user: Headers
    ) -> None:
        """And says what can."""
        with app.test_request_context("/graphql", headers=user):
            result = SCHEMA.execute(
                "{ user }",
                context={"request": flask.request},
                middleware=[AuthGateMiddleware(gate=async_gate)],
            )
        assert {"user": None} == result.data
        assert "give it Gate(config)" in result.errors[0].message

    def test_an_app_without_a_gate_is_told_the_missing_line(self, arrive: Arrive, user: Headers) -> None:
        """Law 1.6."""
        context = {"request": arrive(user, None)}
        result = asyncio.run(SCHEMA.execute_async("{ clerk }", context=context))
        assert "write AuthGate(app) where the app is made" in result.errors[0].message
