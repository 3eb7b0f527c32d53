"""The gate under attack: ports that misbehave, observers that fail, requests that are given up."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.effects import CheckRevoked, RefreshProject, StartRefresh
from authgate_core.io.http import SafeHttp
from authgate_core.io.redis import AsyncRedisStore, RedisStore
from authgate_core.keyring import KeyRing
from authgate_core.request import Memo
from authgate_core.runner.lookups import AsyncProjectLookups
from authgate_core.runner.refresher import KeyRefresher
from authgate_core.testing import ABSENT, FakeIssuer
from tests.support.gates import APP_SECRET, PROJECT, Asked, Face, bearer, face, gates, store, trusted, view


@pytest.fixture(name="fake", scope="module")
def _fake() -> FakeIssuer:
    return FakeIssuer(url="https://id.test")


@pytest.fixture(name="colour", params=["sync", "async"])
def _colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="make")
def _make(fake: FakeIssuer, colour: str) -> Iterator[Callable[..., Face]]:
    with gates(fake, colour) as make:
        yield make


class TestOwnPorts:
    """Of what it is handed, a gate uses the port and nothing that happens to have a familiar name."""

    def test_a_member_named_known_is_not_asked(
        self, make: Callable[..., Face], fake: FakeIssuer, colour: str
    ) -> None:
        """Law 5.1: its False would have meant "clear", and a revoked token would have been admitted."""
        mine = store(colour, True, known=lambda self, ref: False)

        with pytest.raises(ag.TokenRevoked):
            make(revocation=mine).verify_token(fake.token())
        assert 1 == mine.asked

    def test_members_named_like_ours_are_left_alone(
        self, make: Callable[..., Face], fake: FakeIssuer, colour: str
    ) -> None:
        """They may be coroutines, or close what others use."""

        async def fail(self: object) -> None:
            raise AssertionError("called")

        mine = store(colour, health=fail, close=fail, aclose=fail, reload=fail, revoke=None, known={})
        gate = make(revocation=mine)

        gate.revoke("reload")
        assert () == gate.gate.health().revocation
        assert "u1" == gate.verify_token(fake.token("u1")).user.id

    @pytest.mark.parametrize(
        ("raised", "expected"),
        [
            (KeyboardInterrupt(), KeyboardInterrupt),
            (SystemExit(3), SystemExit),
            (asyncio.CancelledError(), asyncio.CancelledError),
            (StopIteration(False), RuntimeError),
            (StopAsyncIteration(), StopAsyncIteration),
            (GeneratorExit(), GeneratorExit),
            (TimeoutError("slow"), TimeoutError),
            (RecursionError(), RecursionError),
        ],
    )
    def test_what_a_port_raises_leaves_as_itself(
        self, fake: FakeIssuer, raised: BaseException, expected: type[BaseException]
    ) -> None:
        """Law 1.3: above all, nothing that it raises is taken for an answer."""
        config = ag.GateConfig(issuers=[trusted(fake)], revocation=Asked(raised))
        with ag.Gate(config) as gate, pytest.raises(expected):
            gate.verify_token(fake.token())

    def test_an_error_that_a_port_keeps_is_labelled_anew(self, fake: FakeIssuer) -> None:
        """One exception object raised for every request says each time whom that request concerned."""
        outage = ag.AuthUnavailable("down")
        issuers = [trusted(fake), trusted(fake, issuer="https://b.test", name="b")]
        events: list[Any] = []
        config = ag.GateConfig(
            issuers=issuers, shared_subjects=True, revocation=Asked(outage), on_event=events.append
        )
        with ag.Gate(config) as gate:
            for iss in (fake.url, "https://b.test"):
                with pytest.raises(ag.AuthUnavailable):
                    gate.admit(view(bearer(fake.token(iss=iss))), ag.is_user)

        assert [("id", "bearer"), ("b", "bearer")] == [(e.issuer, e.kind) for e in events]


class TestMemo:
    """Law 2.6: what a request was found to be is shared by its guards; what they accept is not."""

    def test_each_guard_challenges_with_its_own_schemes(
        self, make: Callable[..., Face], fake: FakeIssuer
    ) -> None:
        """Law 1.1: the error is remembered, the first guard's policy is not."""
        gate, memo = make(), Memo()
        request = view(bearer(fake.hostile.expired()), memo=memo)
        accepted = []
        for policy in (ag.is_user, ag.is_user | ag.is_project):
            with pytest.raises(ag.TokenExpired) as caught:
                gate.admit(request, policy)
            accepted.append(caught.value.accepts)

        assert [("Bearer",), ("Bearer", "AppCredentials")] == accepted


