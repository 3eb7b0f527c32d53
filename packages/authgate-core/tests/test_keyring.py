"""The key ring's decisions, with time passed in and no I/O anywhere (section 4 of the laws)."""

from __future__ import annotations

import math
from typing import Any

import pytest

from authgate_core.clock import Instant
from authgate_core.effects import RingName
from authgate_core.errors import AlgorithmRefused, UnknownKey
from authgate_core.events import Notice
from authgate_core.jose.compact import Header
from authgate_core.jose.keys import Key, KeyDocument, KeySet
from authgate_core.keyring import (
    Await,
    KeyRing,
    KeySetHealth,
    KeySource,
    KeyTimes,
    Refuse,
    RingState,
    Unavailable,
    Use,
    UseAndRefresh,
    notices,
)

NAME = RingName("main")
START = Instant(wall=1_800_000_000.0, mono=5_000.0)
MINUTE, HOUR = 60.0, 3600.0


def key(kid: str | None, alg: str = "RS256") -> Key:
    """A key that verifies nothing real."""
    return Key(kid, "RSA", None, frozenset({alg}), f"{kid}-{alg}".encode())


A, B, C = key("a"), key("b"), key("c")


def document(*keys: Key, warnings: tuple[str, ...] = ()) -> KeyDocument:
    """A good document, of A and B unless told otherwise."""
    return KeyDocument(KeySet(keys or (A, B)), warnings)


def warm(*keys: Key, max_age: float | None = None, times: KeyTimes | None = None) -> KeyRing:
    """A ring that got a good document at START."""
    ring = KeyRing(NAME, times)
    ring.state = ring.state.started(START).loaded(document(*keys), START, max_age=max_age)
    return ring


def fail(ring: KeyRing, now: Instant, reason: str = "no answer", **how: Any) -> None:
    """One attempt that starts and fails at the same moment."""
    ring.state = ring.state.started(now).failed(reason, now, **{"jitter": 1.0, **how})


def load(ring: KeyRing, now: Instant, *keys: Key) -> None:
    """One attempt that starts and succeeds at the same moment."""
    ring.state = ring.state.started(now).loaded(document(*keys), now)


def error_of(plan: object) -> type[Exception]:
    """Why a token is refused."""
    assert isinstance(plan, Refuse)
    return type(plan.error)


class TestColdSet:
    def test_a_request_waits_for_the_first_document(self) -> None:
        """Law 4.10: on a cold set every request waits, at most ``key_wait``."""
        assert Await(2.0) == KeyRing(NAME).plan("a", "RS256", START)
        assert Await(0.5) == KeyRing(NAME, KeyTimes(key_wait=0.5)).plan(None, "RS256", START)

    def test_a_request_joins_the_attempt_under_way(self) -> None:
        """Law 4.1: waiters share one fetch."""
        ring = KeyRing(NAME)
        ring.state = ring.state.started(START)
        assert Await(2.0) == ring.plan("a", "RS256", START.plus(4))
        assert not ring.state.may_start(START.plus(4), unknown_kid=False)

    def test_after_a_failure_nobody_waits(self) -> None:
        """A failure that still cools down answers at once, and says how long it lasts (Law 1.8)."""
        ring = KeyRing(NAME)
        fail(ring, START, "connection refused")
        plan = ring.plan("a", "RS256", START.plus(0.25))
        assert Unavailable("the keys cannot be had: connection refused", 0.75) == plan
        assert Await(2.0) == ring.plan("a", "RS256", START.plus(1))

    def test_a_wait_that_brought_nothing_ends_in_503(self) -> None:
        """``settle`` never waits again."""
        ring = KeyRing(NAME)
        ring.state = ring.state.started(START)
        settled = ring.settle("a", "RS256", START.plus(2))
        assert Unavailable("the keys cannot be had: they have not arrived yet", 0.0) == settled

    def test_a_wait_that_brought_the_key_ends_in_its_use(self) -> None:
        """After the first document the set answers."""
        ring = KeyRing(NAME)
        load(ring, START)
        assert Use((A,)) == ring.settle("a", "RS256", START)


