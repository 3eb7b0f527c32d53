"""Views with ``GuardedSubscriptions``: who connects is known at once, and whom HTTP streams to stays admitted."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
import strawberry
from fastapi import FastAPI
from strawberry.asgi import GraphQL
from strawberry.fastapi import GraphQLRouter
from websockets.exceptions import ConnectionClosed

import authgate_core as ag
from authgate_core.testing import FakeIssuer
from authgate_fastapi import AuthGate, AuthMiddleware, sockets
from authgate_graphql import watch
from authgate_graphql.strawberry import (
    AuthGateExtension,
    Guard,
    GuardedSubscriptions,
    get_admission,
    get_current_user,
    requires,
    requires_jwt_auth,
    subscriptions,
)
from tests.support.subscribing import connected, served

SECRET = "a-secret-of-more-than-thirty-two-characters"
SPOKEN = ["graphql-transport-ws", "graphql-ws"]
STREAMED = ["text/event-stream", "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"]
ALL = [*SPOKEN, "graphql-sse", "multipart-subscription"]

Payload = dict[str, str]


class Store:
    """A revocation store that says what a test wants."""

    asked = 0
    revoked = False
    failure: Exception | None = None

    async def is_revoked(self, ref: object) -> bool:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return self.revoked


ends: list[str] = []


async def _silent(name: str) -> AsyncIterator[int]:
    """One event, and a long wait for the next."""
    try:
        async with asyncio.timeout(30):  # which can only be left in the task that entered it
            yield 1
            await asyncio.Event().wait()
    finally:
        ends.append(name)


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "world"

    @strawberry.field(permission_classes=[requires(ag.is_user)])
    def me(self, info: strawberry.Info) -> str:
        return get_admission(info).user.id

    @strawberry.field
    def boss(self, info: strawberry.Info) -> str:
        raise ag.AuthorizationError("for reasons that nobody is told")


class Handed:
    """Events of no generator, as message brokers have them."""

    def __init__(self, name: str) -> None:
        self._events: Any = _silent(name)

    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> int:
        number: int = await anext(self._events)
        return number

    async def aclose(self) -> None:
        """Nobody listens any more."""
        await self._events.aclose()


@strawberry.type
class Subscription:
    @strawberry.subscription(extensions=[Guard(ag.is_user)])
    async def handed(self) -> AsyncIterator[int]:
        return Handed("handed")

    @strawberry.subscription(permission_classes=[requires(ag.is_user)])
    async def silent(self) -> AsyncIterator[int]:
        async for number in _silent("silent"):
            yield number

    @strawberry.subscription
    @requires_jwt_auth
    @requires_jwt_auth
    async def decorated(self, info: strawberry.Info) -> AsyncIterator[int]:
        async for number in _silent("decorated"):
            yield number

    @strawberry.subscription(extensions=[Guard(ag.is_user)])
    async def extended(self) -> AsyncIterator[int]:
        async for number in _silent("extended"):
            yield number

    @strawberry.subscription(permission_classes=[requires(ag.is_user)])
    async def lively(self) -> AsyncIterator[int]:
        for number in range(1000):
            yield number
            await asyncio.sleep(0.01)

    @strawberry.subscription(permission_classes=[requires(ag.is_user)])
    async def short(self) -> AsyncIterator[int]:
        yield 1
        yield 2

    @strawberry.subscription(extensions=[Guard(ag.is_user)])
    async def empty(self) -> AsyncIterator[int | None]:
        yield None
        yield 2

    @strawberry.subscription(extensions=[Guard(ag.is_user)])
    async def failing(self) -> AsyncIterator[int]:
        yield 1
        raise TimeoutError("of its own")


class Router(GuardedSubscriptions, GraphQLRouter[Any, Any]):
    """What users of FastAPI write."""


class App(GuardedSubscriptions, GraphQL[Any, Any]):
    """What others write."""


class UsersOnly(Router):
    connection_policy = ag.is_user


class AdminsOnly(Router):
    connection_policy = ag.any_role("admin")


class Greeting(Router):
    async def on_ws_connect(self, context: Any) -> Any:
        await super().on_ws_connect(context)
        user = get_current_user(SimpleNamespace(context=context))
        if user is not None and user.id == "u2":
            raise ag.AuthorizationError("not this one")
        return {"hello": None if user is None else user.id}


@pytest.fixture(name="issuer", scope="module")
def _issuer() -> FakeIssuer:
    return FakeIssuer(audience="orders-api", url="https://id.example.com")


@pytest.fixture(name="store")
def _store() -> Store:
    return Store()


@pytest.fixture(name="gate")
def _gate(issuer: FakeIssuer, store: Store) -> Iterator[ag.AsyncGate]:
    trusted = ag.Issuer.static(issuer.jwks(), issuer=issuer.url, audience=issuer.audience)
    projects = ag.StaticProjects({"shop": {"id": "p1", "name": "Shop", "secret": SECRET}})
    gate = ag.AsyncGate(ag.GateConfig(issuers=[trusted], projects=projects, revocation=store))
    yield gate
    asyncio.run(gate.aclose())


@pytest.fixture(name="router")
def _router(gate: ag.AsyncGate) -> Callable[..., Any]:
    """Serves a router in an app that has the gate."""

    @contextmanager
    def serve(view: Callable[..., Any] = Router, *, extensions: Any = (), **options: Any) -> Iterator[int]:
        app = FastAPI()
        AuthGate(app, gate=gate)
        schema = strawberry.Schema(Query, subscription=Subscription, extensions=extensions)
        app.include_router(view(schema, prefix="/graphql", **options))
        with served(app) as port:
            yield port

    return serve


@pytest.fixture(name="user")
def _user(issuer: FakeIssuer) -> Payload:
    """What a user presents."""
    return {"Authorization": f"Bearer {issuer.token('u1')}"}


def connecting(port: int, payload: Payload | None, speaks: str, headers: Payload | None = None) -> Any:
    """How a connection is answered: by ``connection_ack``, or by the codes that close it."""
    with connected(port, headers=headers, speaks=speaks) as client:
        client.say(type="connection_init", **({} if payload is None else {"payload": payload}))
        with suppress(ConnectionClosed):  # it was refused by then
            client.ask("{ hello }" if speaks == "graphql-transport-ws" else "subscription { short }")
        heard = client.hear_or_end()
        if heard is None or heard["type"] == "connection_error":
            return client.closed()
        return heard["type"]


@pytest.mark.parametrize("speaks", SPOKEN)
class TestConnecting:
    """Law 1: refused before any operation, by the code of the table, with the problem's own as the reason."""

    def test_with_nothing(self, router: Any, speaks: str) -> None:
        """Nobody asked for anything."""
        with router() as port:
            assert "connection_ack" == connecting(port, None, speaks)
            assert "connection_ack" == connecting(port, {"color": "red"}, speaks)

    def test_with_what_is_good(self, router: Any, user: Payload, speaks: str) -> None:
        """A user, a project, or both, in either place."""
        project = {"x-app-id": "shop", "X-App-Secret": SECRET}
        with router() as port:
            assert "connection_ack" == connecting(port, user, speaks)
            assert "connection_ack" == connecting(port, project, speaks)
            assert "connection_ack" == connecting(port, project, speaks, user)

    def test_with_what_is_not(self, router: Any, issuer: FakeIssuer, user: Payload, speaks: str) -> None:
        """Whatever is presented is verified, also where another kind is good."""
        expired = {"Authorization": f"Bearer {issuer.token('u1', expires_in=-100)}"}
        with router() as port:
            assert (4401, "token_invalid") == connecting(port, {"Authorization": "Bearer x"}, speaks)
            assert (4401, "token_expired") == connecting(port, expired, speaks)
            assert (4401, "token_invalid") == connecting(port, None, speaks, {"Authorization": "Bearer x"})
            assert (4400, "credentials_malformed") == connecting(port, user, speaks, user)
            assert (4400, "credentials_malformed") == connecting(port, {**user, "x-app-id": "shop"}, speaks)
            wrong = {**user, "x-app-id": "shop", "x-app-secret": "wrong"}
            assert (4401, "project_invalid") == connecting(port, wrong, speaks)

    def test_during_an_outage(self, router: Any, store: Store, user: Payload, speaks: str) -> None:
        """Law 1.5: that is no verdict."""
        store.failure = ag.RevocationUnavailable("down")
        with router() as port:
            assert (1013, "unavailable") == connecting(port, user, speaks)

    def test_where_a_policy_asks(self, router: Any, issuer: FakeIssuer, user: Payload, speaks: str) -> None:
        """Somebody has to be presented, and allowed."""
        admin = {"Authorization": f"Bearer {issuer.token('u1', roles=['admin'])}"}
        with router(UsersOnly) as port:
            assert (4401, "credentials_missing") == connecting(port, None, speaks)
            assert "connection_ack" == connecting(port, user, speaks)
        with router(AdminsOnly) as port:
            assert (4403, "forbidden") == connecting(port, user, speaks)
            assert "connection_ack" == connecting(port, admin, speaks)

    def test_late(self, router: Any, monkeypatch: pytest.MonkeyPatch, speaks: str) -> None:
        """Five seconds are enough; here a fifth of one is, and whoever is in time stays."""
        monkeypatch.setattr(subscriptions, "_WAIT", timedelta(seconds=0.2))
        with (
            router() as port,
            connected(port, speaks=speaks) as client,
            connected(port, speaks=speaks) as late,
        ):
            client.begin()
            assert (4408, "Connection initialisation timeout") == late.closed()
            client.ask("subscription { short }")
            assert "UNAUTHENTICATED" in json.dumps(client.hear())

    def test_twice(self, router: Any, issuer: FakeIssuer, user: Payload, speaks: str) -> None:
        """Law 2.6: a connection is one caller's; whoever presents another one opens another."""
        other = {"Authorization": f"Bearer {issuer.token('u2')}"}
        with router() as port, connected(port, speaks=speaks) as client:
            client.say(type="connection_init", payload=user)
            assert {"type": "connection_ack"} == client.hear()
            client.say(type="connection_init", payload=other)
            assert (4429, "Too many initialisation requests") == client.closed()

    def test_words_of_ones_own(self, router: Any, issuer: FakeIssuer, user: Payload, speaks: str) -> None:
        """``on_ws_connect`` may say more, and refuse more."""
        with router(Greeting) as port, connected(port, speaks=speaks) as client:
            client.say(type="connection_init", payload=user)
            assert {"type": "connection_ack", "payload": {"hello": "u1"}} == client.hear()
            other = {"Authorization": f"Bearer {issuer.token('u2')}"}
            assert (4403, "forbidden") == connecting(port, other, speaks)