class TestJudge:
    """A policy about principals that are there already, as adapters ask it of replaced admissions."""

    USER = ag.User(id="u1", issuer="id", roles=("admin",))
    SHOP = ag.Project(id="shop")

    def judged(
        self, make: Callable[..., Face], policy: ag.Policy, *held: Any, optional: bool = False
    ) -> ag.Admission:
        return make().gate.judge(ag.Admission(held), policy, view(), optional=optional)

    def test_it_shows_who_was_asked_for(self, make: Callable[..., Face]) -> None:
        """Law 8.4."""
        assert (self.USER,) == self.judged(make, ag.any_role("admin"), self.USER, self.SHOP).principals
        assert (self.USER, self.SHOP) == self.judged(
            make, ag.is_user & ag.is_project, self.USER, self.SHOP
        ).principals

    def test_it_refuses_as_a_request_is_refused(self, make: Callable[..., Face]) -> None:
        """Law 2.3."""
        with pytest.raises(ag.AuthorizationError):
            self.judged(make, ag.any_role("other"), self.USER)
        with pytest.raises(ag.MissingCredentials):
            self.judged(make, ag.is_project, self.USER)

    def test_optional_is_for_nobody(self, make: Callable[..., Face]) -> None:
        """Law 1.4: of what is asked for, nothing is there."""
        assert () == self.judged(make, ag.is_project, self.USER, optional=True).principals
        with pytest.raises(ag.MissingCredentials):
            self.judged(make, ag.is_user & ag.is_project, self.USER, optional=True)
        with pytest.raises(ag.AuthorizationError):
            self.judged(make, ag.any_role("other"), self.USER, optional=True)