class TestNothingYet:
    def test_a_set_that_never_arrived_knows_no_url(self) -> None:
        """Discovery is asked before anything is known."""
        assert RingState(KeyTimes()).known_key_url(START) is None

    def test_a_set_that_never_arrived_is_as_old_as_can_be(self) -> None:
        """Law 4.3: keys of the configuration have no age, and what is not there is never young."""
        assert math.inf == RingState(KeyTimes()).age(START)
        assert 0.0 == RingState(KeyTimes(), KeySet((A,))).age(START)

    def test_failures_are_not_definite_unless_the_issuer_said_so(self) -> None:
        """Law 4.4: an issuer that cannot be reached ends no set, however often and long."""
        state = warm().state
        for seconds in (0, 200, 400, 600):
            state = state.failed("no answer", START.plus(seconds), jitter=0.0)

        assert math.inf == state.farewell.ends_at


class TestAbandonedAttempt:
    def test_it_is_no_longer_under_way(self) -> None:
        """Law 9.5: an attempt that was lost with its process bars no other, and changes nothing else."""
        state = RingState(KeyTimes())
        lost = state.started(START).abandoned()

        assert lost.may_start(START, unknown_kid=False)
        assert state == lost


class TestAbsentTenant:
    def absent(self, now: Instant, failures: int = 0) -> KeyRing:
        """A cold set whose issuer said that there is no such tenant, after so many failures to answer."""
        ring = KeyRing(NAME)
        for _ in range(failures):
            fail(ring, now)
        fail(ring, now, definite=True)
        ring.state = ring.state.absent(now)
        return ring

    @pytest.mark.parametrize("failures", [0, 9])
    def test_it_is_believed_for_ten_seconds(self, failures: int) -> None:
        """Law 4.13: that is an answer, so the pause of earlier failures is over, and it is asked again after 10 s."""
        ring = self.absent(START, failures)
        for seconds in (0.0, 9.9):
            assert UnknownKey is error_of(ring.plan("a", "RS256", START.plus(seconds)))
            assert not ring.state.may_start(START.plus(seconds), unknown_kid=True)
        assert Await(2.0) == ring.plan("a", "RS256", START.plus(10))

    def test_who_waited_is_told_the_same(self) -> None:
        """Law 1.5: a bad token while the answer is believed; later nobody can say."""
        ring = self.absent(START)
        assert UnknownKey is error_of(ring.settle("a", "RS256", START.plus(9.9)))
        assert isinstance(ring.settle("a", "RS256", START.plus(10)), Unavailable)

    def test_a_set_that_is_lost_in_an_outage_is_not_absent(self) -> None:
        """Law 1.5: what the issuer said before it had keys says nothing of an outage after it."""
        ring = self.absent(START)
        load(ring, START.plus(10))
        fail(ring, START.plus(25 * HOUR))
        assert (None, False) == (ring.state.keys, ring.state.is_absent)


class TestFreshSet:
    def test_it_answers_at_once(self) -> None:
        """Law 4.2."""
        assert Use((A,)) == warm().plan("a", "RS256", START.plus(299))

    def test_without_a_kid_fitting_keys_are_tried(self) -> None:
        """Law 3.4."""
        assert Use((A, C)) == warm(A, key("b", "PS256"), C).plan(None, "RS256", START)

    def test_a_known_kid_with_another_algorithm_is_refused_without_a_fetch(self) -> None:
        """Law 3.4: nothing that could be fetched would tell more."""
        plan = warm().plan("a", "ES256", START)
        assert AlgorithmRefused is error_of(plan)
        assert isinstance(plan, Refuse)
        assert not plan.refresh

    def test_that_is_its_algorithm_whatever_other_keys_verify(self) -> None:
        """Law 3.4: a key of another kid has no part in what is wrong with the token."""
        assert AlgorithmRefused is error_of(warm(A, key("c", "ES256")).plan("a", "ES256", START))

    def test_two_keys_of_one_kid_are_refused_without_a_fetch(self) -> None:
        """Law 3.4: a kid selects exactly one key."""
        plan = warm(A, Key("a", "RSA", None, frozenset({"RS256"}), b"other")).plan("a", "RS256", START)
        assert UnknownKey is error_of(plan)

    def test_of_two_keys_of_one_kid_the_one_that_fits_is_used(self) -> None:
        """Law 3.4: the kid selects after filtering by algorithm."""
        assert Use((A,)) == warm(A, key("a", "PS256")).plan("a", "RS256", START)

    @pytest.mark.parametrize(
        ("max_age", "ttl"), [(None, 300), (0, 60), (59, 60), (61, 61), (899, 899), (86400, 900)]
    )
    def test_max_age_sets_the_soft_ttl_within_bounds(self, max_age: float | None, ttl: float) -> None:
        """Law 4.3: 5 minutes, or the response's max-age within 1 to 15 minutes."""
        ring = warm(max_age=max_age)
        assert Use((A,)) == ring.plan("a", "RS256", START.plus(ttl))
        assert UseAndRefresh((A,)) == ring.plan("a", "RS256", START.plus(ttl + 0.5))


