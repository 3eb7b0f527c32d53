"""How the rows of Redis judge: each promise that is broken is found, and what misbehaves really does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from authgate_core.breaker import Breaker
from authgate_core.io.redis import wire, wire_aio
from authgate_core.io.redis.epoch import EpochWatch
from authgate_core.io.redis.fuse import Fuse
from authgate_core.io.redis.outages import Outages
from authgate_core.revocation import replica
from torture.patience import Stopwatch
from torture.redis import faults
from torture.redis.gates import Asked
from torture.redis.judging import ANY, AT_ONCE, FIRST, GRACE, RECOVERY, Promised, Seen, broken, told
from torture.redis.table import CALM, DOWN, FOLLOWED, PASSED_OVER, ROWS, UNLOADED
from torture.redis.trial import judged
from torture.redis.world import Fault, World, world
from torture.rows import Colour

Break = Callable[[pytest.MonkeyPatch], None]


def refusals(*took: float, without_asking: bool = True) -> list[Asked]:
    """Decisions that were no answer, one after the other."""
    return [Asked("unavailable", each, without_asking, float(number)) for number, each in enumerate(took)]


def kept() -> Seen:
    """What a gate does that keeps every promise of an outage."""
    return Seen(
        innocent=refusals(0.1, without_asking=False) + refusals(*[0.0002] * 99),
        revoked=refusals(*[0.0002] * 100),
        status="open",
        recovered=1.0,
        status_after="ok",
        revoked_after="refused",
        codes=("revocation_breaker_open", "revocation_breaker_closed"),
        asked=7,
        probes=2,
        probes_at_once=1,
    )


class TestJudging:
    def test_an_outage_as_promised(self) -> None:
        """Nothing is found where nothing is wrong."""
        assert [] == broken(DOWN, kept())
        assert judged(DOWN, kept(), 0).kept
        assert "200 unavailable, first after 100 ms" in told(kept())

    @pytest.mark.parametrize(
        ("changes", "found"),
        [
            ({"innocent": [Asked("admitted", 0.01)]}, "an innocent request was admitted"),
            ({"revoked": [Asked("admitted", 0.01)]}, "a revoked token was admitted"),
            ({"unloaded": [Asked("admitted", 0.01)]}, "before the reload, a request was admitted"),
            ({"revoked": []}, "nobody asked"),
            ({"innocent": refusals(FIRST + GRACE + 0.01)}, "the first decision took 210 ms"),
            ({"revoked": refusals(0.1, ANY + GRACE + 0.01)}, "a decision took 360 ms"),
            ({"revoked": refusals(*[AT_ONCE + 0.001] * 100)}, "with the breaker open a decision took 2 ms"),
            ({"recovered": RECOVERY + 0.1}, "not admitted again within 5 s"),
            ({"recovered": None}, "not admitted again within 5 s"),
            ({"probes_at_once": 2}, "2 probes at the same time"),
            ({"probes": 0}, "nobody probed"),
            ({"revoked_after": "admitted"}, "afterwards the revoked token was admitted"),
            ({"elsewhere_from": 0.0}, "afterwards what another gate revoked was unavailable"),
            ({"confirmed": True, "late_after": "admitted"}, "a revocation was confirmed, and its token was"),
            (
                {"confirmed": True, "late_after": "refused"},
                "a revocation was confirmed that cannot have been",
            ),
            ({"status": "down"}, "health said down, not open"),
            ({"status_after": "open"}, "health said open afterwards"),
            ({"codes": ("revocation_breaker_open",)}, "the notices were revocation_breaker_open"),
        ],
    )
    def test_a_broken_promise(self, changes: dict[str, Any], found: str) -> None:
        """Each promise can be broken, and that is told."""
        happened = judged(DOWN, replace(kept(), **changes), 0)
        assert not happened.kept
        assert f"BROKEN: {found}" in happened.text

    def test_a_breaker_that_stays_closed(self) -> None:
        """Law 5.5: who is asked at every request is no breaker; who is not asked where nothing is wrong is none."""
        closed = replace(
            kept(), innocent=refusals(0.1, without_asking=False), revoked=refusals(0.1, without_asking=False)
        )
        assert "the breaker did not open" in broken(DOWN, closed)
        assert "the breaker opened" in broken(CALM, kept())

    def test_a_write_that_was_lost(self) -> None:
        """Law 5.6: where a revocation can be confirmed, it has to be."""
        assert "a revocation was not confirmed" in broken(CALM, kept())
        assert "a revocation was not confirmed" not in broken(UNLOADED, kept())

    def test_what_was_passed_over(self) -> None:
        """Law 5.3: counted at every use, and ended after its time."""
        passed = [Asked("admitted", 0.0002, started=float(number)) for number in range(4)]
        seen = replace(kept(), innocent=passed, unchecked=4)
        assert not any("passed" in each for each in broken(PASSED_OVER, seen))
        assert "4 requests passed unchecked, and 3 were counted" in broken(
            PASSED_OVER, replace(seen, unchecked=3)
        )
        assert "1 requests passed after 2 s" in broken(replace(PASSED_OVER, allowed_for=2.0), seen)
        assert "no request passed" in broken(PASSED_OVER, kept())

    def test_what_a_copy_may_answer(self) -> None:
        """Law 5.11: for the rest of its lease, and what others revoked for no second longer."""
        asked = [Asked("admitted", 0.0001, started=0.4 * number) for number in range(4)]
        stale = "what another gate revoked was admitted 1.20 s later"
        assert stale in broken(FOLLOWED, replace(kept(), elsewhere=asked, elsewhere_from=0.0))
        assert stale not in broken(FOLLOWED, replace(kept(), elsewhere=asked[:3], elsewhere_from=0.0))
        assert stale not in broken(FOLLOWED, replace(kept(), elsewhere=asked))
        assert "1 requests passed after 1 s" in broken(FOLLOWED, replace(kept(), innocent=asked))

    def test_notices_that_may_be_there(self) -> None:
        """By who notices first; any other is one too many."""
        seen = replace(
            kept(), codes=("revocation_breaker_open", "revocation_feed_lost", "revocation_feed_back")
        )
        assert not any("notices" in each for each in broken(FOLLOWED, seen))
        assert any(
            "notices" in each for each in broken(FOLLOWED, replace(seen, codes=(*seen.codes, "other")))
        )
        assert any("notices" in each for each in broken(FOLLOWED, replace(seen, codes=seen.codes[1:])))

    def test_of_twenty_decisions_one_may_be_late(self) -> None:
        """Law 5.5: the collector may run in one of them; in two it is the gate."""
        asked_nobody = replace(kept(), innocent=[])
        assert 0.0002 == replace(asked_nobody, revoked=refusals(*[0.0002] * 19, 0.02)).at_once
        assert 0.02 == replace(asked_nobody, revoked=refusals(*[0.0002] * 18, 0.02, 0.02)).at_once


class TestStopwatch:
    def test_waiting_counts(self) -> None:
        """What a call waits for is its own time."""
        with Stopwatch() as watch:
            time.sleep(0.05)
        assert 0.04 <= watch.took

    def test_a_failure_passes_through(self) -> None:
        """What a call raises is not swallowed."""
        with pytest.raises(LookupError), Stopwatch():
            raise LookupError


@pytest.fixture
def tried(request: pytest.FixtureRequest) -> Iterator[World]:
    """A world with the fault of the parameter, before it begins."""
    fault: Fault = request.param
    with world(fault) as made:
        yield made


def impatient(url: str) -> Any:
    """A client that waits 0.2 s; Any because redis-py leaves most of its methods untyped."""
    return redis.Redis.from_url(url, socket_timeout=0.2, retry=Retry(NoBackoff(), 0))


def answer(url: str, *command: object) -> object:
    """What a server answers to somebody who comes now."""
    with impatient(url) as client:
        return client.execute_command(*command)


class TestFaults:
    @pytest.mark.parametrize(
        ("tried", "command", "error"),
        [
            (faults.STOPPED, ("GET", "a"), RedisConnectionError),
            (faults.LOST, ("GET", "a"), RedisConnectionError),
            (faults.FROZEN, ("GET", "a"), RedisTimeoutError),
            (faults.MUTE, ("GET", "a"), RedisTimeoutError),
            (faults.SLOW, ("GET", "a"), RedisTimeoutError),
            (faults.LOADING, ("GET", "a"), RedisError),
            (faults.LOCKED_OUT, ("GET", "a"), RedisError),
            (faults.REPLICA, ("SET", "a", "1"), ReadOnlyError),
            (faults.READ_ONLY, ("SET", "a", "1"), RedisError),
            (faults.FULL, ("SET", "a", "1"), RedisError),
        ],
        indirect=["tried"],
    )
    def test_it_begins_and_ends(
        self, tried: World, command: tuple[str, ...], error: type[RedisError]
    ) -> None:
        """A fault is one, and over once it has ended."""
        url = tried.url
        answer(url, *command)
        tried.fault.begin(tried)
        with pytest.raises(error):
            answer(url, *command)
        tried.fault.end(tried)
        answer(url, *command)

    @pytest.mark.parametrize("tried", [faults.FLUSHED, faults.EVICTING], indirect=True)
    def test_what_is_lost(self, tried: World) -> None:
        """Entries are gone, and nobody is told."""
        answer(tried.url, "SET", tried.marker, "1")
        tried.fault.begin(tried)
        assert answer(tried.url, "GET", tried.marker) is None

    @pytest.mark.parametrize("tried", [faults.FORGOTTEN], indirect=True)
    def test_what_is_forgotten(self, tried: World) -> None:
        """A connection that there was leads nowhere; a new one is well, and both are counted."""
        with impatient(tried.url) as old:
            old.ping()
            tried.fault.begin(tried)
            tried.proxy.count_anew()
            with pytest.raises(RedisTimeoutError):
                old.ping()
        answer(tried.url, "PING")
        assert 2 <= tried.proxy.asked

    @pytest.mark.parametrize("tried", [Fault(begin=faults.MUTE.begin)], indirect=True)
    def test_who_waits_at_the_same_time(self, tried: World) -> None:
        """Law 5.5: two that wait for an answer at the same time are two probes."""
        clients = [impatient(tried.url) for _ in range(2)]
        for client in clients:
            client.ping()
        tried.fault.begin(tried)
        tried.proxy.count_anew()
        connections = [client.connection_pool.get_connection() for client in clients]
        for connection in connections:
            connection.send_command("PING")
        for connection in connections:
            with pytest.raises(RedisTimeoutError):
                connection.read_response()
        assert 2 == tried.proxy.at_once
        for client in clients:
            client.close()


def no_breaker(patch: pytest.MonkeyPatch) -> None:
    """Law 5.5: every request asks, however often it was in vain."""
    patch.setattr(Breaker, "failed", lambda breaker, _now: breaker)


def no_refusal_while_open(patch: pytest.MonkeyPatch) -> None:
    """Law 5.5: the breaker opens, and nobody minds."""
    patch.setattr(Fuse, "check", lambda _: None)


def no_probe(patch: pytest.MonkeyPatch) -> None:
    """Law 5.5: what is open stays open."""
    patch.setattr(Breaker, "start_probe", lambda *_: None)


def no_epoch(patch: pytest.MonkeyPatch) -> None:
    """Law 5.10: an empty store is believed."""
    patch.setattr(EpochWatch, "require", lambda *_: None)


def replicas_are_believed(patch: pytest.MonkeyPatch) -> None:
    """Law 5.10: whoever answers is right."""
    for module in (wire, wire_aio):
        patch.setattr(module, "check_master", lambda _: None)


def dead_connections_are_kept(patch: pytest.MonkeyPatch) -> None:
    """Law 5.5: each of them may cost a request its time."""
    patch.setattr(wire, "LEADS_NOWHERE", ())


def nobody_counts(patch: pytest.MonkeyPatch) -> None:
    """Law 5.3: what passes unchecked is not counted."""
    patch.setattr(Outages, "unchecked", 0)


def no_lease(patch: pytest.MonkeyPatch) -> None:
    """Law 5.11: a copy once loaded is believed for ever."""
    patch.setattr(replica, "LEASE", 3600.0)


class TestRows:
    @pytest.mark.parametrize(
        ("name", "broken_by", "colour", "found"),
        [
            ("hanging", no_breaker, "sync", "the breaker did not open"),
            ("hanging", no_refusal_while_open, "async", "with the breaker open a decision took"),
            ("stopped", no_probe, "async", "not admitted again within 5 s"),
            ("flushed", no_epoch, "sync", "a revoked token was admitted"),
            ("made a replica", replicas_are_believed, "async", "an innocent request was admitted"),
            ("connections forgotten", dead_connections_are_kept, "sync", "not admitted again within 5 s"),
            (
                "cut off, and others revoke, feed on",
                no_lease,
                "async",
                "what another gate revoked was admitted",
            ),
            (
                'stopped, on_error="allow"',
                nobody_counts,
                "async",
                "requests passed unchecked, and 0 were counted",
            ),
        ],
    )
    def test_a_law_without_its_code(
        self, name: str, broken_by: Break, colour: Colour, found: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each row says ``NOT HELD`` once the code that keeps its law is gone."""
        (row,) = (row for row in ROWS if row.name == name)
        broken_by(monkeypatch)
        happened = row.run(colour, "short")
        assert not happened.kept
        assert found in happened.text

    def test_no_row_is_forgotten(self) -> None:
        """Each row names a law of section 5, and says what redis-py did beside it, or has no store that misbehaves."""
        assert {"5"} == {row.law[0] for row in ROWS}
        assert ["process too busy"] == [row.name for row in ROWS if row.beside is None]


class TestPromised:
    def test_the_default_is_the_strictest(self) -> None:
        """Law 5.3: whoever writes a row and says nothing has promised that nobody passes."""
        assert ("unavailable",) == Promised().innocent == Promised().revoked
