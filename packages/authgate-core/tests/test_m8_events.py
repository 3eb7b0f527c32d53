"""What an m8 publishes on a real Valkey, in both colours: who was deleted is refused, and handlers are told."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import pytest
from pydantic import BaseModel
from redis.exceptions import InvalidResponse

import authgate_core as ag
from authgate_core.events import Notice
from authgate_core.io.redis.ear import Ear
from authgate_core.io.redis.handles import Connection
from authgate_core.m8 import AsyncEventSubscription, EventSubscription, UserDeleted
from authgate_core.testing import FakeIssuer

ADA = "7a1c0d6e-2f57-4b5b-9c4e-0123456789ab"
BOB = "0b6f6c1e-2f57-4b5b-9c4e-111111111111"
DELETED = "user.deleted"
PATIENCE = 20.0


@dataclass(frozen=True)
class Moved:
    """An event of a test's own."""

    event_type: str
    place: str


class Paid(BaseModel):
    """Another one."""

    amount: int


def deleted(user_id: str = ADA, **more: object) -> str:
    """What an m8 publishes."""
    return json.dumps({"event_type": DELETED, "version": "v1", "user_id": user_id, **more})


def until(true: Callable[[], object]) -> None:
    """Wait for what happens on another thread."""
    patience = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < patience, "it did not happen"
        time.sleep(0.01)


def reached(world: World, count: int) -> bool:
    """Whether so many events were handled."""
    return len(world.handled) == count


class World:
    """A gate and a subscription of one colour, with what was told and handled; an async one has a loop on a thread.

    Args:
        colour: ``sync`` or ``async``.
        url: Where the m8 publishes, and the gate keeps its own revocations unless told otherwise.
        options: ``issuers``, ``revocation`` and ``issuer`` replace what a test would have.
    """

    def __init__(self, colour: str, url: str, **options: Any) -> None:
        self.colour = colour
        self.fake = FakeIssuer(url="https://users.example.com", algorithm="ES256")
        self.notices: list[Notice] = []
        self.handled: list[object] = []
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        trusted = ag.Issuer.m8(
            self.fake.jwks(), issuer=self.fake.url, audience=self.fake.audience, namespace="m8:"
        )
        given = {"issuers": [trusted], "revocation": ag.RedisRevocation(url), **options}
        issuer = given.pop("issuer", None)
        config = ag.GateConfig(on_event=self._heard, **given)
        self.gate: Any = ag.Gate(config) if colour == "sync" else ag.AsyncGate(config)
        kind: Any = EventSubscription if colour == "sync" else AsyncEventSubscription
        try:
            self.events = kind(self.gate, url, issuer=issuer)
        except BaseException:
            self._end_loop()
            raise

    def _heard(self, event: object) -> None:
        if isinstance(event, Notice):
            self.notices.append(event)

    @property
    def codes(self) -> list[str]:
        """The codes of the notices."""
        return [notice.code for notice in self.notices]

    def run(self, answer: Any) -> Any:
        """What a call of either colour comes to."""
        if not asyncio.iscoroutine(answer):
            return answer
        return asyncio.run_coroutine_threadsafe(answer, self.loop).result(PATIENCE)

    def handler(self, act: Callable[[Any], object]) -> Callable[[Any], Any]:
        """A handler of the colour that does this with each event."""
        if self.colour == "sync":

            def plain(event: Any) -> None:
                act(event)

            return plain

        async def later(event: Any) -> None:
            await asyncio.sleep(0)
            act(event)

        return later

    def keeps(self, channel: str = DELETED, kind: type = UserDeleted) -> None:
        """Have what is heard of a channel kept in ``handled``."""
        self.events.on(channel, kind, self.handler(self.handled.append))

    def start(self) -> None:
        self.run(self.events.start())

    def stop(self) -> None:
        self.run(self.events.close() if self.colour == "sync" else self.events.aclose())

    def token(self, user_id: str = ADA) -> str:
        """A token of an hour ago, as cut-offs are of whole seconds."""
        now = time.time()
        claims: dict[str, Any] = {"type": "access", "email": "a@b.c", "iat": now - 60, "exp": now + 600}
        return self.fake.token(user_id, headers={"typ": "JWT"}, **claims)

    def code(self, token: str) -> str:
        """What becomes of a token."""
        try:
            self.run(self.gate.verify_token(token))
        except ag.AuthgateError as error:
            return error.code
        return "ok"

    def close(self) -> None:
        self.stop()
        self.run(self.gate.close() if self.colour == "sync" else self.gate.aclose())
        self._end_loop()

    def _end_loop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    """Both colours."""
    return str(request.param)