class TestStaleSet:
    def test_it_answers_and_refreshes_in_the_background(self) -> None:
        """Law 4.3: from the soft TTL to three times it nobody waits."""
        ring = warm()
        for age in (301.0, 600.0, 900.0):
            assert UseAndRefresh((A,)) == ring.plan("a", "RS256", START.plus(age))

    def test_while_a_refresh_runs_no_other_is_asked_for(self) -> None:
        """At most one refresh at a time."""
        ring = warm()
        ring.state = ring.state.started(START.plus(301))
        assert Use((A,)) == ring.plan("a", "RS256", START.plus(303))

    def test_during_the_pause_no_refresh_is_asked_for(self) -> None:
        """Law 4.6: a failure is followed by a pause, and known keys go on answering (Law 4.4)."""
        ring = warm()
        fail(ring, START.plus(301))
        assert Use((A,)) == ring.plan("a", "RS256", START.plus(301.9))
        assert UseAndRefresh((A,)) == ring.plan("a", "RS256", START.plus(302))

    def test_a_refused_token_refreshes_a_set_that_is_due(self) -> None:
        """A kid that came back with another algorithm must be learnt although no good token arrives."""
        plan = warm().plan("a", "ES256", START.plus(301))
        assert AlgorithmRefused is error_of(plan)
        assert isinstance(plan, Refuse)
        assert plan.refresh

    def test_age_is_the_larger_of_both_clocks(self) -> None:
        """Law 4.3: a machine that slept has an old set though its monotonic clock stood still."""
        ring = warm()
        slept = Instant(START.wall + 400, START.mono + 1)
        set_back = Instant(START.wall - 7200, START.mono + 400)
        assert UseAndRefresh((A,)) == ring.plan("a", "RS256", slept)
        assert UseAndRefresh((A,)) == ring.plan("a", "RS256", set_back)


class TestIdleProcess:
    IDLE = START.plus(2 * HOUR)

    def test_one_wait_for_the_refresh(self) -> None:
        """Law 4.3: older than three times the soft TTL, a request waits at most 1 s."""
        assert Await(1.0) == warm().plan("a", "RS256", self.IDLE)

    def test_the_wait_is_counted_from_the_start_of_the_attempt(self) -> None:
        """An attempt that hangs delays requests for 1 s in all, not 1 s each."""
        ring = warm()
        ring.state = ring.state.started(self.IDLE)
        assert Await(0.25) == ring.plan("a", "RS256", self.IDLE.plus(0.75))
        assert Use((A,)) == ring.plan("a", "RS256", self.IDLE.plus(1))

    def test_after_the_wait_the_old_key_is_used(self) -> None:
        """Law 4.4: known keys go on answering."""
        assert Use((A,)) == warm().settle("a", "RS256", self.IDLE)

    def test_after_a_failure_nobody_waits_any_more(self) -> None:
        """Law 4.4: the wait after an idle time is a single one."""
        ring = warm()
        fail(ring, self.IDLE)
        assert Use((A,)) == ring.plan("a", "RS256", self.IDLE.plus(0.5))
        assert UseAndRefresh((A,)) == ring.plan("a", "RS256", self.IDLE.plus(60))
        assert UseAndRefresh((A,)) == ring.plan("a", "RS256", self.IDLE.plus(15 * MINUTE))
        assert Await(1.0) == ring.plan("a", "RS256", self.IDLE.plus(15 * MINUTE + 1))

    def test_an_unknown_kid_waits_no_longer_than_ever(self) -> None:
        """Law 4.10: at most 0.3 s, and in one of the few places."""
        assert Await(0.3, unknown_kid=True) == warm().plan("z", "RS256", self.IDLE)


class TestHardLimit:
    def test_past_it_no_key_answers(self) -> None:
        """Law 4.4: past 24 h the set is as cold as at first."""
        ring = warm()
        assert Use((A,)) == ring.settle("a", "RS256", START.plus(24 * HOUR))
        assert Await(2.0) == ring.plan("a", "RS256", START.plus(24 * HOUR + 1))
        assert isinstance(ring.settle("a", "RS256", START.plus(24 * HOUR + 1)), Unavailable)

    def test_while_cooling_down_it_is_503_at_once(self) -> None:
        """Past the limit a failure that cools down makes nobody wait."""
        ring = warm(times=KeyTimes(max_stale=HOUR))
        past = START.plus(HOUR + 1)
        fail(ring, past, retry_after=30.0)
        assert Unavailable("the keys cannot be had: no answer", 29.0) == ring.plan("a", "RS256", past.plus(1))

    def test_it_may_be_shorter_than_the_soft_ttl(self) -> None:
        """The limit is configurable, and wins."""
        ring = warm(times=KeyTimes(max_stale=30.0))
        assert Await(2.0) == ring.plan("a", "RS256", START.plus(31))
        assert ring.known("h", START.plus(31)) is None