class TestPatience:
    def test_less_of_it(self, router: Any) -> None:
        """A view may wait for less than five seconds."""
        patience = timedelta(seconds=0.1)
        with router(connection_init_wait_timeout=patience) as port, connected(port) as late:
            began = time.monotonic()
            assert 4408 == late.closed()[0]
            assert time.monotonic() - began < 4


class TestGates:
    def test_of_a_plain_application(self, gate: ag.AsyncGate, user: Payload) -> None:
        """The one that the schema's extension was given judges who connects."""
        extension: Any = partial(AuthGateExtension, gate=gate)
        with served(App(strawberry.Schema(Query, extensions=[extension]))) as port:
            assert "connection_ack" == connecting(port, user, SPOKEN[0])
            assert (4401, "token_invalid") == connecting(port, {"Authorization": "Bearer x"}, SPOKEN[0])

    def test_of_none(self, caplog: pytest.LogCaptureFixture) -> None:
        """Law 1.6: the line that is missing is named where the server logs what an application raises."""
        with served(App(strawberry.Schema(Query))) as port, connected(port) as client:
            client.say(type="connection_init")
            assert 1006 == client.closed()[0]
        assert "write AuthGate(app) where the app is made" in caplog.text

    def test_behind_the_middleware(self, gate: ag.AsyncGate, store: Store, user: Payload) -> None:
        """Law 2.6: whom it verified is not verified again."""
        app = FastAPI()
        app.add_middleware(AuthMiddleware)
        AuthGate(app, gate=gate)
        app.include_router(Router(strawberry.Schema(Query), prefix="/graphql"))
        with served(app) as port, connected(port, headers=user) as client:
            client.begin()
            assert {"me": "u1"} == client.told("{ me }")
            assert 1 == store.asked

    def test_asked_once(self, router: Any, store: Store, user: Payload) -> None:
        """What is found when a client connects is what its first operations read."""
        with router() as port, connected(port) as client:
            client.begin(user)
            assert {"me": "u1"} == client.told("{ me }")
            assert 1 == store.asked

    def test_a_connection_without_operations(
        self, router: Any, store: Store, user: Payload, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Law 5.13: who connected is asked about again."""
        monkeypatch.setattr(sockets, "_PERIOD", 0.05)
        with router() as port, connected(port) as client:
            client.begin(user)
            store.revoked = True
            assert (4401, "token_invalid") == client.closed()


def told(port: int, field: str, headers: Payload, accept: str) -> Generator[str, None, None]:
    """What an HTTP response streams, line by line."""
    asked = {"query": f"subscription {{ {field} }}"}
    with httpx2.stream(
        "POST",
        f"http://127.0.0.1:{port}/graphql",
        json=asked,
        headers={**headers, "Accept": accept},
        timeout=10,
    ) as answer:
        assert 200 == answer.status_code
        yield from answer.iter_lines()


def results(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """The results among them."""
    for line in lines:
        text = line.removeprefix("data: ")
        if text.startswith("{"):
            heard = json.loads(text)
            if heard:
                yield heard.get("payload", heard)


def codes(result: dict[str, Any]) -> list[str]:
    """What it refuses."""
    return [error["extensions"]["code"] for error in result["errors"]]


@pytest.mark.parametrize("accept", STREAMED)
class TestStreams:
    """Law 5.13, where the events of a subscription are an HTTP response."""

    def test_without_events(self, router: Any, store: Store, user: Payload, accept: str) -> None:
        """It ends within two seconds, with the refusal for its last result, and so does the generator."""
        ends.clear()
        with router(subscription_protocols=ALL) as port:
            heard = results(told(port, "silent", user, accept))
            assert {"silent": 1} == next(heard)["data"]
            store.revoked = True
            began = time.monotonic()
            (last,) = heard
            assert time.monotonic() - began < 2
        assert (None, ["UNAUTHENTICATED"]) == (last["data"], codes(last))
        assert ["silent"] == ends

    @pytest.mark.parametrize("field", ["decorated", "extended", "handed"])
    def test_in_any_view(
        self,
        router: Any,
        store: Store,
        user: Payload,
        accept: str,
        field: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Behind a decorator, however many there are, or a ``Guard``; what several would ask is asked once."""
        monkeypatch.setattr(watch, "PERIOD", 0.1)
        for view in (GraphQLRouter[Any, Any], Router):
            ends.clear()
            store.revoked = False
            with router(view, subscription_protocols=ALL) as port:
                heard = results(told(port, field, user, accept))
                assert {field: 1} == next(heard)["data"]
                store.revoked = True
                asked = store.asked
                (last,) = heard
            assert (None, ["UNAUTHENTICATED"]) == (last["data"], codes(last))
            assert [field] == ends
            assert store.asked - asked <= 1

    def test_with_events(
        self, router: Any, store: Store, user: Payload, accept: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The schema's extension alone lets none pass to whom may not have it any more."""
        monkeypatch.setattr(watch, "PERIOD", 0.05)
        options: dict[str, Any] = {"extensions": [AuthGateExtension], "subscription_protocols": ALL}
        with router(GraphQLRouter[Any, Any], **options) as port:
            heard = results(told(port, "lively", user, accept))
            assert {"lively": 0} == next(heard)["data"]
            store.revoked = True
            *_, last = heard
        assert (None, ["UNAUTHENTICATED"]) == (last["data"], codes(last))

    def test_left_by_the_client(
        self, router: Any, store: Store, user: Payload, accept: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nobody is asked about any more, and nothing runs on."""
        monkeypatch.setattr(watch, "PERIOD", 0.02)
        ends.clear()
        with router(subscription_protocols=ALL) as port:
            heard = told(port, "extended", user, accept)
            assert {"extended": 1} == next(results(heard))["data"]
            heard.close()
            while not ends:
                time.sleep(0.01)
            asked = store.asked
            time.sleep(0.1)
            assert asked == store.asked

    def test_refused_from_the_beginning(self, router: Any, accept: str) -> None:
        """The one result tells it."""
        with router(subscription_protocols=ALL) as port:
            (only,) = results(told(port, "silent", {}, accept))
        assert ["UNAUTHENTICATED"] == codes(only)

    def test_that_end(self, router: Any, user: Payload, accept: str) -> None:
        """By themselves: nothing is added, and an error of their own stays theirs."""
        with router(subscription_protocols=ALL) as port:
            seen = [result["data"] for result in results(told(port, "short", user, accept))]
            assert [{"short": 1}, {"short": 2}] == seen
            seen = [result["data"] for result in results(told(port, "empty", user, accept))]
            assert [{"empty": None}, {"empty": 2}] == seen
            _, last = results(told(port, "failing", user, accept))
        assert "of its own" == last["errors"][0]["message"]

    def test_an_outage(
        self, router: Any, store: Store, user: Payload, accept: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is borne."""
        monkeypatch.setattr(watch, "PERIOD", 0.02)
        with router(subscription_protocols=ALL) as port:
            heard = results(told(port, "lively", user, accept))
            next(heard)
            store.failure = ag.RevocationUnavailable("down")
            asked = store.asked
            while store.asked < asked + 3:
                assert "errors" not in next(heard)
            store.failure, store.revoked = None, True
            *_, last = heard
        assert ["UNAUTHENTICATED"] == codes(last)


class TestWords:
    def test_of_a_refusal_in_a_resolver(self, router: Any, user: Payload) -> None:
        """Over a WebSocket it is worded like a guard's, too."""
        with router(extensions=[AuthGateExtension]) as port, connected(port) as client:
            client.begin(user)
            client.told("{ me }")
            client.hear()
            client.ask("{ boss }")
            (error,) = client.hear()["payload"]["errors"]
        assert "FORBIDDEN" == error["extensions"]["code"]
        assert "reasons" not in error["message"]
