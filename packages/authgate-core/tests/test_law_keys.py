"""The life of a key set as requests see it, over real HTTP and with a clock that a test moves (section 4)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.events import Decided, Notice
from authgate_core.keyring import KeySetHealth
from authgate_core.testing import ABSENT, FakeIssuer, ManualClock
from authgate_core.testing.issuer import JWKS_PATH
from tests.support.gates import Face, face


@pytest.fixture(name="colour", params=["sync", "async"])
def _colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="clock")
def _clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(name="fake")
def _fake(clock: ManualClock) -> Iterator[FakeIssuer]:
    with FakeIssuer(clock=clock) as fake:
        yield fake


@pytest.fixture(name="events")
def _events() -> list[Decided | Notice]:
    return []


@pytest.fixture(name="make")
def _make(
    colour: str, fake: FakeIssuer, clock: ManualClock, events: list[Decided | Notice]
) -> Iterator[Callable[..., Face]]:
    made: list[Face] = []

    def make(**options: Any) -> Face:
        issuer = ag.Issuer.jwks(fake.jwks_url, issuer=fake.url, audience=fake.audience, name="id")
        plain = {"issuers": [issuer], "on_event": events.append, "revocation": ag.MemoryRevocation()}
        made.append(face(colour, ag.GateConfig(**{**plain, **options}), clock))
        return made[-1]

    yield make
    for gate in made:
        gate.close()


def health(gate: Face) -> KeySetHealth:
    """How the one key set of a gate is."""
    (keys,) = gate.gate.health().keys
    return keys


def outcome(gate: Face, token: str) -> str:
    """Who is admitted, or the code of the refusal."""
    try:
        return gate.verify_token(token).user.id
    except ag.AuthgateError as error:
        return error.code


def until(reached: Callable[[], bool]) -> None:
    """Give what runs in the background the time that it needs."""
    deadline = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.002)


def refreshed(gate: Face, fake: FakeIssuer) -> None:
    """Let a request find the set stale, and wait until the refresh that it began is over."""
    before = fake.hits[JWKS_PATH]
    outcome(gate, fake.token())
    until(lambda: fake.hits[JWKS_PATH] > before and gate.gate._refresher._flights == {})


class TestNoFetch:
    """Laws 3.4 and 4.5: who may make the gate ask its issuer."""

    def test_a_bad_signature_under_a_known_kid(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 3.4: never, however many come."""
        gate = make()
        gate.verify_token(fake.token())

        for _ in range(20):
            assert "token_signature" == outcome(gate, fake.hostile.forged())
        assert "token_algorithm" == outcome(gate, fake.token(headers={"alg": "PS256"}))

        assert 1 == fake.hits[JWKS_PATH]

    def test_a_token_without_a_kid_counts_as_an_unknown_one(
        self, make: Callable[..., Face], fake: FakeIssuer
    ) -> None:
        """Law 3.4: where no key that fits verifies it, and the published one is found."""
        gate = make()
        assert "u1" == outcome(gate, fake.token("u1", kid=ABSENT))
        fake.rotate()

        assert "u2" == outcome(gate, fake.token("u2", kid=ABSENT))
        assert 2 == fake.hits[JWKS_PATH]

    def test_unknown_kids_draw_two_and_then_one_in_ten_seconds(
        self, make: Callable[..., Face], fake: FakeIssuer, clock: ManualClock
    ) -> None:
        """Law 4.5: whatever number of kids is made up; the key published meanwhile is accepted with the next."""
        gate = make()
        gate.verify_token(fake.token())
        for number in range(20):
            assert "token_key_unknown" == outcome(gate, fake.token(kid=f"made-up-{number}"))
        assert 3 == fake.hits[JWKS_PATH]

        fake.rotate()
        assert "token_key_unknown" == outcome(gate, fake.token())
        clock.advance(10)

        assert "u1" == outcome(gate, fake.token("u1"))
        assert 4 == fake.hits[JWKS_PATH]

    def test_an_unknown_kid_is_401_or_503_by_the_age_of_the_document(
        self, make: Callable[..., Face], fake: FakeIssuer, clock: ManualClock
    ) -> None:
        """Law 4.5: of a document of 15 minutes ago nobody can say that a key does not exist."""
        gate = make()
        gate.verify_token(fake.token())
        fake.outage(500)

        assert "token_key_unknown" == outcome(gate, fake.token(kid="new"))
        clock.advance(900)
        assert "token_key_unknown" == outcome(gate, fake.token(kid="new"))
        clock.advance(1)
        assert "keys_unavailable" == outcome(gate, fake.token(kid="new"))


