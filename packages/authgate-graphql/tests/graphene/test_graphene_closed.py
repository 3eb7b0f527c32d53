import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import flask
import graphene
import pytest
from graphene import relay
from graphql import ExecutionResult, build_schema, get_introspection_query, graphql
from starlette.requests import Request
from starlette.responses import Response

from authgate_core import AsyncGate, is_project, is_user
from authgate_graphql.graphene import AuthGateMiddleware, get_admission, protect, public, requires

Headers = dict[str, str]
Arrive = Callable[..., Request]
Ask = Callable[[graphene.Schema, str, Headers], ExecutionResult]


class Thing(graphene.ObjectType):
    class Meta:
        interfaces = (relay.Node,)

    name = graphene.String()

    def resolve_name(self, info: Any) -> str:
        return "thing"


class Things(relay.Connection):
    class Meta:
        node = Thing


class SignIn(graphene.Mutation):
    ok = graphene.Boolean()
    query = graphene.Field(lambda: Query)

    @public
    def mutate(self: Any, info: Any) -> Any:
        return SignIn(ok=True, query=Query())


class Rename(graphene.Mutation):
    ok = graphene.Boolean()

    def mutate(self: Any, info: Any) -> Any:
        return Rename(ok=True)


class Query(graphene.ObjectType):
    said_nothing = graphene.String()
    stored = graphene.String(default_value="stored")
    guarded = graphene.String()
    opened = graphene.String()
    opened_static = graphene.String()
    thing = graphene.Field(Thing)
    open_thing = graphene.Field(Thing)
    things = relay.ConnectionField(Things)
    open_things = relay.ConnectionField(Things)
    project_things = relay.ConnectionField(Things)

    async def resolve_said_nothing(self, info: Any) -> str:
        return get_admission(info).user.id

    @requires(is_project)
    def resolve_guarded(self, info: Any) -> str:
        return "guarded"

    @public
    def resolve_opened(self, info: Any) -> str:
        return "opened"

    @public
    @staticmethod
    def resolve_opened_static(root: Any, info: Any) -> str:
        return "opened"

    def resolve_thing(self, info: Any) -> Any:
        return Thing()

    @public
    def resolve_open_thing(self, info: Any) -> Any:
        return Thing()

    def resolve_things(self, info: Any) -> Any:
        return [Thing()]

    @public
    def resolve_open_things(self, info: Any) -> Any:
        return [Thing()]

    @requires(is_project)
    def resolve_project_things(self, info: Any) -> Any:
        return [Thing()]


class Mutations(graphene.ObjectType):
    sign_in = SignIn.Field()
    rename = Rename.Field()


class Subscriptions(graphene.ObjectType):
    ticks = graphene.Int()
    project_ticks = graphene.Int()
    open_ticks = graphene.Int()

    async def subscribe_ticks(self, info: Any) -> AsyncIterator[int]:
        yield 1
        yield 2

    @requires(is_project)
    async def subscribe_project_ticks(self, info: Any) -> AsyncIterator[int]:
        yield 3

    def resolve_project_ticks(self, info: Any) -> int:
        return 4

    @public
    async def subscribe_open_ticks(self, info: Any) -> AsyncIterator[int]:
        yield 5


def by_middleware(arrive: Arrive) -> Ask:
    """Closes by a middleware."""

    def ask(schema: graphene.Schema, query: str, headers: Headers) -> ExecutionResult:
        context, middleware = {"request": arrive(headers)}, [AuthGateMiddleware(is_user)]
        result: ExecutionResult = asyncio.run(
            schema.execute_async(query, context=context, middleware=middleware)
        )
        return result

    return ask


def by_protection(arrive: Arrive) -> Ask:
    """Closes the schema itself."""

    def ask(schema: graphene.Schema, query: str, headers: Headers) -> ExecutionResult:
        protect(schema, is_user)
        result: ExecutionResult = asyncio.run(
            schema.execute_async(query, context={"request": arrive(headers)})
        )
        return result

    return ask


@pytest.fixture(params=[by_middleware, by_protection])
def ask(request: pytest.FixtureRequest, arrive: Arrive) -> Callable[[str, Headers], ExecutionResult]:
    """Asks a schema that is closed by default, in either way."""
    way: Ask = request.param(arrive)
    return lambda query, headers: way(graphene.Schema(query=Query, mutation=Mutations), query, headers)


Asked = Callable[[str, Headers], ExecutionResult]


def statuses(result: ExecutionResult) -> dict[str, int]:
    """The statuses that an operation's errors tell, by the field."""
    told = [(error.path or [], error.extensions or {}) for error in result.errors or []]
    return {str(path[0]): extensions["http"]["status"] for path, extensions in told}