class TestUnknownKid:
    def test_it_waits_for_a_fetch_while_the_bucket_has_one(self) -> None:
        """Law 4.5."""
        assert Await(0.3, unknown_kid=True) == warm().plan("z", "RS256", START)

    def test_no_kid_and_no_key_that_fits_counts_as_one(self) -> None:
        """Law 3.4."""
        assert Await(0.3, unknown_kid=True) == warm().plan(None, "ES256", START)

    def test_the_bucket_holds_two_and_is_refilled_by_one_every_10_seconds(self) -> None:
        """Law 4.5."""
        ring = warm()
        for _ in range(2):
            assert ring.state.may_start(START, unknown_kid=True)
            load(ring, START)
        assert not ring.state.may_start(START.plus(9.5), unknown_kid=True)
        assert UnknownKey is error_of(ring.plan("z", "RS256", START.plus(9.5)))
        assert Await(0.3, unknown_kid=True) == ring.plan("z", "RS256", START.plus(10))
        load(ring, START.plus(10))
        assert not ring.state.may_start(START.plus(19.5), unknown_kid=True)
        assert ring.state.may_start(START.plus(20), unknown_kid=True)

    def test_a_failed_fetch_empties_the_bucket(self) -> None:
        """Law 4.5: even where the pause is over sooner."""
        ring = warm()
        fail(ring, START.plus(1))
        assert not ring.state.may_start(START.plus(10.5), unknown_kid=True)
        assert ring.state.may_start(START.plus(11), unknown_kid=True)

    def test_the_pause_bars_its_fetches_too(self) -> None:
        """Law 4.6."""
        ring = warm()
        fail(ring, START.plus(1), retry_after=60.0)
        assert UnknownKey is error_of(ring.plan("z", "RS256", START.plus(60)))
        assert Await(0.3, unknown_kid=True) == ring.plan("z", "RS256", START.plus(61))

    def test_a_refresh_that_age_asks_for_draws_nothing(self) -> None:
        """A set that is due is refreshed whatever the bucket holds."""
        ring = warm()
        load(ring, START.plus(1))
        load(ring, START.plus(1))
        load(ring, START.plus(302))
        ring.state = ring.state.started(START.plus(302))
        assert START.mono + 312 == ring.state.bucket.full_at

    def test_it_joins_the_attempt_under_way(self) -> None:
        """Joining costs nothing from the bucket."""
        ring = warm()
        load(ring, START)
        ring.state = ring.state.started(START)
        assert Await(0.3, unknown_kid=True) == ring.plan("z", "RS256", START.plus(1))

    def test_it_is_401_while_the_document_is_young_and_503_later(self) -> None:
        """Law 4.5: nobody can say of an old document that a key does not exist."""
        ring = warm()
        assert UnknownKey is error_of(ring.settle("z", "RS256", START.plus(15 * MINUTE)))
        assert isinstance(ring.settle("z", "RS256", START.plus(15 * MINUTE + 1)), Unavailable)

    def test_a_key_that_is_published_is_found_after_the_wait(self) -> None:
        """Law 4.5: a published key is accepted one fetch later."""
        ring = warm()
        load(ring, START, A, C)
        assert Use((C,)) == ring.settle("c", "RS256", START)

    def test_a_document_that_came_later_than_the_token_makes_a_fetch_needless(self) -> None:
        """One rotation, one fetch: whoever planned before the document came looks at it first."""
        ring = warm()
        assert ring.state.is_newer_than(START.plus(-0.1))
        assert not ring.state.is_newer_than(START)
        assert not ring.state.is_newer_than(None)
        assert not KeyRing(NAME).state.is_newer_than(START)


