import asyncio
import json
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from contextvars import ContextVar
from typing import Any, ClassVar

import graphene
import httpx2
import pytest
from fastapi import FastAPI
from graphql import GraphQLError, parse, subscribe
from graphql_server.asgi import GraphQL
from graphql_server.fastapi import GraphQLRouter
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from authgate_core import AsyncGate, GateConfig, Issuer, any_role, is_user
from authgate_core.testing import FakeIssuer
from authgate_fastapi import AuthGate
from authgate_graphql.graphene import (
    get_admission,
    get_current_user,
    jwt_auth_required,
    project_auth_required,
    protect,
    requires,
)

Headers = dict[str, str]
Message = dict[str, Any]

PROTOCOL = Subprotocol("graphql-transport-ws")


class Query(graphene.ObjectType):
    open = graphene.String(default_value="open")
    me = graphene.String()

    @requires(is_user)
    def resolve_me(self, info: Any) -> str:
        return get_admission(info).user.id


class Subscriptions(graphene.ObjectType):
    ended: ClassVar[threading.Event]

    ticks = graphene.String()
    shop = graphene.String()
    owner = graphene.String()
    later = graphene.String()
    bug = graphene.String()
    open = graphene.String()

    @jwt_auth_required
    async def subscribe_ticks(self, info: Any) -> AsyncIterator[str]:
        try:
            while True:
                user = get_current_user(info)
                yield f"{user and user.id} {info.context['user'].id}"
                await asyncio.sleep(0.05)
        finally:
            Subscriptions.ended.set()

    @project_auth_required
    async def subscribe_shop(self, info: Any) -> AsyncIterator[str]:
        yield info.context["project"].id

    @requires(is_user & any_role("owner"))
    async def subscribe_owner(self, info: Any) -> AsyncIterator[str]:
        yield "owner"

    @requires(is_user)
    async def subscribe_later(self, info: Any) -> AsyncIterator[str]:
        yield "later"
        get_admission(info).require(any_role("owner"))

    @requires(is_user)
    async def subscribe_bug(self, info: Any) -> AsyncIterator[str]:
        yield "bug"
        raise LookupError("a bug")

    async def subscribe_open(self, info: Any) -> AsyncIterator[str]:
        yield "open"


class Client:
    """Speaks graphql-transport-ws."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def begin(self, params: Message | None = None) -> None:
        """Open the connection, which nothing is asked for yet."""
        self.send({"type": "connection_init", "payload": params or {}})
        assert {"type": "connection_ack"} == self.receive()

    def send(self, message: Message) -> None:
        """Say one thing."""
        self.socket.send(json.dumps(message))

    def receive(self) -> Message:
        """Hear one thing."""
        message: Message = json.loads(self.socket.recv(timeout=5))
        return message

    def ask(self, query: str) -> list[Any]:
        """What an operation says until it is complete: data, or the extensions of its errors."""
        self.send({"type": "subscribe", "id": "1", "payload": {"query": query}})
        said = []
        while (message := self.receive())["type"] != "complete":
            payload = message["payload"]
            said.append(payload["errors"][0].get("extensions") if "errors" in payload else payload["data"])
        return said

    def listen(self, field: str = "ticks") -> Any:
        """The first event of a subscription that goes on."""
        self.send({"type": "subscribe", "id": "0", "payload": {"query": f"subscription {{ {field} }}"}})
        return self.receive()["payload"]["data"][field]

    def end(self, within: float) -> int:
        """The code that the server closes with, within so many seconds."""
        with pytest.raises(ConnectionClosed) as closed:
            self._listen_until(time.monotonic() + within)
        assert closed.value.rcvd is not None
        return closed.value.rcvd.code

    def _listen_until(self, then: float) -> None:
        while True:
            self.socket.recv(timeout=then - time.monotonic())


def refused(code: str, status: int) -> Message:
    """What a refusal tells."""
    return {"code": code, "missing": [], "http": {"status": status}}


def in_fastapi(gate: AsyncGate) -> Any:
    """A router in an application with a gate, which closes sockets itself."""
    app = FastAPI()
    AuthGate(app, gate=gate)
    schema = graphene.Schema(query=Query, subscription=Subscriptions)
    app.include_router(GraphQLRouter(schema.graphql_schema), prefix="/graphql")
    return app


def alone(gate: AsyncGate) -> Any:
    """graphql-server's ASGI application, whose schema brings the gate."""
    schema = graphene.Schema(query=Query, subscription=Subscriptions)
    protect(schema, None, gate=gate)
    return GraphQL(schema.graphql_schema)