class TestClosed:
    def test_a_field_that_says_nothing_asks_the_default(self, ask: Asked, user: Headers) -> None:
        """Law 8.8: those with a resolver, and those that are stored."""
        query = "{ saidNothing stored thing { name } }"
        assert {"saidNothing": 401, "stored": 401, "thing": 401} == statuses(ask(query, {}))
        data = {"saidNothing": "u1", "stored": "stored", "thing": {"name": "thing"}}
        assert (data, None) == ask(query, user)

    def test_a_guard_is_asked_alone(self, ask: Asked, user: Headers, project: Headers) -> None:
        """The default is not asked besides."""
        assert {"guarded": "guarded"} == ask("{ guarded }", project).data
        assert {"guarded": 401} == statuses(ask("{ guarded }", user))

    def test_what_is_public_is_open(self, ask: Asked) -> None:
        """To anybody, whatever is presented besides (Law 8.6)."""
        data = {"opened": "opened", "openedStatic": "opened", "openThing": {"name": "thing"}}
        for headers in ({}, {"Authorization": "Bearer nonsense"}):
            assert (data, None) == ask("{ opened openedStatic openThing { name } }", headers)

    def test_mutations_are_fields_like_others(self, ask: Asked, user: Headers) -> None:
        """They are closed, and opened."""
        mutation = "mutation { signIn { ok } rename { ok } }"
        assert {"signIn": {"ok": True}, "rename": None} == ask(mutation, {}).data
        assert {"signIn": {"ok": True}, "rename": {"ok": True}} == ask(mutation, user).data

    def test_root_types_are_closed_below_as_well(self, ask: Asked, user: Headers) -> None:
        """A payload may have the whole query in it, whose fields are root fields still."""
        shown = ask("mutation { signIn { query { __schema { queryType { name } } } } }", {})
        assert {"signIn": 401} == statuses(shown)
        query = "mutation { signIn { query { saidNothing opened __typename } } }"
        found = {"saidNothing": None, "opened": "opened", "__typename": "Query"}
        assert {"signIn": {"query": found}} == ask(query, {}).data
        assert {"signIn": {"query": {**found, "saidNothing": "u1"}}} == ask(query, user).data

    def test_connections_of_relay_are_seen_through(self, ask: Asked, user: Headers, project: Headers) -> None:
        """Graphene wraps their resolvers, and what those say counts."""
        query = "{ things { edges { cursor } } openThings { edges { cursor } } projectThings { edges { cursor } } }"
        assert {"things": 401, "projectThings": 401} == statuses(ask(query, {}))
        assert {"projectThings": 401} == statuses(ask(query, user))
        assert {"things": 401} == statuses(ask(query, project))

    def test_introspection_is_closed(self, ask: Asked, user: Headers) -> None:
        """It shows the whole schema."""
        query = '{ __schema { queryType { name } } __type(name: "Thing") { name } }'
        assert {"__type": None} == ask('{ __type(name: "Thing") { name } }', {}).data
        assert None is ask(get_introspection_query(), {}).data
        assert {"__schema": {"queryType": {"name": "Query"}}, "__type": {"name": "Thing"}} == ask(
            query, user
        ).data

    def test_the_name_of_a_type_is_open(self, ask: Asked) -> None:
        """Clients add it to whatever they ask, and it says nothing."""
        assert ({"__typename": "Query", "opened": "opened"}, None) == ask("{ __typename opened }", {})

    def test_a_refusal_is_told_as_by_a_guard(self, ask: Asked, issuer: Any) -> None:
        """In the words of the gate."""
        (error,) = ask("{ stored }", {"Authorization": f"Bearer {issuer.hostile.forged()}"}).errors or []
        extensions = {"code": "UNAUTHENTICATED", "missing": [], "http": {"status": 401}}
        assert ("The token is not valid.", extensions) == (error.message, error.extensions)

    def test_one_look_is_enough(self, ask: Asked, user: Headers, async_counter: Any) -> None:
        """Law 2.6."""
        ask("{ saidNothing stored thing { name } __typename }", user)
        assert 1 == len(async_counter.asked)


class TestSync:
    def test_flask_is_closed_as_well(self, app: flask.Flask, user: Headers) -> None:
        """By a middleware, and by the schema."""
        schema, closed = graphene.Schema(query=Query), graphene.Schema(query=Query)
        protect(closed, is_user)
        middleware = [AuthGateMiddleware(is_user)]
        said = []
        for headers in (user, {}):
            with app.test_request_context("/graphql", headers=headers):
                context = {"request": flask.request}
                said.append(schema.execute("{ stored }", context=context, middleware=middleware).data)
                said.append(closed.execute("{ stored }", context=context).data)
        assert [{"stored": "stored"}] * 2 + [{"stored": None}] * 2 == said


