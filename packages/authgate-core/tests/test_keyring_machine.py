"""The key ring against any order of requests, answers, outages, rotations and clock jumps (Laws 4.3 to 4.7)."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from authgate_core.clock import Instant
from authgate_core.effects import RingName
from authgate_core.errors import UnknownKey
from authgate_core.jose.keys import Key, KeyDocument, KeySet
from authgate_core.keyring import Await, KeyRing, KeyTimes, Refuse, Settled, Unavailable, Use, UseAndRefresh

TIMES = KeyTimes()
KIDS = ("a", "b", "c", "d")
ANSWERS = ("good", "error", "definite")
SPANS = st.one_of(
    st.floats(0, 2), st.floats(0, 70), st.sampled_from([10.0, 299.0, 301.0, 901.0, 3600.0, 86401.0])
)


@dataclass(slots=True)
class Attempt:
    """A refresh that started."""

    at: float
    was_due: bool


class KeyRingMachine(RuleBasedStateMachine):
    """Plays issuer, refresher and requests; keeps its own, simpler account of what must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.now = Instant(1_800_000_000.0, 1_000.0)
        self.ring = KeyRing(RingName("main"))
        self.published: frozenset[str] = frozenset({"a"})
        self.forgotten: set[str] = set()
        self.answer = "good"
        self.attempts: list[Attempt] = []
        self.in_flight = False
        # What the newest good document said, and when it came.
        self.known: frozenset[str] = frozenset()
        self.loaded_at: Instant | None = None
        self.failed_at = float("-inf")
        self.soft_ttl = 300.0
        self.row: list[float] = []
        self.ends_at = float("inf")
        # What the issuer asks for beside its answers, in seconds.
        self.max_age: float | None = None
        self.retry_after = 0.0
        self.failures = 0
        self.pause_ends = float("-inf")

    # What the world does.

    @rule(span=SPANS)
    def time_passes(self, span: float) -> None:
        self.now = self.now.plus(span)

    @rule(span=st.floats(-7200, 7200))
    def wall_clock_jumps(self, span: float) -> None:
        self.now = Instant(self.now.wall + span, self.now.mono)

    @rule(kids=st.sets(st.sampled_from(KIDS), min_size=1))
    def keys_are_rotated(self, kids: set[str]) -> None:
        self.published = frozenset(kids)

    @rule(answer=st.sampled_from(ANSWERS))
    def issuer_changes(self, answer: str) -> None:
        self.answer = answer

    @rule(max_age=st.sampled_from([None, 0.0, 1.0, 59.0, 61.0, 400.0, 900.0, 1e9]))
    def issuer_says_how_long(self, max_age: float | None) -> None:
        self.max_age = max_age

    @rule(retry_after=st.sampled_from([0.0, 0.0, 7.0, 120.0, 1e9]))
    def issuer_asks_for_patience(self, retry_after: float) -> None:
        self.retry_after = retry_after

    @rule(kid=st.sampled_from(KIDS))
    def key_is_forgotten(self, kid: str) -> None:
        self.ring.state = self.ring.state.forgetting(kid)
        self.forgotten.add(kid)

    # What the refresher does.

    def start(self, *, unknown_kid: bool) -> None:
        state = self.ring.state
        if state.may_start(self.now, unknown_kid=unknown_kid):
            assert not self.in_flight, "at most one refresh at a time"
            self.attempts.append(
                Attempt(self.now.mono, was_due=self.age() > self.soft_ttl or not self.usable())
            )
            self.ring.state = state.started(self.now)
            self.in_flight = True

    @rule(
        answers=st.lists(st.sampled_from(("definite", "definite", "error")), min_size=3, max_size=6),
        gap=st.sampled_from([61.0, 149.0, 150.0, 151.0, 301.0]),
    )
    def issuer_goes_away(self, answers: list[str], gap: float) -> None:
        """A row of answers without keys, each to a refresh that a request caused."""
        for self.answer in answers:
            self.request("a", 1.0, lands=True)
            self.start(unknown_kid=True)
            if self.in_flight:
                self.refresh_lands(1.0)
            self.now = self.now.plus(gap)

    @rule(
        max_age=st.sampled_from([None, 30.0, 200.0, 1000.0]),
        times=st.sampled_from([1, 3]),
        beside=st.sampled_from([-1.0, 1.0, 50.0]),
    )
    def a_document_grows_old(self, max_age: float | None, times: int, beside: float) -> None:
        """To the end of its soft TTL, or to the idle time after it."""
        self.answer, self.max_age = "good", max_age
        self.now = self.now.plus(901)
        self.request("a", 1.0, lands=True)
        if self.in_flight:
            self.refresh_lands(1.0)
        self.now = self.now.plus(times * self.soft_ttl + beside)
        self.request("a", 1.0, lands=False)

    @rule(count=st.integers(1, 5), gap=st.sampled_from([0.1, 1.1, 5.0]), answer=st.sampled_from(ANSWERS))
    def unknown_kids_are_presented(self, count: int, gap: float, answer: str) -> None:
        self.answer = answer
        for _ in range(count):
            self.request("nobody", 1.0, lands=True)
            self.now = self.now.plus(gap)

    @precondition(lambda self: self.in_flight)
    @rule(jitter=st.floats(0, 1))
    def refresh_lands(self, jitter: float) -> None:
        self.in_flight = False
        state = self.ring.state
        if self.answer == "good":
            keys = [
                Key(kid, "RSA", None, frozenset({"RS256"}), kid.encode()) for kid in sorted(self.published)
            ]
            self.ring.state = state.loaded(KeyDocument(KeySet(keys)), self.now, max_age=self.max_age)
            self.known, self.loaded_at = self.published, self.now
            self.soft_ttl = 300.0 if self.max_age is None else max(60.0, min(900.0, self.max_age))
            self.row, self.ends_at, self.failed_at = [], float("inf"), float("-inf")
            self.failures, self.pause_ends = 0, float("-inf")
        else:
            definite = self.answer == "definite"
            self.ring.state = state.failed(
                "down", self.now, jitter=jitter, definite=definite, retry_after=self.retry_after
            )
            self.count(definite=definite)
            self.failed_at = self.now.mono
            self.pause_ends = self.now.mono + self.pause(jitter)
            self.failures += 1
            if not self.usable():
                self.loaded_at = None

    def count(self, *, definite: bool) -> None:
        self.row = [*self.row, self.now.mono] if definite else []
        if len(self.row) >= 3 and self.row[-1] - self.row[0] >= 300:
            self.ends_at = min(self.ends_at, self.row[0] + 900)

    def pause(self, jitter: float) -> float:
        """Law 4.6: doubled from 1 s to 60 s, half of it by chance; and no shorter than what the issuer asked for."""
        full = min(60.0, 2.0 ** min(self.failures, 10))
        return max(full * (1 + jitter) / 2, min(self.retry_after, 60.0))

    # What requests see.

    def age(self) -> float:
        if self.loaded_at is None:
            return float("inf")
        return max(self.now.mono - self.loaded_at.mono, self.now.wall - self.loaded_at.wall)

    def usable(self) -> bool:
        return self.age() <= 86400 and self.now.mono < self.ends_at

    @rule(kid=st.sampled_from(KIDS), lands=st.booleans(), jitter=st.floats(0, 1))
    def request(self, kid: str, jitter: float, *, lands: bool) -> None:
        plan = self.ring.plan(kid, "RS256", self.now)
        match plan:
            case Await(timeout, unknown_kid):
                self.check_wait(kid, timeout, unknown_kid=unknown_kid)
                self.start(unknown_kid=unknown_kid)
                if self.in_flight and lands:
                    self.refresh_lands(jitter)
                elif self.in_flight:
                    self.now = self.now.plus(timeout)
                self.check_answer(kid, self.ring.settle(kid, "RS256", self.now))
            case UseAndRefresh(keys):
                self.check_answer(kid, Use(keys))
                self.start(unknown_kid=False)
            case _:
                self.check_answer(kid, plan)

    def check_wait(self, kid: str, timeout: float, *, unknown_kid: bool) -> None:
        if not self.usable():
            assert (TIMES.key_wait, False) == (timeout, unknown_kid), "Law 4.10: a cold set"
        elif kid in self.known:
            idle = 3 * self.soft_ttl
            assert self.age() > idle, "Law 4.3: a known kid waits after an idle time only"
            assert self.now.mono - self.failed_at > idle, "Law 4.4: and only once"
            assert (
                0
                < timeout
                <= TIMES.idle_wait - (self.now.mono - self.attempts[-1].at if self.in_flight else 0)
            )
            assert not unknown_kid
        else:
            assert (TIMES.unknown_wait, True) == (timeout, unknown_kid), "Law 4.10: an unknown kid"

    def check_answer(self, kid: str, answer: Settled) -> None:
        if kid in self.forgotten:
            assert isinstance(answer, Refuse), "Law 4.7: forgotten for good"
        elif not self.usable():
            assert isinstance(answer, Unavailable), "Law 4.4: past the limit nothing is used"
        elif kid in self.known:
            assert isinstance(answer, Use), "Law 4.4: known keys go on answering"
            assert [kid] == [key.kid for key in answer.keys]
        elif self.age() <= 900:
            assert isinstance(answer, Refuse), "Law 4.5: 401 while the document is young"
            assert isinstance(answer.error, UnknownKey)
        else:
            assert isinstance(answer, Unavailable), "Law 4.5: 503 later"

    @precondition(lambda self: self.answer == "good" and not self.in_flight and self.usable())
    @rule(kid=st.sampled_from(KIDS), spacing=st.sampled_from([0.5, 1.0, 2.5, 10.0]))
    def a_key_is_published_under_a_flood(self, kid: str, spacing: float) -> None:
        """Law 4.5: accepted at most 10 s and one fetch later, where no pause holds."""
        assume(kid not in self.forgotten and self.ring.state.backoff.is_over(self.now.mono))
        self.published |= {kid}
        waited = 0.0
        while not isinstance(self.ring.plan(kid, "RS256", self.now), Use | UseAndRefresh):
            assert waited <= 10
            self.request("nobody", 0.5, lands=True)
            if kid not in self.known:
                self.now = self.now.plus(spacing)
                waited += spacing

    # What always holds.

    @invariant()
    def fetches_keep_to_the_bucket(self) -> None:
        """Law 4.5: beyond what age asks for, two fetches and one more every 10 s."""
        drawn = [attempt.at for attempt in self.attempts[-12:] if not attempt.was_due]
        for first, at in enumerate(drawn):
            for later, until in enumerate(drawn[first:], 1):
                assert later <= 2 + (until - at) / 10 + 1e-6

    @invariant()
    def a_failed_fetch_empties_the_bucket(self) -> None:
        """Law 4.5: for 10 s no unknown kid causes another fetch of a fresh set."""
        if self.usable() and self.age() <= self.soft_ttl and self.now.mono - self.failed_at < 10 - 1e-6:
            assert not self.ring.state.may_start(self.now, unknown_kid=True)

    @invariant()
    def failures_are_followed_by_a_pause(self) -> None:
        """Law 4.6: from half a second to a minute without any attempt, and then an attempt may start."""
        assert self.failures == 0 or 0.5 - 1e-6 <= self.pause_ends - self.failed_at <= 60 + 1e-6
        if self.now.mono < self.pause_ends - 1e-6:
            assert not self.ring.state.may_start(self.now, unknown_kid=True)
        elif self.now.mono > self.pause_ends + 1e-6 and not self.usable() and not self.in_flight:
            assert self.ring.state.may_start(self.now, unknown_kid=False)

    @invariant()
    def health_agrees(self) -> None:
        """Law 4.12."""
        health = self.ring.health(self.now)
        fresh = self.usable() and self.age() <= self.soft_ttl
        assert health.status == ("fresh" if fresh else "stale" if self.usable() else "down")
        assert health.keys == (len(self.known - self.forgotten) if self.usable() else 0)


KeyRingMachine.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestKeyRingMachine = KeyRingMachine.TestCase
