"""The circuit breaker as a value: when it opens, whom it admits, how it closes."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from authgate_core.breaker import LONGEST_REST, Breaker, Pace


def failed(*times: float) -> Breaker:
    """A breaker after failures at these times."""
    breaker = Breaker()
    for time in times:
        breaker = breaker.failed(time)
    return breaker


class TestOpening:
    def test_five_failures_within_two_seconds_open_it(self) -> None:
        """Law 5.5: it opens after five consecutive failures within two seconds."""
        assert not failed(0.0, 0.5, 1.0, 1.5).is_open
        assert failed(0.0, 0.5, 1.0, 1.5, 2.0).is_open

    def test_slow_failures_do_not_open_it(self) -> None:
        """Law 5.5: five failures over more than two seconds leave it closed, however many follow."""
        assert not failed(0.0, 0.5, 1.0, 1.5, 2.1).is_open
        assert not failed(*range(100)).is_open

    def test_the_last_five_count(self) -> None:
        """Old failures are not held against the time that newer ones took."""
        assert failed(0.0, 10.0, 10.1, 10.2, 10.3, 10.4).is_open

    def test_a_success_between_starts_anew(self) -> None:
        """Law 5.5: the failures are consecutive."""
        breaker = failed(0.0, 0.1, 0.2, 0.3).succeeded()
        assert Breaker() == breaker
        assert not breaker.failed(0.4).is_open

    def test_a_success_without_failures_changes_nothing(self) -> None:
        """A breaker at rest stays the same value, so nobody has to swap it."""
        breaker = Breaker()
        assert breaker is breaker.succeeded()


class TestPace:
    """What is asked in another way than a store may have another measure."""

    PACE = Pace(opens_after=2, within=10.0, longest_rest=0.25)

    def test_how_many_within_how_long(self) -> None:
        """Two within ten seconds, here."""
        assert Breaker(self.PACE).failed(0.0).failed(10.0).is_open
        assert not Breaker(self.PACE).failed(0.0).failed(10.1).is_open

    def test_how_long_it_rests(self) -> None:
        """Never longer than it says, at first and later."""
        breaker = Breaker(self.PACE).failed(0.0).failed(0.0)
        assert 0.25 == breaker.rest(0.0)
        probing = breaker.start_probe(0.25)
        assert probing is not None
        assert 0.25 == probing.end_probe(1.0, succeeded=False).rest(1.0)

    def test_it_stays(self) -> None:
        """Through failures, successes and probes."""
        opened = Breaker(self.PACE).failed(0.0).succeeded().failed(0.0).failed(0.0)
        probing = opened.start_probe(0.25)
        assert probing is not None
        assert Breaker(self.PACE) == probing.end_probe(1.0, succeeded=True)


class TestProbing:
    def opened(self) -> Breaker:
        return failed(1.0, 1.0, 1.0, 1.0, 1.0)

    def test_a_closed_breaker_needs_no_probe(self) -> None:
        """Nothing is probed that requests ask anyway."""
        assert Breaker().start_probe(5.0) is None
        assert 0.0 == Breaker().rest(5.0)

    def test_the_probe_rests_first(self) -> None:
        """A server that has just fallen is left alone for half a second."""
        breaker = self.opened()
        assert 0.5 == breaker.rest(1.0)
        assert breaker.start_probe(1.49) is None
        assert breaker.start_probe(1.5) is not None

    def test_exactly_one_probe(self) -> None:
        """Law 5.5: while one probe is under way no other may start."""
        probing = self.opened().start_probe(2.0)
        assert probing is not None
        assert probing.is_open
        assert probing.start_probe(99.0) is None
        assert 0.0 == probing.rest(2.0)

    def test_a_good_probe_closes_it(self) -> None:
        """Law 5.5: the probe alone decides."""
        probing = self.opened().start_probe(2.0)
        assert probing is not None
        assert Breaker() == probing.end_probe(2.1, succeeded=True)

    def test_requests_do_not_close_it(self) -> None:
        """A late answer to a request from before proves nothing; neither does another failure."""
        breaker = self.opened()
        assert breaker is breaker.succeeded()
        assert breaker is breaker.failed(1.1)

    def test_rests_grow_to_a_limit_that_keeps_recovery_within_five_seconds(self) -> None:
        """Law 5.5: however long the outage, the longest rest and a probe's 0.3 s fit into five seconds."""
        breaker, now, rests = self.opened(), 1.0, []
        for _ in range(40):
            now += breaker.rest(now)
            probing = breaker.start_probe(now)
            assert probing is not None
            breaker = probing.end_probe(now, succeeded=False)
            rests.append(breaker.rest(now))
        assert [1.0, 2.0, 2.0] == rests[:3]
        assert LONGEST_REST == max(rests)
        assert LONGEST_REST + 0.3 < 5.0

    def test_a_probe_that_was_not_started_cannot_end(self) -> None:
        """Whoever did not claim the probe has no say."""
        breaker = self.opened()
        assert breaker is breaker.end_probe(9.0, succeeded=True)


class BreakerMachine(RuleBasedStateMachine):
    """Any order of failures, successes, probes and pauses, beside a plain list of what happened."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker()
        self.now = 100.0
        self.streak: list[float] = []
        self.probes = 0

    @rule(seconds=st.floats(0.0, 3.0))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def fail(self) -> None:
        was_open = self.breaker.is_open
        self.breaker = self.breaker.failed(self.now)
        if not was_open:
            self.streak.append(self.now)
            due = len(self.streak) >= 5 and self.now - self.streak[-5] <= 2.0
            assert due == self.breaker.is_open

    @rule()
    def succeed(self) -> None:
        was_open = self.breaker.is_open
        self.breaker = self.breaker.succeeded()
        assert was_open == self.breaker.is_open
        if not was_open:
            self.streak.clear()

    @rule()
    def start_probe(self) -> None:
        started = self.breaker.start_probe(self.now)
        if started is not None:
            assert self.breaker.is_open
            self.probes += 1
            self.breaker = started

    @rule(succeeded=st.booleans())
    def end_probe(self, succeeded: bool) -> None:
        ended = self.breaker.end_probe(self.now, succeeded=succeeded)
        if self.probes:
            self.probes -= 1
            assert ended.is_open != succeeded
            if succeeded:
                self.streak.clear()
        else:
            assert ended is self.breaker
        self.breaker = ended

    @invariant()
    def at_most_one_probe(self) -> None:
        """Law 5.5: never two probes at once."""
        assert self.probes in {0, 1}
        assert bool(self.probes) == self.breaker.probing

    @invariant()
    def recovery_is_near(self) -> None:
        """Whatever happened, the next probe is never further away than the longest rest."""
        assert 0.0 <= self.breaker.rest(self.now) <= LONGEST_REST


TestBreakerMachine = BreakerMachine.TestCase


@pytest.mark.parametrize("count", [1, 4])
def test_a_breaker_is_a_value(count: int) -> None:
    """Law 7.2: every transition answers a new one and leaves the old one as it was."""
    before = failed(*[1.0] * count)
    before.failed(1.1)
    assert failed(*[1.0] * count) == before