class TestRemembered:
    """Law 4.2: what a header meant is remembered with the keys, once its token was good."""

    def test_of_good_tokens_and_of_no_others(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """So a forger fills nothing, and a token without a kid says nothing about the next."""
        gate = make()
        segments = []
        for token in (fake.hostile.forged(), fake.token(kid=ABSENT), fake.token()):
            with contextlib.suppress(ag.BadSignature):
                gate.verify_token(token)
            ring = gate.gate._issuers["id"].keys
            assert isinstance(ring, KeyRing)
            segments.append(ring.known(token.partition(".")[0], gate.gate.clock.now()) is not None)

        assert [False, False, True] == segments


class TestLabels:
    """Law 10.1: whatever a port makes up, labels are few."""

    def test_a_directory_makes_no_labels(self, colour: str) -> None:
        """Neither the issuer nor the source that it puts on its projects."""

        class Directory:
            def look_up(self, credentials: object) -> ag.Project:
                return ag.Project(id="shop", issuer="made-up", source="made-up")

        class AsyncDirectory(Directory):
            async def look_up(self, credentials: object) -> ag.Project:  # type: ignore[override]  # the other colour
                return super().look_up(credentials)

        events: list[Any] = []
        directory: Any = Directory() if colour == "sync" else AsyncDirectory()
        gate = face(colour, ag.GateConfig(projects=directory, on_event=events.append))
        gate.admit(view(*PROJECT), ag.is_project)
        gate.close()

        assert [("app", "unknown")] == [(event.kind, event.issuer) for event in events]

    def test_an_outage_is_of_the_kind_that_could_not_be_checked(
        self, make: Callable[..., Face], colour: str
    ) -> None:
        """Also where the store that failed knows nothing of kinds."""
        events: list[Any] = []
        down = store(colour, ag.RevocationUnavailable("down"))
        with pytest.raises(ag.RevocationUnavailable):
            make(revocation=down, on_event=events.append).admit(view(*PROJECT), ag.is_project)

        assert [("unavailable", "app")] == [(event.outcome, event.kind) for event in events]

    def test_a_project_is_identified_by_its_credentials(self) -> None:
        """Also where a directory of one's own does not say so."""
        assert "app" == ag.Project(id="shop").source

    @pytest.mark.parametrize(
        ("trace", "cached"),
        [
            ([], True),
            ([StartRefresh(Any)], True),  # type: ignore[arg-type]  # nobody looks inside
            ([RefreshProject(Any, b"")], True),  # type: ignore[arg-type]  # as above
            ([StartRefresh(Any), CheckRevoked(Any)], False),  # type: ignore[arg-type]  # as above
        ],
    )
    def test_what_goes_on_in_the_background_is_no_wait(
        self, fake: FakeIssuer, trace: Sequence[Any], cached: bool
    ) -> None:
        """``cached`` says whether the request waited for an answer."""
        events: list[Any] = []
        with ag.Gate(ag.GateConfig(issuers=[trusted(fake)], on_event=events.append)) as gate:
            gate._reports.admitted(ag.Admission(), gate.clock.now(), trace)

        assert [cached] == [event.cached for event in events]


class TestObservers:
    """Law 10.2: a failing observer never changes an outcome."""

    def test_a_log_filter_that_fails(
        self,
        make: Callable[..., Face],
        fake: FakeIssuer,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """Logging catches what its handlers raise while they write, and nothing else."""

        def fail(record: logging.LogRecord) -> bool:
            raise RuntimeError("filter")

        gate = make(revocation=ag.MemoryRevocation())
        monkeypatch.setattr(logging.getLogger("authgate"), "filters", [fail])
        logging.getLogger("authgate").setLevel(logging.DEBUG)

        assert "u1" == gate.verify_token(fake.token("u1")).user.id
        with pytest.raises(ag.TokenExpired):
            gate.verify_token(fake.hostile.expired())
        logging.getLogger("authgate").setLevel(logging.NOTSET)
        assert "RuntimeError: filter" in capsys.readouterr().err


class TestReload:
    """Law 5.10: a store that lost its entries is not believed until somebody who wrote them anew says so."""

    def test_the_gate_hands_it_on(self, fake: FakeIssuer, colour: str, own_valkey: Any) -> None:
        """To the stores that it made itself; one in memory has nothing to reload."""
        sources: list[ag.RedisRevocation | ag.MemoryRevocation] = [
            ag.RedisRevocation(own_valkey.url),
            ag.MemoryRevocation(),
        ]
        config = ag.GateConfig(issuers=[trusted(fake)], revocation=sources)
        token = fake.token("u1")

        def lose() -> None:
            own_valkey.stop()
            own_valkey.start()

        async def with_async_gate() -> None:
            async with ag.AsyncGate(config) as gate:
                await gate.verify_token(token)
                lose()
                with pytest.raises(ag.RevocationUnavailable):
                    await gate.verify_token(token)
                await gate.revocations.reload()
                assert "u1" == (await gate.verify_token(token)).user.id

        if colour == "async":
            asyncio.run(with_async_gate())
            return
        with ag.Gate(config) as gate:
            gate.verify_token(token)
            lose()
            with pytest.raises(ag.RevocationUnavailable):
                gate.verify_token(token)
            gate.revocations.reload()
            assert "u1" == gate.verify_token(token).user.id


class TestClosed:
    """Leaving the block lets go of what the gate opened itself."""

    def test_everything_of_its_own_is_closed(
        self, fake: FakeIssuer, colour: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And nothing that it was handed, which ``TestOwnPorts`` shows."""
        closed: list[str] = []

        def closing(self: object) -> None:
            closed.append(type(self).__name__)

        async def closing_async(self: object) -> None:
            closed.append(type(self).__name__)

        for plain in (RedisStore, KeyRefresher, SafeHttp):
            monkeypatch.setattr(plain, "close", closing)
        for awaitable in (AsyncRedisStore, AsyncProjectLookups):
            monkeypatch.setattr(awaitable, "aclose", closing_async)
        config = ag.GateConfig(
            issuers=[trusted(fake)],
            projects=ag.StaticProjects({"shop": {"secret": APP_SECRET}}),
            revocation=[ag.RedisRevocation("redis://127.0.0.1:1"), ag.MemoryRevocation()],
        )

        async def leave() -> None:
            async with ag.AsyncGate(config):
                pass

        if colour == "sync":
            with ag.Gate(config):
                pass
            assert ["RedisStore", "KeyRefresher", "SafeHttp"] == closed
            return
        asyncio.run(leave())
        assert ["AsyncRedisStore", "AsyncProjectLookups", "KeyRefresher", "SafeHttp"] == closed

    def test_a_gate_is_shown_by_its_issuers(self, make: Callable[..., Face], colour: str) -> None:
        """In both colours."""
        name = "Gate" if colour == "sync" else "AsyncGate"

        assert [f"{name}(id)", f"{name}(no issuers)"] == [
            repr(make().gate),
            repr(make(issuers=()).gate),
        ]


class TestCancelled:
    """Law 9.2: a request that is given up leaves nothing behind."""

    def test_in_the_middle_of_admit(self, fake: FakeIssuer) -> None:
        """Neither an answer in the memo nor a store that goes on."""
        ended: list[str] = []

        class Hung:
            async def is_revoked(self, ref: object) -> bool:
                try:
                    await asyncio.sleep(60)
                finally:
                    ended.append("ended")
                return False

        async def give_up() -> Memo:
            memo = Memo()
            async with ag.AsyncGate(
                ag.GateConfig(issuers=[trusted(fake)], revocation=[Hung(), Hung()])
            ) as gate:
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(
                        gate.admit(view(bearer(fake.token()), memo=memo), ag.is_user), 0.05
                    )
            return memo

        assert {} == asyncio.run(give_up()).entries
        assert ["ended", "ended"] == ended
