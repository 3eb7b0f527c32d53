"""The breaker in stores of both colours: any order of requests, outages, late loops and probes (Law 5.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from redis.exceptions import ConnectionError as RedisConnectionError

from authgate_core.errors import RevocationUnavailable
from authgate_core.events import Notice
from authgate_core.io.redis import AsyncRedisStore, RedisStore
from authgate_core.io.redis.protocol import INFO, Query
from authgate_core.principal import ProjectRef
from authgate_core.revocation import RedisRevocation
from authgate_core.testing import ManualClock

SPEC = RedisRevocation("redis://127.0.0.1:1", layout="mercury")
ASKED = ProjectRef("shop", 1)
OPENS_AFTER, WITHIN = 5, 2.0
RESTS = (0.5, 1.0, 2.0)


class LoopOfTheTest(asyncio.SelectorEventLoop):
    """An event loop whose time a test moves."""

    now = 0.0

    def time(self) -> float:
        return self.now


class Server:
    """A Redis that answers or not, behind wires of both colours.

    Attributes:
        moods: How the next exchanges go, one each: ``answers``, ``fails``, or ``late`` where the loop was.
        rest: How all that follow go.
        asked: How often it was asked.
    """

    at_once = 4

    def __init__(self) -> None:
        self.moods: list[str] = []
        self.rest = "answers"
        self.asked = 0

    def exchange(self, query: Query, _until: float) -> Sequence[object]:
        return self.answered(query, self.next_mood())

    async def exchange_in_time(self, query: Query, _until: float) -> Sequence[object]:
        mood, loop = self.next_mood(), asyncio.get_running_loop()
        assert isinstance(loop, LoopOfTheTest)
        if mood == "late":
            loop.now += 0.2  # something blocked it, and nothing was called back
        for _ in range(3):
            loop.now += 0.01
            await asyncio.sleep(0)
        return self.answered(query, mood)

    def next_mood(self) -> str:
        self.asked += 1
        return self.moods.pop(0) if self.moods else self.rest

    def answered(self, query: Query, mood: str) -> Sequence[object]:
        if mood != "answers":
            raise RedisConnectionError("nothing in time")
        return [b"maxmemory_policy:noeviction"] if query == (INFO,) else [None]


class BreakerInAStore(RuleBasedStateMachine):
    """Asks a store and keeps a plain list of what must have come of it."""

    store: Any  # of either colour, with parts that the test has put in

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.server = Server()
        self.notices: list[Notice] = []
        self.probers = 0
        self.streak: list[float] = []
        self.due: Any = None  # when the next probe may start; None while it is closed
        self.failed_probes = 0
        self.opened = 0
        self.open()
        assert self.ask(), "the store is looked at once, before anything fails"

    # What is different between the colours.

    def open(self) -> None:
        self.store = RedisStore(SPEC, notice=self.notices.append, clock=self.clock)
        self.store._wire = self.server
        self.store._start_prober = self.prober_starts

    def run(self, called: Any) -> Any:
        return called

    @property
    def fuse(self) -> Any:
        return self.store._fuse

    def prober_starts(self, *_: object) -> None:
        self.probers += 1

    # What the world does.

    @rule(span=st.one_of(st.floats(0, 3), st.sampled_from([0.1, 0.5, 2.0])))
    def time_passes(self, span: float) -> None:
        self.clock.advance(span)

    @rule(mood=st.sampled_from(["answers", "fails"]))
    def server_changes(self, mood: str) -> None:
        self.server.rest = mood

    @rule(spans=st.lists(st.sampled_from([0.0, 0.1, 0.4, 0.5, 0.6]), min_size=4, max_size=7))
    def an_outage_begins(self, spans: list[float]) -> None:
        """Several failures, one soon after the other."""
        self.server.rest = "fails"
        for span in spans:
            self.a_request_comes()
            self.clock.advance(span)

    # What requests see.

    def ask(self) -> bool:
        try:
            return self.run(self.store.is_revoked(ASKED)) is False
        except RevocationUnavailable:
            return False

    @rule()
    def a_request_comes(self) -> None:
        before = self.server.asked
        answered, was_open = self.ask(), self.due is not None
        assert answered == (not was_open and self.server.rest == "answers")
        assert self.server.asked - before == (0 if was_open else 1), "while open nobody asks"
        if answered:
            self.streak = []
        elif not was_open:
            self.one_failure()

    def one_failure(self) -> None:
        now = self.clock.now().mono
        self.streak.append(now)
        if len(self.streak) >= OPENS_AFTER and now - self.streak[-OPENS_AFTER] <= WITHIN:
            self.due, self.failed_probes, self.streak = now + RESTS[0], 0, []
            self.opened += 1

    # What the one prober does.

    @precondition(lambda self: self.due is not None)
    @rule()
    def the_prober_wakes(self) -> None:
        is_due = self.clock.now().mono >= self.due
        assert self.fuse.start_probe() == is_due
        if not is_due:
            return
        assert not self.fuse.start_probe(), "exactly one probe"
        assert not self.ask(), "a probe is no request's, and lets none through"
        succeeded = self.run(self.probed())
        assert succeeded == (self.server.rest == "answers")
        self.fuse.end_probe(succeeded=succeeded)
        self.failed_probes += 1
        rest = RESTS[min(self.failed_probes, len(RESTS) - 1)]
        self.due = None if succeeded else self.clock.now().mono + rest

    def probed(self) -> Any:
        return self.store.probe()

    # What always holds.

    @invariant()
    def it_is_open_when_it_should_be(self) -> None:
        assert self.fuse.is_open == (self.due is not None)
        assert self.fuse.is_open == (self.store.health().status == "open")

    @invariant()
    def one_prober_for_each_opening(self) -> None:
        assert self.probers == self.opened

    @invariant()
    def the_operator_is_told(self) -> None:
        told = [notice.code for notice in self.notices]
        assert told.count("revocation_breaker_open") == self.opened
        assert told.count("revocation_breaker_closed") == self.opened - (self.due is not None)


class BreakerInAnAsyncStore(BreakerInAStore):
    """The same in an event loop, which may be late itself."""

    def open(self) -> None:
        self.loop = LoopOfTheTest()
        self.store = AsyncRedisStore(SPEC, notice=self.notices.append, clock=self.clock)
        self.server.exchange = self.server.exchange_in_time  # type: ignore[method-assign,assignment]  # the other colour
        self.server.aclose = self.nothing  # type: ignore[attr-defined]  # a wire has it
        self.store._new_wire = lambda: self.server
        here = self.run(self.store._here())
        here.start_prober = self.prober_starts
        self.here = here

    async def nothing(self) -> None:
        """Nothing is open."""

    def run(self, called: Any) -> Any:
        return self.loop.run_until_complete(called)

    @property
    def fuse(self) -> Any:
        return self.here.fuse

    def probed(self) -> Any:
        return self.store._answers(self.here)

    def teardown(self) -> None:
        self.run(self.store.aclose())
        self.run(self.loop.shutdown_asyncgens())
        self.loop.close()

    @precondition(lambda self: self.due is None)
    @rule(again=st.sampled_from(["late", "answers", "fails"]))
    def the_loop_is_late(self, again: str) -> None:
        """What was measured meanwhile does not count, and is tried once more."""
        self.server.moods = ["late", again]
        before = self.server.asked
        answered = self.ask()
        assert self.server.asked - before == 2
        assert answered == (again == "answers")
        if answered:
            self.streak = []
        elif again == "fails":
            self.one_failure()


BreakerInAStore.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
BreakerInAnAsyncStore.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestBreakerInAStore = BreakerInAStore.TestCase
TestBreakerInAnAsyncStore = BreakerInAnAsyncStore.TestCase


@pytest.mark.parametrize("late", [4, 5, 50])
def test_a_late_loop_never_opens_it(late: int) -> None:
    """Law 5.5: however often the loop is late, the store is not given up."""
    machine = BreakerInAnAsyncStore()
    for _ in range(late):
        machine.the_loop_is_late("late")
    machine.it_is_open_when_it_should_be()
    machine.teardown()
