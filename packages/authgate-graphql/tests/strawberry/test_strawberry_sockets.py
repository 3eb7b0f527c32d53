"""Subscriptions over real WebSockets, in FastAPI and in a plain ASGI application (Laws 2.2 and 5.13)."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest
import strawberry
from fastapi import FastAPI
from strawberry.asgi import GraphQL
from strawberry.fastapi import GraphQLRouter
from websockets.exceptions import InvalidStatus

import authgate_core as ag
import authgate_fastapi.sockets
from authgate_core.testing import FakeIssuer, ManualClock
from authgate_fastapi import AuthGate
from authgate_fastapi import requires as required
from authgate_graphql import asgi, watch
from authgate_graphql.strawberry import AuthGateExtension, Guard, requires, requires_jwt_auth
from tests.support.subscribing import connected, served

SECRET = "a-secret-of-more-than-thirty-two-characters"
PROJECT = {"x-app-id": "shop", "x-app-secret": SECRET}

Serve = Callable[[ag.AsyncGate], AbstractContextManager[int]]


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


closed: list[str] = []
visits: list[weakref.ref[object]] = []


async def _counting() -> AsyncIterator[int]:
    """One event, and a long wait for the next."""
    try:
        yield 1
        await asyncio.Event().wait()
    finally:
        closed.append("counting")


@strawberry.type
class Event:
    number: int
    secret: str = strawberry.field(permission_classes=[requires(ag.is_user)])


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "world"

    @strawberry.field(permission_classes=[requires(ag.is_user)])
    def me(self, info: strawberry.Info) -> str:
        visits.append(weakref.ref(info.context["request"]))
        return "you"

    @strawberry.field(permission_classes=[requires(ag.is_project)])
    def shop(self) -> str:
        return "open"

    @strawberry.field(permission_classes=[requires(ag.any_role("admin"))])
    def admin(self) -> str:
        return "boss"


@strawberry.type
class Subscription:
    @strawberry.subscription(permission_classes=[requires(ag.is_user)])
    async def permitted(self) -> AsyncIterator[int]:
        async for number in _counting():
            yield number

    @strawberry.subscription(extensions=[Guard(ag.is_user)])
    async def extended(self) -> AsyncIterator[int]:
        async for number in _counting():
            yield number

    @strawberry.subscription
    @requires_jwt_auth
    async def decorated(self, info: strawberry.Info) -> AsyncIterator[int]:
        async for number in _counting():
            yield number

    @strawberry.subscription(extensions=[Guard(ag.is_user, fail_silently=True)])
    async def hidden(self) -> AsyncIterator[int]:
        yield 1

    @strawberry.subscription(permission_classes=[requires(ag.any_role("admin"))])
    async def admins(self) -> AsyncIterator[int]:
        yield 1

    @strawberry.subscription
    async def events(self) -> AsyncIterator[Event]:
        yield Event(number=1, secret="s")
        await asyncio.Event().wait()

    @strawberry.subscription(permission_classes=[requires(ag.is_user)])
    async def busy(self) -> AsyncIterator[int]:
        while True:
            yield 1


def plain(gate: ag.AsyncGate) -> Any:
    """Strawberry's own ASGI application, which is told its gate."""
    schema = strawberry.Schema(
        Query, subscription=Subscription, extensions=[partial(AuthGateExtension, gate=gate)]
    )
    return GraphQL[Any, Any](schema)


def fastapi(gate: ag.AsyncGate) -> FastAPI:
    """A router of FastAPI, in an app that has the gate."""
    app = FastAPI()
    AuthGate(app, gate=gate)
    schema = strawberry.Schema(Query, subscription=Subscription)
    app.include_router(GraphQLRouter[Any, Any](schema), prefix="/graphql")
    return app


@pytest.fixture(name="clock", scope="module")
def _clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(name="issuer", scope="module")
def _issuer(clock: ManualClock) -> FakeIssuer:
    return FakeIssuer(audience="orders-api", url="https://id.example.com", clock=clock)


@pytest.fixture(name="store", scope="module")
def _store() -> Store:
    return Store()


