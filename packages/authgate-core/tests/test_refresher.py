"""Refreshes on real threads against a real issuer on loopback (Laws 4.1, 4.10, 4.11, 4.12, 9.5)."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from authgate_core.clock import Clock, Instant, SystemClock
from authgate_core.effects import AwaitKeys, RingName
from authgate_core.errors import UnknownKey
from authgate_core.events import Notice
from authgate_core.io.http import SafeHttp
from authgate_core.jose.keys import KeySet
from authgate_core.keyring import KeyRing, KeySource, Refuse, Unavailable, Use
from authgate_core.request import HttpReply, HttpRequest
from authgate_core.runner.refresher import KeyRefresher
from authgate_core.testing import FakeIssuer, ManualClock
from authgate_core.testing.issuer import DISCOVERY_PATH, JWKS_PATH

NAME: Final = RingName("main")
COLD: Final = AwaitKeys(NAME, 5.0)
UNKNOWN: Final = AwaitKeys(NAME, 5.0, unknown_kid=True)
RS256: Final = frozenset({"RS256"})


class House:
    """A refresher with one ring for an issuer, and what it told the operator."""

    def __init__(self, issuer: FakeIssuer, clock: Clock, source: KeySource | None = None) -> None:
        self.issuer = issuer
        self.clock = clock
        self.notices: list[Notice] = []
        self.told = threading.Semaphore(0)
        self.refresher = KeyRefresher(SafeHttp(), clock, notice=self.hear, random=lambda: 1.0)
        self.ring = self.add(NAME, source or KeySource(algorithms=RS256, jwks_url=issuer.jwks_url))

    def hear(self, notice: Notice) -> None:
        self.notices.append(notice)
        self.told.release()

    def add(self, name: RingName, source: KeySource) -> KeyRing:
        ring = KeyRing(name)
        self.refresher.add(ring, source)
        return ring

    def refresh(self, *, unknown_kid: bool = False) -> None:
        """One refresh, to its end."""
        outcome = self.refresher.start(NAME, unknown_kid=unknown_kid)
        assert outcome is not None, "no refresh may start"
        outcome.result(10)

    def answers(self, kid: str | None = None) -> bool:
        """Whether the ring has a key for a token of the issuer."""
        return isinstance(self.ring.settle(kid or self.issuer.kid, "RS256", self.clock.now()), Use)


@pytest.fixture(name="issuer")
def _issuer() -> Iterator[FakeIssuer]:
    with FakeIssuer() as issuer:
        yield issuer


@pytest.fixture(name="clock")
def _clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(name="house")
def _house(issuer: FakeIssuer) -> House:
    return House(issuer, SystemClock())


@pytest.fixture(name="still")
def _still(issuer: FakeIssuer, clock: ManualClock) -> House:
    """A house in which no time passes."""
    return House(issuer, clock)


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for another thread, up to ten seconds."""
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.005)