class TestSubscriptions:
    @pytest.fixture
    def schema(self) -> graphene.Schema:
        """One with subscriptions of every kind."""
        return graphene.Schema(query=Query, subscription=Subscriptions)

    def events(self, schema: graphene.Schema, field: str, request: Request) -> list[Any]:
        """What a subscription yields, and the refusal that it ends with."""

        async def collect() -> list[Any]:
            said: list[Any] = []
            try:
                async for result in await schema.subscribe(
                    f"subscription {{ {field} }}", context={"request": request}
                ):
                    assert result.errors is None
                    said.append(result.data[field])
            except Exception as error:  # noqa: BLE001 - looked at below
                said.append(error.extensions["http"]["status"])  # type: ignore[attr-defined]  # a GraphQLError
            return said

        return asyncio.run(collect())

    def test_are_closed_by_protection(
        self, schema: graphene.Schema, arrive: Arrive, user: Headers, project: Headers
    ) -> None:
        """Their sources ask the default, their own guard, or nobody."""
        protect(schema, is_user)
        fields = ("ticks", "projectTicks", "openTicks")
        assert [[401], [401], [5]] == [self.events(schema, field, arrive({})) for field in fields]
        assert [[1, 2], [401], [5]] == [self.events(schema, field, arrive(user)) for field in fields]
        assert [[401], [4], [5]] == [self.events(schema, field, arrive(project)) for field in fields]

    def test_are_closed_where_they_are_executed_like_queries(
        self, schema: graphene.Schema, arrive: Arrive, project: Headers
    ) -> None:
        """A view that does so never calls their source, whose guard is asked all the same."""
        protect(schema, is_user)
        operation = "subscription { projectTicks }"
        said = [
            asyncio.run(schema.execute_async(operation, context={"request": arrive(headers)})).data
            for headers in ({}, project)
        ]
        assert [{"projectTicks": None}, {"projectTicks": 4}] == said

    def test_open_ones_are_no_matter_for_a_middleware(self, schema: graphene.Schema, arrive: Arrive) -> None:
        """graphql-core runs none for them; where nothing guards one, that is said at the first operation."""
        middleware = [AuthGateMiddleware(is_user)]
        context = {"request": arrive({})}
        result = asyncio.run(schema.execute_async("{ opened }", context=context, middleware=middleware))
        assert "nothing guards ticks: write protect(schema, default)" in result.errors[0].message

    def test_guarded_ones_go_with_a_middleware(self, arrive: Arrive, project: Headers) -> None:
        """And are held where they are executed like queries."""

        class Guarded(graphene.ObjectType):
            ticks = graphene.Int()

            @requires(is_project)
            async def subscribe_ticks(self, info: Any) -> AsyncIterator[int]:
                yield 1

            def resolve_ticks(self, info: Any) -> int:
                return 2

        schema = graphene.Schema(query=Query, subscription=Guarded)
        middleware = [AuthGateMiddleware(is_user)]
        said = [
            asyncio.run(
                schema.execute_async(
                    "subscription { ticks }", context={"request": arrive(headers)}, middleware=middleware
                )
            ).data
            for headers in ({}, project)
        ]
        assert [{"ticks": None}, {"ticks": 2}] == said


class TestSchemas:
    def test_one_of_graphql_core_can_be_protected(self, arrive: Arrive, user: Headers) -> None:
        """Its root fields need no resolvers of their own."""
        schema = build_schema("type Query { hello: String }")
        protect(schema, is_user)
        said = [
            asyncio.run(graphql(schema, "{ hello }", {"hello": "hello"}, {"request": arrive(headers)})).data
            for headers in ({}, user)
        ]
        assert [{"hello": None}, {"hello": "hello"}] == said

    def test_others_stay_as_they_are(self, arrive: Arrive) -> None:
        """Also in what graphql-core keeps once for all of them."""
        protect(graphene.Schema(query=Query), is_user)
        other = graphene.Schema(query=Query)
        result = asyncio.run(other.execute_async("{ stored __schema { queryType { name } } }", context={}))
        assert ({"stored": "stored", "__schema": {"queryType": {"name": "Query"}}}, None) == result

    def test_a_program_may_look_at_its_own(self) -> None:
        """Without any context there is no request to refuse."""
        schema = graphene.Schema(query=Query)
        protect(schema, is_user)
        assert "Query" == schema.introspect()["__schema"]["queryType"]["name"]

    def test_a_gate_and_statuses_may_be_given_alone(
        self, arrive: Arrive, async_gate: AsyncGate, user: Headers
    ) -> None:
        """For guards that are there; the rest stays open."""
        schema = graphene.Schema(query=Query, mutation=Mutations, subscription=Subscriptions)
        protect(schema, None, gate=async_gate, http_status=True)
        context = {"request": arrive(user, None), "response": Response()}
        result = asyncio.run(schema.execute_async("{ stored guarded }", context=context))
        assert {"stored": "stored", "guarded": None} == result.data
        response = context["response"]
        assert isinstance(response, Response)
        assert 401 == response.status_code