class Forbidden:
    """A lock that nobody may take."""

    def __enter__(self) -> None:
        raise AssertionError("a lock was taken")

    def __exit__(self, *exception: object) -> None:
        """Never reached."""

    acquire = release = __enter__


class TestWarm:
    """Law 4.2: a fresh set just answers."""

    def test_without_input_output_or_locks(
        self, make: Callable[..., Face], fake: FakeIssuer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Admitting and refusing alike: the refresher's lock and the store's are out of reach, and no thread starts."""
        gate = make()
        gate.verify_token(fake.token())
        (store,) = gate.gate._stores
        for holder in (gate.gate._refresher, getattr(store, "_store", store)):
            assert hasattr(holder, "_lock")
            monkeypatch.setattr(holder, "_lock", Forbidden())

        def refuse(_: object) -> None:
            raise AssertionError("a thread was started")

        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            for _ in range(3):
                assert "u1" == outcome(gate, fake.token("u1"))
                assert "token_signature" == outcome(gate, fake.hostile.forged())
                assert "token_expired" == outcome(gate, fake.hostile.expired())
        monkeypatch.undo()

        assert 1 == fake.hits[JWKS_PATH]


class TestAgeing:
    """Laws 4.3 and 4.12: fresh, stale, idle, and what health says meanwhile."""

    def test_a_stale_set_answers_and_is_refreshed(
        self, make: Callable[..., Face], fake: FakeIssuer, clock: ManualClock
    ) -> None:
        """Law 4.3: the request that finds it stale is answered while the refresh hangs; one runs, for all of them."""
        gate = make()
        gate.verify_token(fake.token())
        clock.advance(301)
        fake.slow(30)

        assert ["u1"] * 5 == [outcome(gate, fake.token("u1")) for _ in range(5)]
        until(lambda: fake.hits[JWKS_PATH] == 2)
        assert ("stale", 301.0) == (health(gate).status, health(gate).age)
        fake.recover()
        until(lambda: health(gate).status == "fresh")

        assert (0.0, 2) == (health(gate).age, fake.hits[JWKS_PATH])

    @pytest.mark.parametrize(("max_age", "fresh_for"), [(None, 300), (1, 60), (600, 600), (86400, 900)])
    def test_the_response_says_how_long_within_bounds(
        self,
        make: Callable[..., Face],
        fake: FakeIssuer,
        clock: ManualClock,
        max_age: int | None,
        fresh_for: int,
    ) -> None:
        """Law 4.3: 5 minutes, or its max-age between 1 and 15."""
        fake.max_age(max_age)
        gate = make()
        gate.verify_token(fake.token())

        clock.advance(fresh_for)
        assert "fresh" == health(gate).status
        clock.advance(1)
        assert "stale" == health(gate).status

    def test_after_an_idle_time_a_request_waits_for_the_refresh(
        self, make: Callable[..., Face], fake: FakeIssuer, clock: ManualClock
    ) -> None:
        """Law 4.3: so that a key withdrawn while nobody asked is not believed once more."""
        gate, old = make(), fake.kid
        gate.verify_token(fake.token())
        fake.rotate(keep_old=False)
        clock.advance(901)

        assert "token_key_unknown" == outcome(gate, fake.token(kid=old))
        assert "u1" == outcome(gate, fake.token("u1"))

    def test_a_wall_clock_that_jumped_counts(
        self, make: Callable[..., Face], fake: FakeIssuer, clock: ManualClock
    ) -> None:
        """Law 4.3: age is the larger of both clocks, as after a machine has slept."""
        gate = make()
        gate.verify_token(fake.token())

        clock.jump_wall(301)

        assert ("stale", 301.0) == (health(gate).status, health(gate).age)


class TestOutages:
    """Law 4.4: an issuer's outage logs nobody out."""

    @pytest.mark.parametrize(
        "how", ["status 500", "status 429", "garbage", "html", "refused", "no usable key"]
    )
    def test_known_keys_go_on(
        self, make: Callable[..., Face], fake: FakeIssuer, clock: ManualClock, how: str
    ) -> None:
        """To the hard limit, whatever the issuer answers; past it 503, and a good document ends that."""
        gate = make()
        gate.verify_token(fake.token())
        break_down(fake, how)

        clock.advance(301)
        assert "u1" == outcome(gate, fake.token("u1"))
        until(lambda: health(gate).last_error is not None)
        for step in (10_000, 76_099):
            clock.advance(step)
            assert "u1" == outcome(gate, fake.token("u1"))
        clock.advance(1)
        until(lambda: gate.gate._refresher._flights == {})
        assert "keys_unavailable" == outcome(gate, fake.token("u1"))
        assert "down" == health(gate).status

        fake.recover()
        clock.advance(60)
        assert "u1" == outcome(gate, fake.token("u1"))
        assert ("fresh", None) == (health(gate).status, health(gate).last_error)

    def test_the_hard_limit_is_configurable(
        self, make: Callable[..., Face], fake: FakeIssuer, clock: ManualClock
    ) -> None:
        """By ``GateConfig(max_stale=...)``, in seconds."""
        gate = make(max_stale=1000)
        gate.verify_token(fake.token())
        fake.outage(500)

        clock.advance(1000)
        assert "u1" == outcome(gate, fake.token("u1"))
        clock.advance(1)
        assert "keys_unavailable" == outcome(gate, fake.token("u1"))

    @pytest.mark.parametrize("how", ["status 404", "status 410", "empty"])
    def test_definite_answers_end_the_set(
        self,
        make: Callable[..., Face],
        fake: FakeIssuer,
        clock: ManualClock,
        events: list[Decided | Notice],
        how: str,
    ) -> None:
        """Three in a row over at least 5 minutes, and 15 minutes after the first; with an alarm in between."""
        gate = make()
        gate.verify_token(fake.token())
        break_down(fake, how)

        clock.advance(301)
        refreshed(gate, fake)
        for _ in range(2):
            clock.advance(150)
            refreshed(gate, fake)
        assert "keys_ending" in alarms(events)
        clock.advance(599)
        assert "u1" == outcome(gate, fake.token("u1"))
        until(lambda: gate.gate._refresher._flights == {})
        clock.advance(1)

        assert "keys_unavailable" == outcome(gate, fake.token("u1"))
        assert "down" == health(gate).status


def break_down(fake: FakeIssuer, how: str) -> None:
    """Make an issuer answer like this from now on."""
    kind, _, status = how.partition(" ")
    if kind == "status":
        fake.outage(int(status))
    elif how == "html":
        fake.html()
    elif how == "refused":
        fake.outage(None)
    elif how == "empty":
        fake.empty_keys()
    else:
        fake.answer(b"}{" if how == "garbage" else b'{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"k"}]}')


def alarms(events: list[Decided | Notice]) -> set[str]:
    """The codes of the notices that ask for somebody."""
    return {event.code for event in events if isinstance(event, Notice) and event.alarm}


class TestWithdrawn:
    """Law 4.7: a key that is gone from a good document stops working with that refresh."""

    def test_dropped_by_the_issuer(
        self, make: Callable[..., Face], fake: FakeIssuer, clock: ManualClock
    ) -> None:
        """Until then it works, and from then on it does not, though its tokens are still in their time."""
        gate, old = make(), fake.kid
        gate.verify_token(fake.token())
        fake.rotate(keep_old=False)
        clock.advance(301)

        refreshed(gate, fake)

        assert "token_key_unknown" == outcome(gate, fake.token(kid=old))
        assert "u1" == outcome(gate, fake.token("u1"))

    def test_forgotten_here(self, make: Callable[..., Face], fake: FakeIssuer, clock: ManualClock) -> None:
        """At once, and for the life of the process, though the issuer goes on publishing it."""
        gate, other, old = make(), make(), fake.kid
        for one in (gate, other):
            one.verify_token(fake.token())

        gate.gate.keys.forget("id", old)
        assert "token_key_unknown" == outcome(gate, fake.token())
        fake.rotate()
        for _ in range(3):
            clock.advance(1000)
            refreshed(gate, fake)
            assert old in fake.kids
            assert ["token_key_unknown", "u1"] == [
                outcome(gate, fake.token("u1", kid=kid)) for kid in fake.kids
            ]

        assert "u1" == outcome(other, fake.token("u1", kid=old))

    def test_of_an_issuer_that_the_gate_does_not_have(
        self, make: Callable[..., Face], fake: FakeIssuer
    ) -> None:
        """An operator's mistake in an emergency is said, not swallowed; a tenant is part of the name."""
        gate = make()
        with pytest.raises(KeyError):
            gate.gate.keys.forget("other", fake.kid)
        with pytest.raises(KeyError):
            gate.gate.keys.forget("id", fake.kid, tenant="t1")


class TestDocuments:
    """Law 4.8: what replaces a set."""

    def test_one_bad_key_does_not_spoil_the_others(
        self, make: Callable[..., Face], fake: FakeIssuer, events: list[Decided | Notice]
    ) -> None:
        """Private and symmetric ones are ignored, and the operator is told."""
        bad = [{"kty": "oct", "k": "c2VjcmV0", "kid": "s"}, {"kty": "RSA", "n": "!", "e": "AQAB"}, 7]
        private = {**fake.jwks()["keys"][0], "kid": "p", "d": "AQAB"}
        answer_keys(fake, [*bad, private, *fake.jwks()["keys"]])

        assert "u1" == outcome(make(), fake.token("u1"))
        until(
            lambda: 4 == sum(isinstance(event, Notice) and event.code == "keys_document" for event in events)
        )

    def test_more_than_a_hundred_keys(
        self, make: Callable[..., Face], fake: FakeIssuer, clock: ManualClock
    ) -> None:
        """Such a document is refused whole, and what was known goes on."""
        gate = make()
        gate.verify_token(fake.token())
        good = fake.jwks()["keys"][0]
        answer_keys(fake, [{**good, "kid": f"k{number}"} for number in range(101)])
        clock.advance(301)

        refreshed(gate, fake)

        assert "u1" == outcome(gate, fake.token("u1"))
        assert "101 keys" in str(health(gate).last_error)


def answer_keys(fake: FakeIssuer, keys: list[Any]) -> None:
    """Publish these keys instead."""
    fake.answer(json.dumps({"keys": keys}).encode(), paths=[JWKS_PATH])


class TestStart:
    """Law 4.12: the application starts while the issuer is down."""

    def test_warm_up_raises_nothing(
        self, make: Callable[..., Face], fake: FakeIssuer, clock: ManualClock
    ) -> None:
        """It says what is wrong in health, and everything is as it should be once the issuer is back."""
        fake.outage(None)
        gate = make()
        gate.warm_up(5)
        assert ("down", None, 0) == (health(gate).status, health(gate).age, health(gate).keys)
        assert "no connection" in str(health(gate).last_error)

        fake.recover()
        clock.advance(60)
        gate.warm_up(5)

        assert ("fresh", 0.0, 1, None) == (
            health(gate).status,
            health(gate).age,
            health(gate).keys,
            health(gate).last_error,
        )