@pytest.fixture(name="gate", scope="module")
def _gate(issuer: FakeIssuer, store: Store, clock: ManualClock) -> Iterator[ag.AsyncGate]:
    trusted = ag.Issuer.static(issuer.jwks(), issuer=issuer.url, audience=issuer.audience, leeway=30)
    projects = ag.StaticProjects({"shop": {"id": "p1", "name": "Shop", "secret": SECRET}})
    config = ag.GateConfig(issuers=[trusted], projects=projects, revocation=store)
    gate = ag.AsyncGate(config, clock=clock)
    yield gate
    asyncio.run(gate.aclose())


@pytest.fixture(name="port", scope="module", params=[fastapi, plain])
def _port(request: pytest.FixtureRequest, gate: ag.AsyncGate) -> Iterator[int]:
    with served(request.param(gate)) as port:
        yield port


@pytest.fixture(autouse=True)
def _anew(store: Store) -> None:
    store.asked, store.revoked, store.failure = 0, False, None


@pytest.fixture(name="hurried")
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look fifty times more often."""
    monkeypatch.setattr(authgate_fastapi.sockets, "_PERIOD", 0.02)
    monkeypatch.setattr(watch, "PERIOD", 0.02)


@pytest.fixture(name="user")
def _user(issuer: FakeIssuer) -> dict[str, str]:
    """What a user presents."""
    return {"Authorization": f"Bearer {issuer.token('u1')}"}


def looked(store: Store) -> None:
    """Wait until open sockets were looked at, from beginning to end."""
    asked = store.asked
    until(lambda: store.asked > asked + 2)


def until(condition: Callable[[], object]) -> None:
    """Wait for something to become true."""
    limit = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.005)


class TestCredentials:
    """Law 2.2: they come in one place, once."""

    def test_in_the_first_message(self, port: int, issuer: FakeIssuer) -> None:
        """Their names are spelled in any case, as those of headers."""
        with connected(port) as client:
            client.begin(
                {"authorization": f"bearer {issuer.token('u1')}", "X-App-Id": "shop", "x-APP-secret": SECRET}
            )
            assert {"me": "you"} == client.told("{ me }", "1")
            assert "complete" == client.hear()["type"]
            assert {"shop": "open"} == client.told("{ shop }", "2")

    def test_in_the_handshake(self, port: int, user: dict[str, str]) -> None:
        """Where the client can set headers."""
        with connected(port, headers=user) as client:
            client.begin()
            assert {"me": "you"} == client.told("{ me }")

    def test_in_a_subprotocol(self, port: int, issuer: FakeIssuer) -> None:
        """Where a browser cannot, and knows the token before."""
        with connected(port, f"authgate.bearer.{issuer.token('u1')}") as client:
            assert "graphql-transport-ws" == client.opened.subprotocol
            client.begin({})
            assert {"me": "you"} == client.told("{ me }")

    def test_in_two_places(self, port: int, issuer: FakeIssuer, user: dict[str, str]) -> None:
        """Two of one kind are malformed, were they the same; of two kinds each has its place."""
        with connected(port, headers=user) as client:
            client.begin(user)
            assert "BAD_CREDENTIALS" == client.told("{ me }")
        with connected(port, f"authgate.bearer.{issuer.token('u1')}") as client:
            client.begin(user)
            assert "BAD_CREDENTIALS" == client.told("{ me }")
        with connected(port, headers=PROJECT) as client:
            client.begin(user)
            assert {"me": "you", "shop": "open"} == client.told("{ me shop }")

    @pytest.mark.parametrize(
        ("payload", "code"),
        [
            ({"headers": {"Authorization": "Bearer x"}}, "UNAUTHENTICATED"),
            ({"token": "x", "url": "?access_token=x"}, "UNAUTHENTICATED"),
            ({"Authorization": ["Bearer x"]}, "BAD_CREDENTIALS"),
            ({"Authorization": "Bearer x", "AUTHORIZATION": "Bearer x"}, "BAD_CREDENTIALS"),
            ({"Authorization": "Bearer x"}, "UNAUTHENTICATED"),
        ],
    )
    def test_elsewhere(self, port: int, payload: dict[str, Any], code: str) -> None:
        """What is nested or has another name is not presented; what is no text, or is there twice, is malformed."""
        with connected(port) as client:
            client.begin(payload)
            assert code == client.told("{ me }")

    def test_a_guard_of_the_route(self, gate: ag.AsyncGate, user: dict[str, str]) -> None:
        """Law 1.9: it refuses the handshake, by what the handshake holds."""
        app = FastAPI()
        AuthGate(app, gate=gate)
        router = GraphQLRouter[Any, Any](strawberry.Schema(Query), prefix="/graphql")
        app.include_router(router, dependencies=[required(ag.is_user)])
        with served(app) as port:
            with connected(port, headers=user) as client:
                client.begin()
                assert {"me": "you"} == client.told("{ me }")
            with pytest.raises(InvalidStatus) as refused, connected(port):
                pass
        assert 401 == refused.value.response.status_code
        assert "Bearer" in refused.value.response.headers["WWW-Authenticate"]


class TestGuards:
    @pytest.mark.parametrize("field", ["permitted", "extended", "decorated"])
    def test_of_every_kind(self, port: int, user: dict[str, str], field: str) -> None:
        """Each lets a user in, and refuses others before the first event."""
        with connected(port) as client:
            client.begin(user)
            assert {field: 1} == client.told(f"subscription {{ {field} }}")
        with connected(port) as client:
            client.begin()
            assert "UNAUTHENTICATED" == client.told(f"subscription {{ {field} }}")

    def test_that_hide(self, port: int, user: dict[str, str]) -> None:
        """Who may not see the events sees none."""
        with connected(port) as client:
            client.begin()
            client.ask("subscription { hidden }")
            assert {"type": "complete", "id": "1"} == client.hear()
        with connected(port) as client:
            client.begin(user)
            assert {"hidden": 1} == client.told("subscription { hidden }")

    def test_of_different_policies(self, port: int, user: dict[str, str]) -> None:
        """One refused subscription is told so and ends; those beside it go on."""
        with connected(port) as client:
            client.begin(user)
            assert {"permitted": 1} == client.told("subscription { permitted }", "1")
            client.ask("subscription { admins }", "2")
            refused = client.hear()
            assert ("error", "2") == (refused["type"], refused["id"])
            assert {"code": "FORBIDDEN", "missing": [], "http": {"status": 403}} == refused["payload"][0][
                "extensions"
            ]
            assert {"decorated": 1} == client.told("subscription { decorated }", "3")
            client.say(type="ping")
            assert {"type": "pong"} == client.hear()

    def test_of_fields_of_an_event(self, port: int, user: dict[str, str]) -> None:
        """They are held against their own policy, whoever may have the events."""
        with connected(port) as client:
            client.begin(user)
            assert {"events": {"secret": "s"}} == client.told("subscription { events { secret } }")
        with connected(port) as client:
            client.begin()
            assert "UNAUTHENTICATED" == client.told("subscription { events { secret } }")


class TestRevoked:
    """Law 5.13: nobody stays whom the gate would not let in any more."""

    def test_within_two_seconds(
        self, port: int, issuer: FakeIssuer, user: dict[str, str], store: Store
    ) -> None:
        """In real time; the subscription's generator is ended as well."""
        with connected(port) as client:
            client.begin(user)
            assert {"permitted": 1} == client.told("subscription { permitted }")
            closed.clear()
            store.revoked = True
            began = time.monotonic()
            assert (4401, "token_invalid") == client.closed()
            assert time.monotonic() - began < 2
            until(lambda: closed)

    def test_who_was_admitted_by_a_field_of_an_event(
        self, port: int, user: dict[str, str], store: Store, hurried: None
    ) -> None:
        """Any guard that let somebody in is asked again, that of a query like that of a subscription."""
        for operation in ("subscription { events { secret } }", "{ me }"):
            store.revoked = False
            with connected(port) as client:
                client.begin(user)
                client.told(operation)
                store.revoked = True
                assert (4401, "token_invalid") == client.closed()

    def test_only_who_was(self, port: int, user: dict[str, str], store: Store, hurried: None) -> None:
        """Others stay, and so do those who presented nothing."""
        with connected(port) as stranger, connected(port) as client:
            stranger.begin()
            assert {"hello": "world"} == stranger.told("{ hello }")
            client.begin(user)
            client.told("{ me }")
            store.revoked = True
            assert 4401 == client.closed()[0]
            assert "complete" == stranger.hear()["type"]
            assert {"hello": "world"} == stranger.told("{ hello }")

    def test_during_events_without_end(
        self,
        port: int,
        user: dict[str, str],
        store: Store,
        hurried: None,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """A generator that never waits does not keep others from running, nor is its end logged as an error."""
        with connected(port) as client:
            client.begin(user)
            assert {"busy": 1} == client.told("subscription { busy }")
            store.revoked = True
            assert (4401, "token_invalid") == client.closed()
        time.sleep(0.1)
        gc.collect()
        assert [] == [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]

    def test_expired(
        self, port: int, issuer: FakeIssuer, clock: ManualClock, store: Store, hurried: None
    ) -> None:
        """It is open to the end of the leeway, and no longer."""
        with connected(port) as client:
            client.begin({"Authorization": f"Bearer {issuer.token('u1', expires_in=60)}"})
            assert {"permitted": 1} == client.told("subscription { permitted }")
            clock.advance(89)
            looked(store)
            client.say(type="ping")
            assert {"type": "pong"} == client.hear()
            clock.advance(1)
            assert (4401, "token_expired") == client.closed()

    def test_an_outage(
        self, port: int, user: dict[str, str], clock: ManualClock, store: Store, hurried: None
    ) -> None:
        """It is borne for a minute."""
        with connected(port) as client:
            client.begin(user)
            assert {"permitted": 1} == client.told("subscription { permitted }")
            store.failure = ag.RevocationUnavailable("down")
            looked(store)
            clock.advance(59)
            looked(store)
            client.say(type="ping")
            assert {"type": "pong"} == client.hear()
            clock.advance(1)
            assert (1013, "unavailable") == client.closed()

    def test_a_bug(
        self, port: int, user: dict[str, str], store: Store, hurried: None, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Law 1.3: it is no verdict; the socket is closed, and the bug is told."""
        with connected(port) as client:
            client.begin(user)
            assert {"permitted": 1} == client.told("subscription { permitted }")
            store.failure = ZeroDivisionError("a bug")
            assert (1011, "") == client.closed()
        until(
            lambda: any(
                record.exc_info and record.exc_info[0] is ZeroDivisionError for record in caplog.records
            )
        )


class TestOperations:
    """A socket that is open for long answers from no old verdict."""

    @pytest.fixture(autouse=True)
    def _impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(asgi, "_HOLDS", 0.05)

    def test_after_an_outage(self, port: int, user: dict[str, str], store: Store) -> None:
        """What could not be checked once is checked again."""
        with connected(port) as client:
            client.begin(user)
            store.failure = ag.RevocationUnavailable("down")
            assert "AUTH_UNAVAILABLE" == client.told("{ me }", "1")
            assert "complete" == client.hear()["type"]
            store.failure = None
            time.sleep(0.06)
            assert {"me": "you"} == client.told("{ me }", "2")

    def test_of_who_was_known_and_not_admitted(self, port: int, user: dict[str, str], store: Store) -> None:
        """A user who was refused for want of a role is nobody whom a later guard may take for known."""
        with connected(port) as client:
            client.begin(user)
            assert "FORBIDDEN" == client.told("{ admin }", "1")
            assert "complete" == client.hear()["type"]
            store.revoked = True
            time.sleep(0.06)
            assert "UNAUTHENTICATED" == client.told("{ me }", "2")

    def test_share_one_authentication(self, port: int, user: dict[str, str], store: Store) -> None:
        """Law 2.6: those of one moment do."""
        with connected(port) as client:
            client.begin(user)
            for number in range(3):
                assert {"me": "you"} == client.told("{ me }", str(number))
                assert "complete" == client.hear()["type"]
            assert 1 == store.asked


class TestWatching:
    def test_ends_with_the_socket(self, port: int, user: dict[str, str], store: Store, hurried: None) -> None:
        """Nobody is asked about any more, and nothing is kept."""
        visits.clear()
        with connected(port) as client:
            client.begin(user)
            client.told("{ me }")
            looked(store)
        time.sleep(0.1)
        asked = store.asked
        time.sleep(0.1)
        assert asked == store.asked
        gc.collect()
        assert [None] == [held() for held in visits]

    def test_ends_with_the_server(
        self, gate: ag.AsyncGate, user: dict[str, str], hurried: None, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It keeps no server from stopping, and says nothing."""
        for app in (plain(gate), fastapi(gate)):
            with served(app) as port:
                opened = connected(port)
                client = opened.__enter__()
                client.begin(user)
                assert {"permitted": 1} == client.told("subscription { permitted }")
            assert 1012 == client.closed()[0]
            opened.__exit__(None, None, None)
        assert [] == [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