@pytest.fixture
def make(colour: str, own_valkey: Any) -> Iterator[Callable[..., World]]:
    """Makes worlds on one server."""
    made: list[World] = []

    def new(**options: Any) -> World:
        made.append(World(colour, options.pop("url", own_valkey.url), **options))
        return made[-1]

    yield new
    for world in made:
        world.close()


@pytest.fixture
def client(own_valkey: Any) -> Any:
    """m8's own way to the server."""
    return own_valkey.client()


class TestDeletion:
    def test_who_was_deleted_is_refused(self, make: Callable[..., World], client: Any) -> None:
        """From the next request on, and nobody else is; a handler knows of it only afterwards."""
        world = make()
        seen: list[str] = []
        ada, bob = world.token(), world.token(BOB)
        store = client

        def look(event: UserDeleted) -> None:
            seen.append(f"{event.user_id} {len(store.keys('authgate:{*'))}")

        world.events.on(DELETED, UserDeleted, world.handler(look))
        world.start()
        assert "ok" == world.code(ada)
        assert 1 == client.publish(DELETED, deleted())
        until(lambda: seen)
        assert [f"{ADA} 1"] == seen
        assert ("token_revoked", "ok") == (world.code(ada), world.code(bob))
        assert [] == world.codes

    def test_without_a_handler(self, make: Callable[..., World], client: Any) -> None:
        """It is the gate's own business as well."""
        world = make()
        world.start()
        ada = world.token()
        client.publish(DELETED, deleted())
        until(lambda: world.code(ada) == "token_revoked")

    def test_in_capitals(self, make: Callable[..., World], client: Any) -> None:
        """Ids of users have one spelling in tokens, so they have it here."""
        world = make()
        world.keeps()
        world.start()
        ada = world.token()
        client.publish(DELETED, deleted(ADA.upper()))
        until(lambda: world.handled)
        assert [UserDeleted(ADA)] == world.handled
        assert "token_revoked" == world.code(ada)

    @pytest.mark.parametrize(
        "published",
        [
            "",
            "null",
            "[]",
            "{",
            "{}",
            deleted("ada"),
            deleted(cast("str", 7)),
            deleted(cast("str", None)),
            deleted(version="v2"),
            deleted(event_type="user.created"),
            '{"user_id": "' + ADA + '", "user_id": "' + BOB + '"}',
            b"\xff\xfe",
            " " * 70_000 + deleted(),
            "[" * 100_000,
        ],
        ids=[
            *("nothing", "null", "list", "cut off", "no id", "no UUID", "number", "null id", "version"),
            *("kind", "twice", "no text", "large", "deep"),
        ],
    )
    def test_what_is_no_deletion(
        self, make: Callable[..., World], client: Any, published: str | bytes
    ) -> None:
        """It is told to an operator, repeats nothing, and the next one is heard."""
        world = make()
        world.keeps()
        world.start()
        client.publish(DELETED, published)
        client.publish(DELETED, deleted(BOB))
        until(lambda: world.handled)
        assert ([UserDeleted(BOB)], 1) == (world.handled, world.codes.count("event_unreadable"))
        assert not any(ADA in notice.text for notice in world.notices)

    def test_a_store_that_is_down(self, make: Callable[..., World], start_valkey: Any, client: Any) -> None:
        """Law 5.6: it is written once that is possible, handlers wait for it, and an operator is told once."""
        other = start_valkey()
        world = make(revocation=ag.RedisRevocation(other.url))
        world.keeps()
        world.start()
        ada = world.token()
        other.stop()
        client.publish(DELETED, deleted())
        until(lambda: world.codes.count("event_revocation_waits"))
        time.sleep(0.5)
        assert [] == world.handled
        other.start()
        until(lambda: world.handled)
        assert "token_revoked" == world.code(ada)
        assert 1 == world.codes.count("event_revocation_waits")

    def test_stopped_while_the_store_is_down(
        self, make: Callable[..., World], start_valkey: Any, client: Any
    ) -> None:
        """Law 9.5: nobody waits for what is not wanted any more."""
        other = start_valkey()
        world = make(revocation=ag.RedisRevocation(other.url))
        world.keeps()
        world.start()
        other.stop()
        client.publish(DELETED, deleted())
        until(lambda: "event_revocation_waits" in world.codes)
        world.stop()
        until(lambda: not [one for one in threading.enumerate() if one.name == "authgate-events"])
        assert [] == world.handled

    def test_a_log_of_ones_own_that_fails(self, colour: str, own_valkey: Any, client: Any) -> None:
        """Law 1.3: its bug is told, and the subscription goes on."""

        class Log:
            def is_revoked(self, _ref: object) -> bool:
                return False

            def revoke(self, _entry: object) -> None:
                raise LookupError("no table")

        class AsyncLog:
            async def is_revoked(self, _ref: object) -> bool:
                return False

            async def revoke(self, _entry: object) -> None:
                raise LookupError("no table")

        world = World(colour, own_valkey.url, revocation=Log() if colour == "sync" else AsyncLog())
        world.keeps()
        world.start()
        for user in (ADA, BOB):
            client.publish(DELETED, deleted(user))
        until(lambda: len(world.handled) == 2)
        assert ["event_handler_failed"] * 2 == world.codes
        assert "revoke_before raised LookupError" in world.notices[0].text
        world.close()