@pytest.fixture(autouse=True)
def ended() -> threading.Event:
    """Set when the source of a subscription has ended."""
    Subscriptions.ended = threading.Event()
    return Subscriptions.ended


Connect = Callable[..., Client]


@pytest.fixture
def connecting(serve: Callable[..., Any]) -> Iterator[Callable[[Any], Connect]]:
    """Puts applications on a real server and connects real clients, which leave in the end."""
    with ExitStack() as leaving:

        def to(app: Any) -> Connect:
            url = serve(app).url

            def connected(headers: Headers | None = None) -> Client:
                opening = connect(url, subprotocols=[PROTOCOL], additional_headers=headers)
                return Client(leaving.enter_context(opening))

            return connected

        yield to


@pytest.fixture(params=[in_fastapi, alone])
def client(
    request: pytest.FixtureRequest, connecting: Callable[[Any], Connect], async_gate: AsyncGate
) -> Connect:
    """Connects to either kind of application."""
    return connecting(request.param(async_gate))


class TestAdmitted:
    def test_by_headers(self, client: Connect, user: Headers) -> None:
        """Those of the handshake; the user is shown on the context."""
        asked = client(user)
        asked.begin()
        assert "u1 u1" == asked.listen()

    @pytest.mark.parametrize("spelled", [str, str.lower, str.upper])
    def test_by_connection_params(
        self, client: Connect, user: Headers, project: Headers, spelled: Callable[[str], str]
    ) -> None:
        """As a browser must, which sets no headers; names are matched in any case."""
        asked = client()
        asked.begin({spelled(name): value for name, value in {**user, **project}.items()})
        assert [{"shop": "p1"}] == asked.ask("subscription { shop }")
        assert "u1 u1" == asked.listen()

    def test_once_for_a_connection(self, client: Connect, user: Headers, async_counter: Any) -> None:
        """Whatever is asked over it (Law 2.6)."""
        asked = client(user)
        asked.begin()
        assert [{"me": "u1"}] * 3 == [asked.ask("{ me }")[0] for _ in range(3)]
        assert [{"later": "later"}] == asked.ask("subscription { later }")[:1]
        # Once, and then once a second by whoever watches the socket.
        assert 3 > len(async_counter.asked)


class TestRefused:
    def test_nothing_presented(self, client: Connect) -> None:
        """The operation is refused, and others go on."""
        asked = client()
        asked.begin()
        assert [refused("UNAUTHENTICATED", 401)] == asked.ask("subscription { ticks }")
        assert [{"open": "open"}] == asked.ask("{ open }")
        assert [{"open": "open"}] == asked.ask("subscription { open }")

    def test_presented_twice(self, client: Connect, user: Headers) -> None:
        """In the handshake and in the first message: malformed (Law 2.2)."""
        asked = client(user)
        asked.begin(user)
        assert [refused("BAD_CREDENTIALS", 400)] == asked.ask("subscription { ticks }")

    @pytest.mark.parametrize("wrong", [5, None, ["Bearer x"], {"token": "x"}])
    def test_presented_as_what_is_no_text(self, client: Connect, wrong: Any) -> None:
        """Malformed as well."""
        asked = client()
        asked.begin({"Authorization": wrong})
        assert [refused("BAD_CREDENTIALS", 400)] == asked.ask("subscription { ticks }")

    def test_not_allowed(self, client: Connect, user: Headers) -> None:
        """By a guard, and by an admission later on."""
        asked = client(user)
        asked.begin()
        assert [refused("FORBIDDEN", 403)] == asked.ask("subscription { owner }")
        assert [{"later": "later"}, refused("FORBIDDEN", 403)] == asked.ask("subscription { later }")

    def test_a_bug_is_the_sources_own(self, client: Connect, user: Headers) -> None:
        """Law 1.3."""
        asked = client(user)
        asked.begin()
        assert [{"bug": "bug"}, None] == asked.ask("subscription { bug }")

    def test_without_a_traceback(self, client: Connect, caplog: pytest.LogCaptureFixture) -> None:
        """The gate's own line is all that is logged."""
        asked = client()
        with caplog.at_level(logging.INFO):
            asked.begin()
            asked.ask("subscription { ticks }")
        logged = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert {"authgate"} >= {record.name for record in logged}
        assert not [record for record in logged if record.exc_info]