class TestOneRefresh:
    def test_a_cold_herd_of_threads_causes_one_fetch(self, house: House) -> None:
        """Law 4.1: waiters share it."""
        house.issuer.slow(0.1)
        barrier = threading.Barrier(50)

        def arrive(_: int) -> bool:
            barrier.wait()
            house.refresher.wait(COLD)
            return house.answers()

        with ThreadPoolExecutor(50) as pool:
            assert [True] * 50 == list(pool.map(arrive, range(50)))
        assert {JWKS_PATH: 1} == dict(house.issuer.hits)

    def test_two_loops_and_threads_share_one_fetch(self, house: House) -> None:
        """Law 4.11."""
        house.issuer.slow(0.2)

        async def tasks() -> list[bool]:
            await asyncio.gather(*(house.refresher.wait_async(COLD) for _ in range(200)))
            return [house.answers()]

        def thread() -> list[bool]:
            house.refresher.wait(COLD)
            return [house.answers()]

        with ThreadPoolExecutor(52) as pool:
            jobs = [pool.submit(asyncio.run, tasks()) for _ in range(2)]
            jobs += [pool.submit(thread) for _ in range(50)]
            assert [[True]] * 52 == [job.result() for job in jobs]
        assert {JWKS_PATH: 1} == dict(house.issuer.hits)

    def test_a_cancelled_waiter_cancels_nothing_but_itself(self, house: House) -> None:
        """Law 4.1."""
        house.issuer.slow(0.2)

        async def scene() -> bool:
            first = asyncio.create_task(house.refresher.wait_async(COLD))
            second = asyncio.create_task(house.refresher.wait_async(COLD))
            await asyncio.sleep(0.05)
            first.cancel()
            await second
            with pytest.raises(asyncio.CancelledError):
                await first
            return house.answers()

        assert asyncio.run(scene())
        assert {JWKS_PATH: 1} == dict(house.issuer.hits)

    def test_a_loop_that_closed_meanwhile_is_no_trouble(
        self, house: House, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Law 9.5: the refresh of one loop serves the next."""
        house.issuer.slow(0.3)
        asyncio.run(house.refresher.wait_async(AwaitKeys(NAME, 0.05)))
        asyncio.run(house.refresher.wait_async(COLD))
        assert house.answers()
        assert {JWKS_PATH: 1} == dict(house.issuer.hits)
        assert [] == caplog.records

    def test_whoever_asks_when_it_is_done_causes_no_other(self, house: House) -> None:
        """A set that is not due is left alone."""
        house.refresher.wait(COLD)
        house.refresher.wait(COLD)
        assert house.refresher.start(NAME) is None
        assert {JWKS_PATH: 1} == dict(house.issuer.hits)

    def test_a_rotation_costs_one_fetch(self, still: House, clock: ManualClock) -> None:
        """Law 4.5: whoever looked for the kid before the document came is answered by it."""
        still.refresh()
        looked = clock.advance(1)
        still.issuer.rotate()
        clock.advance(0.1)
        late = AwaitKeys(NAME, 5.0, unknown_kid=True, since=looked)
        still.refresher.wait(late)
        still.refresher.wait(late)
        assert {JWKS_PATH: 2} == dict(still.issuer.hits)
        assert still.answers()

    def test_configured_keys_are_never_fetched(self, still: House) -> None:
        """A static ring has nowhere to ask."""
        ring = KeyRing.static(RingName("static"), KeySet(()))
        still.refresher.add(ring, None)
        assert still.refresher.start(ring.name, unknown_kid=True) is None
        assert {NAME: still.ring, ring.name: ring} == dict(still.refresher.rings)


class TestWaits:
    def test_a_refused_connection_ends_the_wait_at_once(self, house: House) -> None:
        """On a cold gate: 503 within 0.3 s, and the same while the failure cools down."""
        house.issuer.outage(None)
        started = time.monotonic()
        now = house.refresher.wait(COLD)
        assert isinstance(house.ring.settle("a", "RS256", now), Unavailable)
        assert 0.3 > time.monotonic() - started
        assert isinstance(house.ring.plan("a", "RS256", house.clock.now()), Unavailable)
        assert house.refresher.start(NAME) is None

    def test_a_hung_issuer_costs_no_more_than_the_wait(self, house: House) -> None:
        """Law 4.10: and the fetch goes on to its own deadline, for whoever comes later."""
        house.issuer.slow(30)
        started = time.monotonic()
        house.refresher.wait(AwaitKeys(NAME, 0.3))
        assert 0.6 > time.monotonic() - started
        joined = house.refresher.start(NAME)
        assert joined is not None
        house.issuer.recover()
        joined.result(10)
        assert house.answers()
        assert {JWKS_PATH: 1} == dict(house.issuer.hits)

    def test_a_known_kid_never_waits_for_an_unknown_one(self, house: House) -> None:
        """Law 4.10: while an unknown kid hangs on the issuer, the set answers with no effect at all."""
        house.refresh()
        house.issuer.slow(30)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(house.refresher.wait, AwaitKeys(NAME, 0.3, unknown_kid=True))
            eventually(lambda: house.issuer.hits[JWKS_PATH] == 2)
            assert isinstance(house.ring.plan(house.issuer.kid, "RS256", house.clock.now()), Use)
            waiting.result(10)
        house.issuer.recover()

    def test_one_thread_waits_for_unknown_kids(self, house: House) -> None:
        """Law 4.10: in Gate at most one, over all key sets; the others are answered at once."""
        other = RingName("other")
        house.add(other, KeySource(algorithms=RS256, jwks_url=house.issuer.jwks_url))
        house.refresher.warm_up(10)
        house.issuer.slow(30)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(house.refresher.wait, UNKNOWN)
            eventually(lambda: house.refresher._waiting == 1)
            house.refresher.wait(UNKNOWN)
            house.refresher.wait(AwaitKeys(other, 5.0, unknown_kid=True))
            assert not waiting.done()
            house.issuer.recover()
            waiting.result(10)
        assert 0 == house.refresher._waiting

    def test_16_tasks_wait_for_unknown_kids(self, house: House) -> None:
        """Law 4.10: in AsyncGate at most 16; the others are answered at once."""
        house.refresh()
        house.issuer.slow(30)

        async def scene() -> None:
            tasks = [asyncio.create_task(house.refresher.wait_async(UNKNOWN)) for _ in range(40)]
            await asyncio.sleep(0)
            _, waiting = await asyncio.wait(tasks, timeout=0.1)
            assert 16 == len(waiting)
            house.issuer.recover()
            await asyncio.gather(*tasks)

        asyncio.run(scene())
        assert 0 == house.refresher._waiting

    def test_a_cancelled_task_leaves_its_place(self, house: House) -> None:
        """Nobody can be made to hold a place for good."""
        house.refresh()
        house.issuer.slow(30)

        async def scene() -> None:
            task = asyncio.create_task(house.refresher.wait_async(UNKNOWN))
            await asyncio.sleep(0.05)
            assert 1 == house.refresher._waiting
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(scene())
        assert 0 == house.refresher._waiting
        house.issuer.recover()

    def test_nobody_waits_where_no_fetch_may_start(self, still: House) -> None:
        """Law 4.5: the bucket is empty."""
        still.refresh()
        still.refresher.wait(UNKNOWN)
        still.refresher.wait(UNKNOWN)
        still.issuer.slow(30)
        assert still.clock.now() == still.refresher.wait(UNKNOWN)
        assert still.clock.now() == asyncio.run(still.refresher.wait_async(UNKNOWN))
        assert {JWKS_PATH: 3} == dict(still.issuer.hits)


class TestOutcomes:
    def test_a_failure_pauses_and_is_told_once(self, still: House, clock: ManualClock) -> None:
        """Laws 4.6, 4.12: health has the last error, the operator one notice for each change."""
        still.issuer.outage(503)
        still.refresh()
        clock.advance(1)
        still.refresh()
        clock.advance(2)
        assert "the key set was answered with status 503" == still.ring.health(clock.now()).last_error
        still.issuer.recover()
        still.refresh()
        for _ in range(2):
            assert still.told.acquire(timeout=10)
        assert ["keys_refresh_failed", "keys_recovered"] == [notice.code for notice in still.notices]
        assert "fresh" == still.ring.health(clock.now()).status

    def test_known_keys_outlive_an_outage(self, still: House, clock: ManualClock) -> None:
        """Law 4.4: garbage, errors and silence alike change nothing but the age."""
        still.refresh()
        for spoil in (still.issuer.outage, still.issuer.html, lambda: still.issuer.outage(None)):
            clock.advance(400)
            spoil()
            still.refresh()
            assert still.answers()
        assert "stale" == still.ring.health(clock.now()).status

    def test_the_issuer_can_ask_for_a_longer_pause(self, still: House, clock: ManualClock) -> None:
        """Retry-After of a 503 lengthens the back-off."""
        still.issuer.answer(b"", status=503, headers=[("Retry-After", "20")])
        still.refresh()
        assert Unavailable(
            "the keys cannot be had: the key set was answered with status 503", 20.0
        ) == still.ring.plan("a", "RS256", clock.now())

    def test_max_age_is_heard(self, still: House, clock: ManualClock) -> None:
        """Law 4.3."""
        still.issuer.max_age(600)
        still.refresh()
        clock.advance(600)
        assert "fresh" == still.ring.health(clock.now()).status

    def test_definite_answers_end_the_set(self, still: House, clock: ManualClock) -> None:
        """Law 4.4: three in a row over 5 minutes, and 15 minutes after the first nothing answers."""
        still.refresh()
        clock.advance(301)
        first = clock.now()
        still.issuer.empty_keys()
        for span in (200, 200, 0):
            still.refresh()
            clock.advance(span)
        assert isinstance(still.ring.settle(still.issuer.kid, "RS256", first.plus(899)), Use)
        assert isinstance(still.ring.settle(still.issuer.kid, "RS256", first.plus(900)), Unavailable)
        for _ in range(2):
            assert still.told.acquire(timeout=10)
        assert [("keys_refresh_failed", False), ("keys_ending", True)] == [
            (notice.code, notice.alarm) for notice in still.notices
        ]

    def test_one_definite_answer_proves_nothing(self, still: House, clock: ManualClock) -> None:
        """Laws 1.5, 4.4: an issuer without tenants that answers 404 once is down, and no token is bad for it."""
        still.issuer.outage(404)
        still.refresh()
        assert isinstance(still.ring.plan("a", "RS256", clock.now()), Unavailable)

    def test_a_key_dropped_by_the_issuer_stops_at_that_refresh(
        self, still: House, clock: ManualClock
    ) -> None:
        """Law 4.7."""
        still.refresh()
        old = still.issuer.kid
        still.issuer.rotate()
        still.issuer.drop_key(old)
        clock.advance(301)
        assert still.answers(old)
        still.refresh()
        assert not still.answers(old)
        assert still.answers()

    def test_a_forgotten_key_stays_forgotten(self, still: House, clock: ManualClock) -> None:
        """Law 4.7: although the issuer publishes it."""
        still.refresh()
        still.refresher.forget(NAME, still.issuer.kid)
        assert not still.answers()
        clock.advance(301)
        still.refresh()
        refused = still.ring.plan(still.issuer.kid, "RS256", clock.now())
        assert isinstance(refused, Refuse)
        assert isinstance(refused.error, UnknownKey)

    def test_there_must_be_such_a_key_set_to_forget_from(self, still: House) -> None:
        """A typo must not pass for a removal."""
        with pytest.raises(KeyError):
            still.refresher.forget(RingName("mian"), "a")


class TestDiscovery:
    @pytest.fixture(name="still")
    def _still(self, issuer: FakeIssuer, clock: ManualClock) -> House:
        return House(issuer, clock, self.source(issuer, issuer.url))

    def source(self, issuer: FakeIssuer, expected: str) -> KeySource:
        """The issuer, expected to call itself so."""
        return KeySource(algorithms=RS256, discovery_url=issuer.discovery_url, issuer=expected)

    def test_it_is_asked_again_when_keys_would_be(self, still: House, clock: ManualClock) -> None:
        """A rotation needs one request, and an address is believed no longer than a key set."""
        still.refresh()
        still.refresh(unknown_kid=True)
        assert {DISCOVERY_PATH: 1, JWKS_PATH: 2} == dict(still.issuer.hits)
        clock.advance(301)
        still.refresh()
        assert {DISCOVERY_PATH: 2, JWKS_PATH: 3} == dict(still.issuer.hits)

    def test_it_is_asked_again_after_a_failure(self, still: House, clock: ManualClock) -> None:
        """The keys may have moved."""
        still.refresh()
        still.issuer.answer(b"", status=404, paths=[JWKS_PATH])
        still.refresh(unknown_kid=True)
        still.issuer.recover()
        clock.advance(10)
        still.refresh(unknown_kid=True)
        assert {DISCOVERY_PATH: 2, JWKS_PATH: 3} == dict(still.issuer.hits)

    def test_another_issuer_in_it_is_an_alarm(self, issuer: FakeIssuer, clock: ManualClock) -> None:
        """Law 1.6: 503 and an alarm; the key set is not fetched."""
        house = House(issuer, clock, self.source(issuer, f"{issuer.url}/"))
        house.refresh()
        assert not house.answers()
        assert house.told.acquire(timeout=10)
        (notice,) = house.notices
        assert ("keys_refresh_failed", "main", True) == (notice.code, notice.subject, notice.alarm)
        assert {DISCOVERY_PATH: 1} == dict(issuer.hits)


class Careless:
    """An HTTP port with a bug in it."""

    def send(self, request: HttpRequest) -> HttpReply:
        raise ValueError("not an outage")

    def close(self) -> None:
        raise AssertionError("nobody may ask for this")


class TestBugs:
    @pytest.fixture(name="shown")
    def _shown(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """What threads died of, as their hook was told."""
        shown: list[str] = []
        monkeypatch.setattr(threading, "excepthook", lambda args: shown.append(str(args.exc_value)))
        return shown

    @pytest.fixture(name="careless")
    def _careless(self, still: House) -> House:
        still.refresher._http = Careless()
        return still

    def test_a_bug_reaches_whoever_waits_on_a_cold_set(self, careless: House, shown: list[str]) -> None:
        """Law 1.3: as itself; the next request gets 503 for as long as the pause lasts."""
        with pytest.raises(ValueError, match="not an outage"):
            careless.refresher.wait(COLD)
        assert "a bug: ValueError" == careless.ring.health(careless.clock.now()).last_error
        eventually(lambda: shown == ["not an outage"])

    def test_and_in_a_coroutine(self, careless: House, shown: list[str]) -> None:
        """Both colours alike."""
        with pytest.raises(ValueError, match="not an outage"):
            asyncio.run(careless.refresher.wait_async(COLD))
        eventually(lambda: shown == ["not an outage"])

    def test_keys_that_are_there_go_on_answering(
        self, still: House, clock: ManualClock, shown: list[str]
    ) -> None:
        """Law 4.4; the bug is shown by the thread, and the operator alarmed."""
        still.refresh()
        still.refresher._http = Careless()
        clock.advance(7200)
        still.refresher.wait(COLD)
        assert still.answers()
        eventually(lambda: shown == ["not an outage"])
        assert [("keys_refresh_failed", True)] == [(told.code, told.alarm) for told in still.notices]

    def test_no_thread_to_be_had(self, still: House, monkeypatch: pytest.MonkeyPatch) -> None:
        """An exhausted process is one more failure, with its pause, and no flight stays behind."""

        def exhausted(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", exhausted)
            still.refresher.wait(COLD)
        assert "can't start new thread" == still.ring.health(still.clock.now()).last_error
        assert still.refresher.start(NAME) is None


class TestWarmUp:
    def test_all_key_sets_at_once(self, house: House) -> None:
        """Law 4.12: no issuer waits for another."""
        for name in ("b", "c"):
            house.add(RingName(name), KeySource(algorithms=RS256, jwks_url=house.issuer.jwks_url))
        house.issuer.slow(30)
        warming = threading.Thread(target=house.refresher.warm_up, args=(10,))
        warming.start()
        eventually(lambda: house.issuer.hits[JWKS_PATH] == 3)
        house.issuer.recover()
        warming.join()
        now = house.clock.now()
        assert ["fresh"] * 3 == [ring.health(now).status for ring in house.refresher.rings.values()]

    def test_it_is_awaited_in_a_coroutine(self, house: House) -> None:
        """The other colour; a second time nothing is due."""
        asyncio.run(house.refresher.warm_up_async(10))
        asyncio.run(house.refresher.warm_up_async(10))
        assert house.answers()
        assert {JWKS_PATH: 1} == dict(house.issuer.hits)

    def test_an_issuer_that_is_down_raises_nothing(self, house: House) -> None:
        """Law 4.12: the app starts, and health tells."""
        house.issuer.outage(None)
        house.refresher.warm_up(10)
        asyncio.run(house.refresher.warm_up_async(10))
        health = house.ring.health(house.clock.now())
        assert ("down", True) == (health.status, "Connection refused" in str(health.last_error))

    def test_a_hung_issuer_costs_no_more_than_the_time_out(self, house: House) -> None:
        """In both colours."""
        house.issuer.slow(30)
        started = time.monotonic()
        house.refresher.warm_up(0.1)
        asyncio.run(house.refresher.warm_up_async(0.1))
        assert 1.0 > time.monotonic() - started
        house.issuer.recover()


class TestClosing:
    def test_nothing_of_what_was_under_way_is_used(self, house: House) -> None:
        """A late answer does not come back to life; a later request starts anew."""
        house.issuer.slow(30)
        abandoned = house.refresher.start(NAME)
        assert abandoned is not None
        assert not abandoned.cancel(), "nobody who waits can cancel it"
        house.refresher.close()
        house.issuer.recover()
        abandoned.result(10)
        assert not house.answers()
        house.refresh()
        assert house.answers()


FORK = """
import os, sys, threading
from authgate_core.clock import SystemClock
from authgate_core.effects import AwaitKeys, RingName
from authgate_core.io.http import SafeHttp
from authgate_core.keyring import KeyRing, KeySource, KeyTimes, TenantRings
from authgate_core.runner.refresher import KeyRefresher

clock = SystemClock()
refresher = KeyRefresher(SafeHttp(), clock, notice=print, random=lambda: 1.0)
warm, cold = KeyRing(RingName("warm")), KeyRing(RingName("cold"))
for ring, url in ((warm, sys.argv[1]), (cold, sys.argv[2])):
    refresher.add(ring, KeySource(algorithms=frozenset({"RS256"}), jwks_url=url))
tenants, tenant = TenantRings("many", KeyTimes(), ["t1"]), RingName("many", "t1")
hanging = KeySource(algorithms=frozenset({"RS256"}), jwks_url=sys.argv[2])
refresher.add_tenants("many", tenants, lambda _: hanging)
refresher.start(warm.name).result(10)
refresher.start(cold.name)
refresher.start(tenant)
locked = threading.Event()

def hold_lock():
    with refresher._lock:
        locked.set()
        threading.Event().wait()

threading.Thread(target=hold_lock, daemon=True).start()
locked.wait()
pid = os.fork()
if pid:
    _, status = os.waitpid(pid, 0)
    os._exit(os.waitstatus_to_exitcode(status))
threading.Timer(20, os._exit, (3,)).start()
if warm.health(clock.now()).status != "fresh" or cold.state.attempt_since is not None:
    os._exit(1)
for name in (cold.name, tenant):
    refresher.wait(AwaitKeys(name, 10.0))
    if refresher.rings[name].health(clock.now()).status != "fresh":
        os._exit(2)
os._exit(0)
"""


class TestFork:
    def test_a_child_uses_the_snapshots_and_nothing_else(self) -> None:
        """Laws 4.11, 9.5: the parent's lock was held, and its refresh under way, when the child was made."""
        with FakeIssuer() as quick, FakeIssuer() as hanging:
            hanging.slow(30)
            program = [sys.executable, "-W", "ignore", "-c", FORK, quick.jwks_url, hanging.jwks_url]
            with subprocess.Popen(program) as parent:
                eventually(lambda: hanging.hits[JWKS_PATH] == 3)
                hanging.recover()
                assert 0 == parent.wait(30)
            assert 1 == quick.hits[JWKS_PATH]


class TestInstants:
    def test_the_reply_is_the_time_after_the_wait(self, still: House, clock: ManualClock) -> None:
        """A flow goes on with the present moment."""
        still.issuer.slow(30)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(still.refresher.wait, COLD)
            eventually(lambda: still.issuer.hits[JWKS_PATH] == 1)
            later: Instant = clock.advance(3)
            still.issuer.recover()
            assert later == waiting.result(10)