class TestHandlers:
    def test_each_is_given_its_own(self, make: Callable[..., World], client: Any) -> None:
        """What is published on one channel is never given to who takes another, and comes in order."""
        world = make()
        world.keeps("user.moved", Moved)
        world.keeps("user.paid", Paid)
        world.keeps()
        world.start()
        client.publish("user.paid", '{"amount": 7}')
        client.publish("user.moved", '{"event_type": "user.moved", "place": "here"}')
        client.publish(DELETED, deleted())
        client.publish("user.other", "{}")
        client.publish("user.paid", '{"amount": 8}')
        until(lambda: len(world.handled) == 4)
        assert [
            Paid(amount=7),
            Moved("user.moved", "here"),
            UserDeleted(ADA),
            Paid(amount=8),
        ] == world.handled
        assert [] == world.codes

    def test_several_of_one_channel(self, make: Callable[..., World], client: Any) -> None:
        """In the order given; one that takes another kind says nothing to the others."""
        world = make()
        world.keeps("user.paid", Paid)
        world.keeps("user.paid", Moved)
        world.keeps("user.paid", Paid)
        world.start()
        client.publish("user.paid", '{"amount": 7}')
        until(lambda: len(world.handled) == 2)
        assert [Paid(amount=7)] * 2 == world.handled
        assert ["event_unreadable"] == world.codes

    @pytest.mark.parametrize("error", [RuntimeError("secret"), SystemExit(1), TimeoutError()], ids=repr)
    def test_one_that_raises(
        self,
        make: Callable[..., World],
        client: Any,
        error: BaseException,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """It is reported with where it was raised, the next is called, and the next event is heard."""
        world = make()

        def fail(_event: object) -> None:
            raise error

        world.events.on(DELETED, UserDeleted, world.handler(fail))
        world.keeps()
        world.start()
        with caplog.at_level(logging.ERROR, "authgate"):
            for user in (ADA, BOB):
                client.publish(DELETED, deleted(user))
            until(lambda: len(world.handled) == 2)
        assert ["event_handler_failed"] * 2 == world.codes
        assert f"raised {type(error).__name__} at an event of user.deleted" in world.notices[0].text
        assert {type(error)} == {record.exc_info[0] for record in caplog.records if record.exc_info}

    def test_one_that_is_slow(self, make: Callable[..., World], client: Any) -> None:
        """What is published meanwhile waits its turn."""
        world = make()
        world.events.on("slow", Paid, world.handler(lambda _event: time.sleep(0.3)))
        world.keeps()
        world.start()
        client.publish("slow", '{"amount": 1}')
        for user in (ADA, BOB):
            client.publish(DELETED, deleted(user))
        until(lambda: len(world.handled) == 2)
        assert [UserDeleted(ADA), UserDeleted(BOB)] == world.handled

    @pytest.mark.parametrize("kind", [dict, 7, None, Moved("a", "b")], ids=repr)
    def test_a_kind_that_is_none(self, make: Callable[..., World], kind: Any) -> None:
        """Law 1.6: what cannot be validated is not taken."""
        world = make()
        with pytest.raises(ag.ConfigurationError, match="dataclass or a pydantic model"):
            world.events.on(DELETED, kind, world.handler(print))

    def test_one_of_the_other_colour(self, make: Callable[..., World], colour: str) -> None:
        """Law 9.4: it would not be awaited, or could not be."""
        world = make()

        async def later(_event: object) -> None:
            """Never called."""

        for handler in (print if colour == "async" else later, None):
            with pytest.raises(ag.ConfigurationError, match="give a handler that is written with"):
                world.events.on(DELETED, UserDeleted, handler)

    def test_one_that_comes_late(self, make: Callable[..., World]) -> None:
        """The channels are said to the server at the start."""
        world = make()
        world.start()
        with pytest.raises(ag.ConfigurationError, match="before the subscription is started"):
            world.keeps()


class TestConnection:
    def test_a_server_that_is_stopped_and_started(self, make: Callable[..., World], own_valkey: Any) -> None:
        """It connects anew by itself, as often as needed, and tells when what was published is lost."""
        world = make(revocation=ag.MemoryRevocation())
        world.keeps()
        world.start()
        for turn in range(1, 3):
            own_valkey.stop()
            until(lambda: not world.events.hears)
            own_valkey.start()
            until(lambda: world.events.hears)
            own_valkey.client().publish(DELETED, deleted())
            until(partial(reached, world, turn))
        assert ["events_lost", "events_back"] * 2 == [code for code in world.codes if "memory" not in code]
        lost = next(notice for notice in world.notices if notice.code == "events_lost")
        assert ("m8", True) == (lost.subject, lost.alarm)

    def test_a_server_that_is_down_at_the_start(self, make: Callable[..., World], own_valkey: Any) -> None:
        """Law 4.12: the application starts, and hears once it can."""
        world = make(revocation=ag.MemoryRevocation())
        world.keeps()
        own_valkey.stop()
        world.start()
        assert world.events.hears is False
        own_valkey.start()
        until(lambda: world.events.hears)
        own_valkey.client().publish(DELETED, deleted())
        until(lambda: world.handled)

    def test_a_server_that_hangs(self, make: Callable[..., World], own_valkey: Any) -> None:
        """Silence is asked about, and no answer is the end of a connection."""
        world = make(revocation=ag.MemoryRevocation())
        world.keeps()
        world.start()
        own_valkey.freeze()
        until(lambda: "events_lost" in world.codes)
        own_valkey.thaw()
        until(lambda: world.events.hears)
        own_valkey.client().publish(DELETED, deleted())
        until(lambda: world.handled)

    def test_silence_is_no_failure(self, make: Callable[..., World], client: Any) -> None:
        """A quiet channel is asked about, and goes on on the same connection."""
        world = make()
        world.keeps()
        world.start()
        time.sleep(1.6)
        client.publish(DELETED, deleted())
        until(lambda: world.handled)
        assert [] == world.codes
        assert 1 == client.info("commandstats")["cmdstat_subscribe"]["calls"]
        assert 1 <= client.info("commandstats")["cmdstat_ping"]["calls"]

    def test_a_user_who_may_not_listen(
        self, make: Callable[..., World], own_valkey: Any, client: Any
    ) -> None:
        """What the server says is told."""
        client.execute_command("ACL", "SETUSER", "r", "on", ">pw", "~*", "&other", "+@all")
        world = make(url=f"redis://r:pw@127.0.0.1:{own_valkey.port}", revocation=ag.MemoryRevocation())
        world.start()
        (lost,) = [notice for notice in world.notices if notice.code == "events_lost"]
        assert "permissions" in lost.text
        assert world.events.hears is False

    @pytest.mark.parametrize("reply", [[b"message", b"user.deleted", b"{}"], [b"pong"], 7, None], ids=repr)
    def test_a_server_that_answers_something_else(self, reply: object) -> None:
        """What is no subscription is no ear, and what is said to nobody who listens ends one."""

        class Odd:
            def read_response(self, *, disconnect_on_error: bool) -> object:
                assert disconnect_on_error is False
                return reply

            def pack_commands(self, commands: object) -> object:
                return commands

            def ignore(self, *_given: object, **_named: object) -> None:
                """Connect, send and wait as long as one likes."""

            allow = connect = send_packed_command = disconnect = ignore

        ear = Ear(cast("Connection", Odd()), ["user.deleted"])
        with pytest.raises(InvalidResponse, match="something else"):
            ear.open()

    def test_it_ends(self, make: Callable[..., World], client: Any) -> None:
        """Nothing is delivered after it was closed, nobody is connected, and it can be started again."""
        world = make()
        world.keeps()
        for turn in range(1, 3):
            world.start()
            world.start()
            assert 1 == client.publish(DELETED, deleted())
            until(partial(reached, world, turn))
            world.stop()
            until(lambda: not client.pubsub_numsub(DELETED)[0][1])
            assert world.events.hears is False

    def test_as_a_context(self, make: Callable[..., World], client: Any) -> None:
        """It begins and ends with a block."""
        world = make()
        world.keeps()
        if world.colour == "sync":
            with world.events:
                client.publish(DELETED, deleted())
                until(lambda: world.handled)
        else:

            async def within() -> None:
                async with world.events:
                    client.publish(DELETED, deleted())
                    await asyncio.to_thread(until, lambda: world.handled)

            world.run(within())
        assert world.events.hears is False

    def test_after_a_fork(self, own_valkey: Any, client: Any) -> None:
        """Law 9.5: a child hears nothing until it is started there, and its end is not the parent's."""
        world = World("sync", own_valkey.url)
        world.keeps()
        world.start()
        child = os.fork()
        if not child:
            heard_at_first = world.events.hears
            world.events.start()
            client.publish(DELETED, deleted(BOB))
            until(lambda: world.handled)
            world.events.close()
            os._exit(10 + heard_at_first)
        assert 10 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        until(lambda: world.handled == [UserDeleted(BOB)])
        client.publish(DELETED, deleted())
        until(lambda: len(world.handled) == 2)
        assert [] == world.codes
        world.close()

    def test_a_loop_that_is_gone(self, own_valkey: Any, client: Any) -> None:
        """Law 9.5: nobody could handle anything, so the thread ends."""
        world = World("async", own_valkey.url)
        world.keeps()
        world.start()
        world.run(world.gate.aclose())
        world._end_loop()
        client.publish(DELETED, deleted())
        until(lambda: not client.pubsub_numsub(DELETED)[0][1])
        assert [] == world.handled


class TestConfiguration:
    def test_a_gate_that_takes_no_entries(self, make: Callable[..., World], own_valkey: Any) -> None:
        """Law 1.6: beside the blacklist, which is only read, there has to be a store of our own."""
        blacklist = ag.RedisRevocation(own_valkey.url, layout="m8")
        for revocation in cast("tuple[Any, ...]", (blacklist, None, [])):
            with pytest.raises(ag.ConfigurationError, match="give it a second one beside the blacklist"):
                make(revocation=revocation)
        assert make(revocation=[blacklist, ag.RedisRevocation(own_valkey.url)]).events

    def test_which_issuer(self, make: Callable[..., World]) -> None:
        """Ids are an issuer's own, so it has to be known whose were deleted."""
        other = FakeIssuer(url="https://id.example.com")
        plain = ag.Issuer.static(other.jwks(), issuer=other.url, audience="a", name="id", namespace="id:")
        fake = FakeIssuer(url="https://users.example.com", algorithm="ES256")
        ours = ag.Issuer.m8(fake.jwks(), issuer=fake.url, audience="a", namespace="m8:")
        for issuer in (None, "ours"):
            with pytest.raises(ag.ConfigurationError, match="issuer: name the one whose users are deleted"):
                make(issuers=[plain, ours], issuer=issuer)
        world = make(issuers=[plain, ours], issuer="m8")
        assert "issuer='m8'" in repr(world.events)

    @pytest.mark.parametrize("url", ["http://h", 7, None, "redis://"])
    def test_a_server(self, colour: str, url: Any) -> None:
        """What is published is heard on a connection of its own, so it needs the URL."""
        with pytest.raises(ag.ConfigurationError, match=r"URL|Redis"):
            World(colour, url, revocation=ag.MemoryRevocation())

    def test_shown_masked(self, make: Callable[..., World]) -> None:
        """Law 2.5: not with the password of the server."""
        world = make(url="redis://ada:hunter2@127.0.0.1:1", revocation=ag.MemoryRevocation())
        assert "hunter2" not in repr(world.events)