class TestClosed:
    def test_when_the_token_is_revoked(
        self, client: Connect, user: Headers, async_counter: Any, ended: threading.Event
    ) -> None:
        """Within two seconds, with no code of the resolver's, which ends (Law 5.13)."""
        asked = client(user)
        asked.begin()
        asked.listen()
        async_counter.revoked = True
        assert 4401 == asked.end(within=2)
        assert ended.wait(5)

    def test_when_the_token_expires(self, connecting: Callable[[Any], Connect], issuer: FakeIssuer) -> None:
        """However it was presented."""
        trusted = Issuer.static(issuer.jwks(), issuer=issuer.url, audience=issuer.audience, leeway=0)
        gate = AsyncGate(GateConfig(issuers=[trusted]))
        asked = connecting(in_fastapi(gate))()
        asked.begin({"Authorization": f"Bearer {issuer.token('u1', expires_in=2)}"})
        asked.listen()
        assert 4401 == asked.end(within=4)

    def test_not_for_whom_nobody_was_admitted(self, client: Connect, async_counter: Any) -> None:
        """An open subscription, or an operation that was refused, is nobody's to revoke."""
        asked = client()
        asked.begin()
        asked.ask("subscription { ticks }")
        async_counter.revoked = True
        time.sleep(1.5)
        assert [{"open": "open"}] == asked.ask("{ open }")


class TestOverHttp:
    """Subscriptions whose events are the parts of one response (``multipart/mixed``)."""

    def parts(self, url: str, field: str, headers: Headers, *, then: Callable[[], None]) -> list[Any]:
        """What a subscription says until its response ends; ``then`` is done after the first event."""
        accept = {"Accept": "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"}
        said = []
        body = {"query": f"subscription {{ {field} }}"}
        with (
            httpx2.Client(timeout=5) as client,
            client.stream("POST", url, json=body, headers={**accept, **headers}) as answer,
        ):
            for line in answer.iter_lines():
                if line.startswith('{"payload"'):
                    said.append(json.loads(line)["payload"])
                    if len(said) == 1:
                        then()
                    if len(said) > 200:  # ten seconds of them
                        break
        return said

    @pytest.fixture
    def url(self, serve: Callable[..., Any], async_gate: AsyncGate) -> str:
        """Where the application with a router is served."""
        return str(serve(in_fastapi(async_gate)).url).replace("ws:", "http:")

    def test_ends_when_the_token_is_revoked(
        self, url: str, user: Headers, async_counter: Any, ended: threading.Event
    ) -> None:
        """With the error that the token would have from then on (Law 5.13)."""
        began = time.monotonic()
        *events, last = self.parts(url, "ticks", user, then=lambda: setattr(async_counter, "revoked", True))
        assert {"ticks": "u1 u1"} == events[0]["data"]
        assert refused("UNAUTHENTICATED", 401) == last["errors"][0]["extensions"]
        assert ended.wait(5)
        assert time.monotonic() - began < 2

    def test_goes_on_otherwise(self, url: str, user: Headers) -> None:
        """To its own end, or its own error."""
        said = self.parts(url, "bug", user, then=lambda: None)
        assert [{"bug": "bug"}, None] == [payload["data"] for payload in said]
        assert ["a bug"] == [error["message"] for error in said[1]["errors"]]


