"""One event for each decision, with labels that no caller can choose (Laws 10.1 and 10.2)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.errors import AuthgateError
from authgate_core.events import Decided, Journal, Notice
from authgate_core.principal import ProjectRef, TokenRef
from authgate_core.testing import FakeIssuer, ManualClock
from tests.support.gates import Face, face

APP_SECRET = "a-secret-of-more-than-thirty-two-characters"
CODES = {"ok"} | {
    error.code for error in vars(ag).values() if isinstance(error, type) and issubclass(error, AuthgateError)
}


class Passing:
    """A revocation store that takes its time, on the clock of the test, and may fail."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.down = False

    def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
        self.clock.advance(0.25)
        if self.down:
            raise ag.RevocationUnavailable("down")
        return False


class AsyncPassing(Passing):
    """``Passing`` for AsyncGate."""

    async def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:  # type: ignore[override]  # the other colour
        return super().is_revoked(ref)


@pytest.fixture(name="clock")
def _clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(name="fake")
def _fake(clock: ManualClock) -> FakeIssuer:
    return FakeIssuer(url="https://id.test", clock=clock)


@pytest.fixture(name="colour", params=["sync", "async"])
def _colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="store")
def _store(colour: str, clock: ManualClock) -> Passing:
    return Passing(clock) if colour == "sync" else AsyncPassing(clock)


@pytest.fixture(name="make")
def _make(colour: str, fake: FakeIssuer, clock: ManualClock, store: Passing) -> Iterator[Callable[..., Face]]:
    made: list[Face] = []

    def make(**options: Any) -> Face:
        issuer = ag.Issuer.static(fake.jwks(), issuer=fake.url, audience=fake.audience, name="id")
        plain = {
            "issuers": [issuer],
            "projects": ag.StaticProjects({"shop": {"secret": APP_SECRET}}),
            "revocation": store,
        }
        made.append(face(colour, ag.GateConfig(**{**plain, **options}), clock))
        return made[-1]

    yield make
    for gate in made:
        gate.close()


def ask(gate: Face, *headers: tuple[str, str], path: str = "/orders") -> None:
    """Let a request with these headers be decided about."""
    request = ag.RequestView("GET", path, headers, path_params={"org": path})
    try:
        gate.admit(request, (ag.is_user & ag.any_role("clerk")) | ag.is_project)
    except AuthgateError:
        return


def bearer(token: str) -> tuple[str, str]:
    """The header of a token."""
    return ("Authorization", f"Bearer {token}")