class TestTokenWithoutKid:
    def test_after_failed_tries_it_waits_as_an_unknown_kid(self) -> None:
        """Law 3.4: the failure counts as an unknown kid."""
        assert Await(0.3, unknown_kid=True) == warm().plan_newer("RS256", (A, B), START)

    def test_keys_that_came_meanwhile_are_tried_at_once(self) -> None:
        """Another request may have brought them already."""
        assert Use((B,)) == warm(A, B).plan_newer("RS256", (A,), START)

    def test_after_the_wait_only_new_keys_are_tried(self) -> None:
        """A key that failed once is not tried again."""
        ring = warm(A)
        load(ring, START, key("a"), C)
        assert Use((C,)) == ring.settle_newer("RS256", (A,), START)

    def test_without_new_keys_it_is_an_unknown_key(self) -> None:
        """Law 4.5 decides between 401 and 503."""
        ring = warm(A)
        assert UnknownKey is error_of(ring.settle_newer("RS256", (A,), START))
        assert isinstance(ring.settle_newer("RS256", (A,), START.plus(HOUR)), Unavailable)

    def test_a_set_that_ended_meanwhile_is_503(self) -> None:
        """An outage is never a bad token (Law 1.5)."""
        assert isinstance(warm(A).settle_newer("RS256", (A,), START.plus(25 * HOUR)), Unavailable)


class TestRemovedKeys:
    def test_a_key_gone_from_a_good_document_stops_at_once(self) -> None:
        """Law 4.7."""
        ring = warm(A, B)
        load(ring, START.plus(1), B)
        assert UnknownKey is error_of(ring.settle("a", "RS256", START.plus(1)))

    def test_a_forgotten_key_stops_at_once_without_a_fetch(self) -> None:
        """Law 4.7."""
        ring = warm(A, B)
        ring.state = ring.state.forgetting("a")
        assert UnknownKey is error_of(ring.plan("a", "RS256", START))
        assert UnknownKey is error_of(ring.settle("a", "RS256", START))
        assert Use((B,)) == ring.plan(None, "RS256", START)

    def test_a_forgotten_key_does_not_come_back(self) -> None:
        """Law 4.7: an emergency removal holds while the issuer still publishes the key."""
        ring = warm(A, B)
        ring.state = ring.state.forgetting("a")
        load(ring, START.plus(1), A, B)
        assert UnknownKey is error_of(ring.plan("a", "RS256", START.plus(1)))
        assert (B,) == ring.state.keys.keys if ring.state.keys else ()

    def test_a_key_can_be_forgotten_before_it_is_known(self) -> None:
        """A cold set remembers what it must not believe."""
        ring = KeyRing(NAME)
        ring.state = ring.state.forgetting("a")
        assert UnknownKey is error_of(ring.plan("a", "RS256", START))
        load(ring, START, A)
        assert UnknownKey is error_of(ring.plan("a", "RS256", START))


class TestBackoff:
    def test_it_doubles_from_1_to_60_seconds(self) -> None:
        """Law 4.6."""
        ring, now, pauses = KeyRing(NAME), START, []
        for _ in range(9):
            fail(ring, now)
            pauses.append(ring.state.backoff.rest(now.mono))
            now = now.plus(100)
        assert [1, 2, 4, 8, 16, 32, 60, 60, 60] == pauses

    @pytest.mark.parametrize(("jitter", "pause"), [(0.0, 2.0), (0.5, 3.0), (1.0, 4.0)])
    def test_half_of_it_is_spread(self, jitter: float, pause: float) -> None:
        """Law 4.6: jitter, passed in."""
        ring = KeyRing(NAME)
        fail(ring, START)
        fail(ring, START)
        fail(ring, START, jitter=jitter)
        assert pause == ring.state.backoff.rest(START.mono)

    def test_an_issuer_that_asked_for_no_pause_gets_no_longer_one(self) -> None:
        """Law 4.6: the least is half of the first second."""
        ring = KeyRing(NAME)
        fail(ring, START, jitter=0.0)
        assert 0.5 == ring.state.backoff.rest(START.mono)

    @pytest.mark.parametrize(("asked", "pause"), [(0.0, 1.0), (7.0, 7.0), (3600.0, 60.0)])
    def test_the_issuer_can_lengthen_it_to_60_seconds(self, asked: float, pause: float) -> None:
        """A Retry-After below the pause changes nothing."""
        ring = KeyRing(NAME)
        fail(ring, START, retry_after=asked)
        assert pause == ring.state.backoff.rest(START.mono)

    def test_a_good_document_ends_it(self) -> None:
        """After success the next failure pauses for 1 s again."""
        ring = KeyRing(NAME)
        fail(ring, START)
        fail(ring, START.plus(5))
        load(ring, START.plus(10))
        fail(ring, START.plus(400))
        assert 1.0 == ring.state.backoff.rest(START.plus(400).mono)

    def test_it_is_counted_without_end(self) -> None:
        """A year of failures overflows nothing."""
        ring = KeyRing(NAME)
        for _ in range(2000):
            fail(ring, START)
        assert 60.0 == ring.state.backoff.rest(START.mono)