class TestSources:
    """A source is stepped as it would be alone."""

    async def run(self, context: dict[str, Any], source: Any) -> Any:
        """The guarded source of a subscription."""
        guarded = requires(is_user)(source)
        return guarded(None, type("Info", (), {"context": context}))

    def test_sees_one_context_from_begin_to_end(self, arrive: Callable[..., Any], user: Headers) -> None:
        """Variables of it that are set before an event are reset after it, as tracers do."""
        variable: ContextVar[str] = ContextVar("variable", default="")
        said = []

        async def source(root: Any, info: Any) -> AsyncIterator[str]:
            token = variable.set("mine")
            try:
                yield variable.get()
                yield variable.get()
            finally:
                variable.reset(token)
                said.append("reset")

        async def listen() -> None:
            events = await self.run({"request": arrive(user)}, source)
            said.append(await anext(events))
            await events.aclose()

        asyncio.run(listen())
        assert ["mine", "reset"] == said

    def test_is_ended_by_a_cancellation(self, arrive: Callable[..., Any], user: Headers) -> None:
        """Where it waits for its next event."""
        said = []

        async def source(root: Any, info: Any) -> AsyncIterator[str]:
            try:
                yield "first"
                await asyncio.Event().wait()
            finally:
                said.append("ended")

        async def listen() -> None:
            events = await self.run({"request": arrive(user)}, source)
            said.append(await anext(events))
            waiting = asyncio.ensure_future(anext(events))
            await asyncio.sleep(0.01)
            waiting.cancel()
            await asyncio.wait([waiting])
            assert waiting.cancelled()

        asyncio.run(listen())
        assert ["first", "ended"] == said

    def test_may_have_nothing_to_say(self, arrive: Callable[..., Any], user: Headers) -> None:
        """An event that is None is one like others."""

        async def source(root: Any, info: Any) -> AsyncIterator[str | None]:
            yield None
            yield "second"

        async def listen() -> list[Any]:
            return [event async for event in await self.run({"request": arrive(user)}, source)]

        assert [None, "second"] == asyncio.run(listen())

    def test_ends_though_it_never_waits(
        self, arrive: Callable[..., Any], user: Headers, async_counter: Any
    ) -> None:
        """Whoever sends its events does."""

        async def source(root: Any, info: Any) -> AsyncIterator[str]:
            while True:
                yield "event"

        async def listen() -> None:
            async for _ in await self.run({"request": arrive(user)}, source):
                async_counter.revoked = True
                await asyncio.sleep(0.01)

        with pytest.raises(GraphQLError, match=r"The token is not valid\."):
            asyncio.run(asyncio.wait_for(listen(), 2))


async def events_of_a_function() -> AsyncIterator[str]:
    """A source that its caller hands on."""
    while True:
        yield "event"
        await asyncio.sleep(0.02)


class Events:
    """Events of no generator, as message brokers have them."""

    ended = False

    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> str:
        await asyncio.sleep(0.02)
        return "event"

    async def aclose(self) -> None:
        """Nobody listens any more."""
        Events.ended = True


class HandedOn(graphene.ObjectType):
    """Subscriptions by functions that are no generators themselves."""

    at_once = graphene.String()
    later = graphene.String()
    broker = graphene.String()
    by_default = graphene.String()

    @requires(is_user)
    def subscribe_at_once(self, info: Any) -> AsyncIterator[str]:
        return events_of_a_function()

    @requires(is_user)
    async def subscribe_later(self, info: Any) -> AsyncIterator[str]:
        return events_of_a_function()

    @requires(is_user)
    def subscribe_broker(self, info: Any) -> Events:
        return Events()

    def subscribe_by_default(self, info: Any) -> AsyncIterator[str]:
        return events_of_a_function()


class TestSourcesThatAreHandedOn:
    @pytest.mark.parametrize("field", ["atOnce", "later", "broker", "byDefault"])
    def test_end_when_the_token_is_revoked(
        self, arrive: Callable[..., Any], user: Headers, async_counter: Any, field: str
    ) -> None:
        """As those do whose function is a generator (Law 5.13)."""
        schema = graphene.Schema(query=Query, subscription=HandedOn)
        protect(schema, is_user)
        Events.ended = False

        async def listen() -> int:
            query, context = parse(f"subscription {{ {field} }}"), {"request": arrive(user)}
            events: Any = await subscribe(schema.graphql_schema, query, context_value=context)
            heard = 0
            async for _ in events:
                heard += 1
                async_counter.revoked = True
            return heard

        with pytest.raises(GraphQLError, match=r"The token is not valid\."):
            asyncio.run(asyncio.wait_for(listen(), 2))
        assert (field == "broker") is Events.ended

    def test_what_is_no_source_is_left_as_it_is(self, arrive: Callable[..., Any], user: Headers) -> None:
        """A field may have what can be stepped for its value."""
        events = Events()

        class Cursors(graphene.ObjectType):
            cursor = graphene.Boolean()

            @requires(is_user)
            async def resolve_cursor(self, info: Any) -> Any:
                return events

        schema = graphene.Schema(query=Cursors)
        serialize: Any = schema.graphql_schema.type_map["Boolean"]
        seen: list[Any] = []

        def serialized(value: Any) -> bool:
            seen.append(value)
            return True

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(serialize, "serialize", serialized)
            asyncio.run(schema.execute_async("{ cursor }", context_value={"request": arrive(user)}))
        assert [events] == seen