class TestLabels:
    """Law 10.1: labels are from bounded sets."""

    def test_nothing_that_a_caller_chooses_is_one(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """However often it changes: neither claims, nor kids, nor issuers, nor app ids, nor paths."""
        events: list[Decided | Notice] = []
        gate = make(on_event=events.append)
        for number in range(10):
            made_up = f"made-up-{number}"
            for token in (
                fake.token(made_up, roles=["clerk"]),
                fake.token(made_up, roles=[made_up]),
                fake.token(made_up, iss=f"https://{made_up}.test"),
                fake.token(made_up, kid=made_up),
                fake.token(made_up, aud=made_up),
                fake.token(made_up, headers={"alg": made_up}),
                made_up,
            ):
                ask(gate, bearer(token), path=f"/{made_up}")
            ask(gate, ("x-app-id", made_up), ("x-app-secret", made_up), path=f"/{made_up}")
            ask(gate, ("x-app-id", made_up), path=f"/{made_up}")
            ask(gate, path=f"/{made_up}")

        decided = [event for event in events if isinstance(event, Decided)]
        assert 100 == len(decided)
        assert {"granted", "refused", "unavailable"} >= {event.outcome for event in decided}
        assert {"bearer", "app", "none"} == {event.kind for event in decided}
        assert {"id", "unknown", "projects"} >= {event.issuer for event in decided}
        assert {event.code for event in decided} <= CODES
        assert 20 > len({(event.outcome, event.kind, event.issuer, event.code) for event in decided})

    def test_how_long_it_took(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """From the first look to the decision, as the gate's own clock has it."""
        events: list[Decided | Notice] = []
        make(on_event=events.append).verify_token(fake.token())

        assert [(0.25, False)] == [
            (event.duration, event.cached) for event in events if isinstance(event, Decided)
        ]


class TestLevels:
    """Law 10.1: refusals at INFO, the first of each issuer and code at WARNING, outages at WARNING, grants at DEBUG."""

    def test_each_at_its_own(
        self,
        make: Callable[..., Face],
        fake: FakeIssuer,
        clock: ManualClock,
        store: Passing,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Through the standard library's logging, under ``authgate``."""
        caplog.set_level(logging.DEBUG, "authgate")
        gate = make()
        for _ in range(2):
            ask(gate, bearer(fake.token("u1", roles=["clerk"])))
            ask(gate, bearer(fake.hostile.expired()))
            ask(gate, bearer(fake.hostile.forged()))
            store.down = True
            ask(gate, bearer(fake.token("u1", roles=["clerk"])))
            store.down = False
            clock.advance(5)

        said = [(record.levelname, record.getMessage().split()[1]) for record in caplog.records]
        assert {"authgate"} == {record.name for record in caplog.records}
        assert [
            ("DEBUG", "bearer"),
            ("WARNING", "token_expired"),
            ("WARNING", "token_signature"),
            ("WARNING", "revocation_unavailable"),
            ("DEBUG", "bearer"),
            ("INFO", "token_expired"),
            ("INFO", "token_signature"),
            ("WARNING", "revocation_unavailable"),
        ] == said

    def test_one_reason_does_not_flood(
        self,
        make: Callable[..., Face],
        fake: FakeIssuer,
        clock: ManualClock,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """A line a second for each issuer and code; every one of them still reaches an observer."""
        events: list[Decided | Notice] = []
        gate = make(on_event=events.append)
        for _ in range(50):
            ask(gate, bearer(fake.hostile.expired()))
        clock.advance(1)
        ask(gate, bearer(fake.hostile.expired()))

        assert 51 == len(events)
        assert [False, True] == ["(49 more like it)" in text for text in caplog.messages]

    def test_nobody_listens(
        self,
        make: Callable[..., Face],
        fake: FakeIssuer,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Then a grant makes no event at all."""
        told: list[Decided] = []
        monkeypatch.setattr(Journal, "decided", lambda _self, event, _now: told.append(event))
        gate, token = make(), fake.token("u1", roles=["clerk"])
        caplog.set_level(logging.INFO, "authgate")
        ask(gate, bearer(token))
        assert [] == told

        caplog.set_level(logging.DEBUG, "authgate")
        ask(gate, bearer(token))
        assert ["granted"] == [event.outcome for event in told]


class TestObservers:
    """Law 10.2: an observer that fails never changes an outcome."""

    def test_each_outcome_stands(self, make: Callable[..., Face], fake: FakeIssuer, store: Passing) -> None:
        """Admitted is admitted, refused is refused as itself, and so is an outage; and the gate starts."""

        def fail(event: Decided | Notice) -> None:
            raise OSError("the disk is full")

        gate = make(on_event=fail, shadow=False)
        assert "u1" == gate.verify_token(fake.token("u1")).user.id
        with pytest.raises(ag.TokenExpired):
            gate.verify_token(fake.hostile.expired())
        store.down = True
        with pytest.raises(ag.RevocationUnavailable):
            gate.verify_token(fake.token("u1"))

    def test_a_start_with_warnings(self, make: Callable[..., Face]) -> None:
        """A notice that nobody can take stops no application."""

        def fail(event: Decided | Notice) -> None:
            raise OSError("the disk is full")

        assert make(on_event=fail, revocation=ag.MemoryRevocation(), shadow=True).gate.health().keys