class TestDefiniteAnswers:
    def ends(self, *moments: float, between: tuple[float, ...] = ()) -> float:
        """When the set ends, in seconds after START, if definite answers come at these moments."""
        ring = warm()
        for moment in sorted((*moments, *between)):
            fail(ring, START.plus(moment), definite=moment in moments)
        return ring.state.farewell.ends_at - START.mono

    def test_three_over_5_minutes_end_the_set_15_minutes_after_the_first(self) -> None:
        """Law 4.4."""
        ring = warm()
        for moment in (400.0, 500.0, 700.0):
            fail(ring, START.plus(moment), definite=True)
        assert Use((A,)) == ring.settle("a", "RS256", START.plus(1299))
        assert isinstance(ring.settle("a", "RS256", START.plus(1300)), Unavailable)

    def test_fewer_or_faster_ones_do_not(self) -> None:
        """Law 4.4: three in a row, over at least 5 minutes."""
        assert math.inf == self.ends(400, 900)
        assert math.inf == self.ends(400, 500, 699)
        assert math.inf == self.ends(*(400 + n for n in range(50)))

    def test_any_other_failure_starts_the_row_anew(self) -> None:
        """Law 4.4: in a row."""
        assert math.inf == self.ends(400, 500, 700, between=(600,))
        assert 400 + 900 == self.ends(400, 500, 700, between=(350,))

    def test_a_settled_end_stands_until_a_good_document(self) -> None:
        """A later 500 does not bring back keys that the issuer withdrew."""
        assert 400 + 900 == self.ends(400, 500, 700, between=(800,))
        assert 400 + 900 == self.ends(400, 500, 700, 900, 1000, 1250)
        assert 400 + 900 == self.ends(400, 500, 700, 900, between=(800,))

    def test_what_ended_recalls_nothing_from_that_very_moment(self) -> None:
        """Law 4.4: the short way by a header that is known ends with the set, however fresh that would be."""
        ring = warm(max_age=900)
        ring.remember("segment", Header("RS256", "a"), A)
        for moment in (0.0, 150.0, 300.0):
            fail(ring, START.plus(moment), definite=True)
        assert ring.known("segment", START.plus(899)) is not None
        assert ring.known("segment", START.plus(900)) is None

    def test_a_good_document_undoes_it(self) -> None:
        """The issuer is back."""
        ring = warm()
        for moment in (400.0, 500.0, 700.0):
            fail(ring, START.plus(moment), definite=True)
        load(ring, START.plus(710))
        assert Use((A,)) == ring.settle("a", "RS256", START.plus(1500))


class TestDiscoveredUrl:
    URL = "https://id.example.com/keys"

    def test_it_is_used_again_while_it_is_as_fresh_as_keys_may_be(self) -> None:
        """What discovery said is believed for one soft TTL."""
        state = RingState(KeyTimes()).started(START).loaded(document(), START, key_url=self.URL)
        assert self.URL == state.known_key_url(START.plus(299))
        assert state.known_key_url(START.plus(300)) is None

    def test_using_it_does_not_prolong_it(self) -> None:
        """A flood of unknown kids cannot keep an old address alive."""
        state = RingState(KeyTimes()).started(START).loaded(document(), START, key_url=self.URL)
        state = state.started(START.plus(200)).loaded(document(), START.plus(200))
        assert self.URL == state.known_key_url(START.plus(299))
        assert state.known_key_url(START.plus(300)) is None

    def test_a_failure_forgets_it(self) -> None:
        """The next attempt asks discovery again: the keys may have moved."""
        state = RingState(KeyTimes()).started(START).loaded(document(), START, key_url=self.URL)
        assert state.failed("gone", START, jitter=1.0).known_key_url(START) is None


class TestHeaderMemory:
    HEADER = Header("RS256", "a")

    def test_a_good_header_is_recalled_while_the_set_is_fresh(self) -> None:
        """Law 4.2: with no lock and no look at the set."""
        ring = warm()
        ring.remember("segment", self.HEADER, A)
        assert (self.HEADER, A) == ring.known("segment", START.plus(300))
        assert ring.known("segment", START.plus(301)) is None
        assert ring.known("other", START) is None
        assert KeyRing(NAME).known("segment", START) is None

    def test_it_dies_with_its_set(self) -> None:
        """Laws 3.12, 4.7: a new document or a forgotten key takes it along."""
        ring = warm()
        ring.remember("segment", self.HEADER, A)
        load(ring, START, B)
        assert ring.known("segment", START) is None
        ring = warm()
        ring.remember("segment", self.HEADER, A)
        ring.state = ring.state.forgetting("a")
        assert ring.known("segment", START) is None

    def test_a_key_of_an_older_set_is_not_remembered(self) -> None:
        """A refresh between verifying and remembering must not revive a key that it removed."""
        ring = warm()
        load(ring, START, B)
        ring.remember("segment", self.HEADER, A)
        assert ring.known("segment", START) is None

    def test_a_header_without_kid_is_not_remembered(self) -> None:
        """It names no key."""
        ring = warm()
        ring.remember("segment", Header("RS256"), A)
        assert ring.known("segment", START) is None

    def test_a_forgotten_kid_is_not_remembered_for_a_key_that_answers_to_any(self) -> None:
        """Law 4.7: a configured key outlasts every kid that was disowned, and what named it by one does not."""
        unnamed = Key(None, "RSA", None, frozenset({"RS256"}), b"unnamed", answers_any_kid=True)
        ring = KeyRing.static(NAME, KeySet((unnamed,)))
        ring.state = ring.state.forgetting("a")
        ring.remember("forgotten", self.HEADER, unnamed)
        ring.remember("other", Header("RS256", "b"), unnamed)
        assert ring.known("forgotten", START) is None
        assert ring.known("other", START) is not None

    def test_nothing_is_remembered_without_a_set(self) -> None:
        """A set may end between verifying and remembering."""
        ring = KeyRing(NAME)
        ring.remember("segment", self.HEADER, A)
        assert ring.known("segment", START) is None


class TestStaticRing:
    RING = KeyRing.static(NAME, KeySet((A,)))

    def test_it_is_never_old_and_never_refreshed(self) -> None:
        """Keys of the configuration have no age."""
        later = START.plus(1000 * HOUR)
        assert Use((A,)) == self.RING.plan("a", "RS256", later)
        assert not self.RING.state.may_start(later, unknown_kid=True)

    def test_an_unknown_kid_is_refused_at_once(self) -> None:
        """Nothing can be fetched."""
        assert UnknownKey is error_of(self.RING.plan("z", "RS256", START.plus(1000 * HOUR)))
        assert UnknownKey is error_of(self.RING.plan_newer("RS256", (A,), START))

    def test_its_keys_can_be_forgotten(self) -> None:
        """Law 4.7."""
        ring = KeyRing.static(NAME, KeySet((A,)))
        ring.state = ring.state.forgetting("a")
        assert UnknownKey is error_of(ring.plan("a", "RS256", START))
        assert "static" == ring.health(START).status

    def test_its_headers_are_recalled_for_ever(self) -> None:
        """It is always fresh."""
        ring = KeyRing.static(NAME, KeySet((A,)))
        ring.remember("segment", Header("RS256", "a"), A)
        assert ring.known("segment", START.plus(1000 * HOUR)) is not None


class TestHealth:
    def test_it_says_how_the_set_is(self) -> None:
        """Law 4.12: fresh, stale with its age, down, and the last error."""
        ring = KeyRing(RingName("main", "t1"))
        assert KeySetHealth("main", "t1", "down", None, 0, None) == ring.health(START)
        load(ring, START)
        assert KeySetHealth("main", "t1", "fresh", 10.0, 2, None) == ring.health(START.plus(10))
        fail(ring, START.plus(310), "no answer")
        assert KeySetHealth("main", "t1", "stale", 400.0, 2, "no answer") == ring.health(START.plus(400))
        past = START.plus(25 * HOUR)
        assert KeySetHealth("main", "t1", "down", 25 * HOUR, 0, "no answer") == ring.health(past)
        fail(ring, past, "no answer")
        assert KeySetHealth("main", "t1", "down", None, 0, "no answer") == ring.health(past)

    def test_keys_of_the_configuration_are_static(self) -> None:
        """They have neither age nor errors."""
        assert KeySetHealth("main", None, "static", None, 1, None) == TestStaticRing.RING.health(START)


class TestNotices:
    def told(self, ring: KeyRing, now: Instant, *, alarm: bool = False, **how: Any) -> list[tuple[str, bool]]:
        """Codes and alarms of the notices about one more failure."""
        before = ring.state
        fail(ring, now, **how)
        return [(notice.code, notice.alarm) for notice in notices(NAME, before, ring.state, alarm=alarm)]

    def test_a_failure_is_told_once_for_each_reason(self) -> None:
        """An operator reads what changed, not every attempt."""
        ring = warm()
        assert [("keys_refresh_failed", False)] == self.told(ring, START.plus(301))
        assert [] == self.told(ring, START.plus(310))
        assert [("keys_refresh_failed", False)] == self.told(ring, START.plus(320), reason="another")
        assert [False] == [notice.alarm for notice in notices(NAME, warm().state, ring.state)]

    def test_what_only_a_person_can_mend_is_an_alarm(self) -> None:
        """Law 1.6: a later configuration error raises an alarm."""
        assert [("keys_refresh_failed", True)] == self.told(KeyRing(NAME), START, alarm=True)

    def test_recovery_is_told_after_a_failure_only(self) -> None:
        """A refresh that went well is no news."""
        ring = warm()
        before = ring.state
        assert [] == list(notices(NAME, before, before.loaded(document(), START)))
        fail(ring, START)
        after = ring.state.loaded(document(), START)
        assert [Notice("keys_recovered", "main", "the keys can be refreshed again")] == list(
            notices(NAME, ring.state, after)
        )

    def test_warnings_of_a_document_are_told_when_they_are_new(self) -> None:
        """Law 4.8: private and symmetric keys in a document are ignored with a warning."""
        tenant, ring = RingName("main", "t1"), KeyRing(NAME)
        after = ring.state.loaded(document(warnings=("w1", "w2")), START)
        expected = [Notice("keys_document", "main (t1)", text) for text in ("w1", "w2")]
        assert expected == list(notices(tenant, ring.state, after))
        again = after.loaded(document(warnings=("w2", "w3")), START)
        assert [Notice("keys_document", "main (t1)", "w3")] == list(notices(tenant, after, again))

    def test_the_end_of_a_set_is_announced_and_told(self) -> None:
        """Law 4.4: there is time to act before no key answers."""
        ring, how = warm(), dict[str, Any](definite=True, reason="status 404")
        assert [("keys_refresh_failed", False)] == self.told(ring, START.plus(400), **how)
        assert [] == self.told(ring, START.plus(500), **how)
        assert [("keys_ending", True)] == self.told(ring, START.plus(700), **how)
        assert [] == self.told(ring, START.plus(800), **how)
        assert [("keys_ended", True)] == self.told(ring, START.plus(1300), **how)
        assert [] == self.told(ring, START.plus(1400), **how)

    def test_each_says_whose_keys_it_is_about(self) -> None:
        """An operator of many tenants is told which of them, and how much time there is."""
        tenant, ring = RingName("main", "t1"), warm()
        told: list[Notice] = []
        for moment in (400.0, 500.0, 700.0, 1300.0):
            before = ring.state
            fail(ring, START.plus(moment), definite=True, reason="status 404")
            told += notices(tenant, before, ring.state)
        assert [("main (t1)", code) for code in ("keys_refresh_failed", "keys_ending", "keys_ended")] == [
            (notice.subject, notice.code) for notice in told
        ]
        failed, ending, ended = (notice.text for notice in told)
        assert "status 404" in failed
        assert "15 minutes" in ending
        assert "503" in ended


class TestKeySource:
    def test_exactly_one_url_is_given(self) -> None:
        """A ring that could ask nobody, or two, is a mistake of the code that makes it."""
        with pytest.raises(ValueError, match="give one of them"):
            KeySource(algorithms=frozenset({"RS256"}))
        with pytest.raises(ValueError, match="give one of them"):
            KeySource(algorithms=frozenset({"RS256"}), jwks_url="https://a", discovery_url="https://b")

    def test_requests_are_signed_where_the_issuer_asks_for_that(self) -> None:
        """Elsewhere they are sent as they are; a signature is of the moment at which the request is sent."""

        class Signing:
            def signed(self, request: object, *, now: Instant) -> object:
                return (request, now)

        request: Any = object()
        signing: Any = Signing()
        plain = KeySource(algorithms=frozenset({"RS256"}), jwks_url="https://a")
        signed = KeySource(algorithms=frozenset({"RS256"}), jwks_url="https://a", signing=signing)

        assert request is plain.signer(START)(request)
        expected: object = (request, START)
        assert expected == signed.signer(START)(request)
