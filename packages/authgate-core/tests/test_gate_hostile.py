"""The gate under attack: ports that misbehave, operators who slip, credentials that must not be seen."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.effects import CheckRevoked, RefreshProject, StartRefresh
from authgate_core.principal import ProjectRef, TokenRef
from authgate_core.request import Memo
from authgate_core.testing import ABSENT, FakeIssuer
from tests.support.gates import Face, face, view

APP_SECRET = "a-chosen-secret-of-thirty-two-characters"
PROJECT = (("x-app-id", "shop"), ("x-app-secret", APP_SECRET))


@pytest.fixture(name="fake", scope="module")
def _fake() -> FakeIssuer:
    return FakeIssuer(url="https://id.test")


@pytest.fixture(name="colour", params=["sync", "async"])
def _colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="make")
def _make(fake: FakeIssuer, colour: str) -> Iterator[Callable[..., Face]]:
    made: list[Face] = []

    def make(*, issuer: dict[str, Any] | None = None, **options: Any) -> Face:
        projects = ag.StaticProjects(
            {
                "shop": {"secret": APP_SECRET, "enabled_services": ["orders"]},
                "barred": {"secret": APP_SECRET, "enabled_services": ["carts"]},
            }
        )
        given = {"issuers": [trusted(fake, **(issuer or {}))], "projects": projects, **options}
        made.append(face(colour, ag.GateConfig(**given)))
        return made[-1]

    yield make
    for gate in made:
        gate.close()


def trusted(fake: FakeIssuer, **options: Any) -> ag.Issuer:
    """The fake issuer, with static keys."""
    return ag.Issuer.static(
        fake.jwks(), **{"issuer": fake.url, "audience": fake.audience, "name": "id", **options}
    )


def bearer(token: str) -> tuple[str, str]:
    """The header of a token."""
    return ("Authorization", f"Bearer {token}")


class Asked:
    """A revocation store of a user's own, in both colours by turns.

    Args:
        answer: What it answers, or raises.
    """

    def __init__(self, answer: bool | BaseException = False) -> None:
        self.answer = answer
        self.asked = 0

    def is_revoked(self, ref: object) -> bool:
        self.asked += 1
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


class AsyncAsked(Asked):
    """``Asked`` for AsyncGate."""

    async def is_revoked(self, ref: object) -> bool:  # type: ignore[override]  # the other colour
        return super().is_revoked(ref)


def store(colour: str, answer: bool | BaseException = False, **members: Any) -> Any:
    """A store of this colour with further members, which are no part of its port."""
    base = Asked if colour == "sync" else AsyncAsked
    return type("Store", (base,), members)(answer)


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

    def test_members_named_health_and_close_are_left_alone(
        self, make: Callable[..., Face], fake: FakeIssuer, colour: str
    ) -> None:
        """They may be coroutines, or close what others use."""

        async def fail(self: object) -> None:
            raise AssertionError("called")

        gate = make(revocation=store(colour, health=fail, close=fail, aclose=fail, known={}))

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


class TestBarredProjects:
    """Law 2.3 for a project that is known but may not use this service."""

    def test_what_is_missing_goes_before_what_is_not_allowed(self, make: Callable[..., Face]) -> None:
        """No branch has all its kinds, so the answer is 401 and names the kind that is missing."""
        with pytest.raises(ag.MissingCredentials) as caught:
            make(service_id="carts").admit(view(*PROJECT), ag.is_user & ag.is_project)

        assert ("Bearer",) == caught.value.accepts

    def test_another_branch_may_admit(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Nothing that was presented is bad, so the policy decides."""
        admission = make(service_id="carts").admit(
            view(bearer(fake.token("u1")), *PROJECT), ag.is_user | ag.is_project
        )

        assert ("u1", None) == (admission.user.id, admission.get(ag.Project))

    @pytest.mark.parametrize("policy", [ag.is_user & ag.is_project, ag.is_project])
    def test_a_branch_that_needs_it_is_forbidden(
        self, make: Callable[..., Face], fake: FakeIssuer, policy: ag.Policy
    ) -> None:
        """Everything that the branch needs was presented and valid."""
        with pytest.raises(ag.ServiceNotEnabled):
            make(service_id="carts").admit(view(bearer(fake.token()), *PROJECT), policy)

    def test_what_is_missing_of_another_branch_is_said(
        self, make: Callable[..., Face], fake: FakeIssuer
    ) -> None:
        """It is what the caller can do something about."""
        policy = (ag.is_user & ag.all_scopes("orders")) | ag.is_project
        with pytest.raises(ag.InsufficientScope):
            make(service_id="carts").admit(view(bearer(fake.token()), *PROJECT), policy)

    def test_an_invalid_token_goes_first(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """401 before 403."""
        with pytest.raises(ag.TokenExpired):
            make(service_id="carts").admit(
                view(bearer(fake.hostile.expired()), *PROJECT), ag.is_user | ag.is_project
            )


class Down:
    """A store that cannot answer about some, in both colours by turns.

    Args:
        about: Of what it cannot.
    """

    def __init__(self, *about: type) -> None:
        self.about = about

    def is_revoked(self, ref: object) -> bool:
        if isinstance(ref, self.about):
            raise ag.RevocationUnavailable("down")
        return False


class AsyncDown(Down):
    """``Down`` for AsyncGate."""

    async def is_revoked(self, ref: object) -> bool:  # type: ignore[override]  # the other colour
        return super().is_revoked(ref)


ADMIN = ag.any_role("admin", of=ag.is_user)
POLICIES: dict[ag.Policy, list[tuple[set[str], set[str]]]] = {
    # Of each branch the states of the token, and those of the project, that satisfy it; none: not asked for.
    ag.is_user: [({"user", "admin"}, set())],
    ag.is_project: [(set(), {"good"})],
    ag.is_user & ag.is_project: [({"user", "admin"}, {"good"})],
    ag.is_user | ag.is_project: [({"user", "admin"}, set()), (set(), {"good"})],
    (ag.is_user & ADMIN) | ag.is_project: [({"admin"}, set()), (set(), {"good"})],
    (ag.is_user & ag.is_project) | ag.is_service: [({"user", "admin"}, {"good"}), ({"service"}, set())],
    (ag.is_user & ag.is_project & ADMIN) | ag.is_user: [({"admin"}, {"good"}), ({"user", "admin"}, set())],
    ag.any_role("admin"): [({"admin"}, set())],
}
TOKENS = ("absent", "malformed", "invalid", "down", "user", "admin", "service")
PROJECTS = ("absent", "malformed", "invalid", "down", "barred", "good")


def promised(
    branches: list[tuple[set[str], set[str]]], token: str, project: str, *, optional: bool
) -> tuple[int, set[str]]:
    """Law 2.3 word by word: the status (200 for an admission, 204 for nobody) and the kinds that are missing."""
    asked = {
        kind for good in branches for kind, states in zip(("bearer", "app"), good, strict=True) if states
    }
    states = {"bearer": token, "app": project}
    presented = {kind: state for kind, state in states.items() if kind in asked and state != "absent"}
    if optional and not presented:
        return 204, set()
    for state, status in (("malformed", 400), ("invalid", 401), ("down", 503)):
        if state in presented.values():
            return status, set()
    complete = [
        good
        for good in branches
        if all(kind in presented for kind, states in zip(("bearer", "app"), good, strict=True) if states)
    ]
    if not complete:
        return 401, asked - presented.keys()
    admits = any(
        (not users or token in users) and (not projects or project in projects)
        for users, projects in complete
    )
    return (200 if admits else 403), set()


class TestEveryCombination:
    """Law 2.3: each state of each kind under each form of policy, against the law read word by word."""

    @pytest.mark.parametrize("optional", [False, True])
    @pytest.mark.parametrize("policy", POLICIES, ids=repr)
    def test_is_answered_as_promised(
        self, make: Callable[..., Face], fake: FakeIssuer, colour: str, policy: ag.Policy, optional: bool
    ) -> None:
        """The first time, and from the memo."""
        for token in TOKENS:
            for project in PROJECTS:
                about = [*([TokenRef] * (token == "down")), *([ProjectRef] * (project == "down"))]
                down = Down(*about) if colour == "sync" else AsyncDown(*about)
                gate = make(issuer={"service_when": {"m2m": True}}, service_id="orders", revocation=down)
                request = view(*token_headers(fake, token), *project_headers(project), memo=Memo())
                expected = promised(POLICIES[policy], token, project, optional=optional)

                answers = [answer(gate, request, policy, optional=optional) for _ in range(2)]

                assert [expected, expected] == answers, (token, project)


def answer(gate: Face, request: ag.RequestView, policy: ag.Policy, *, optional: bool) -> tuple[int, set[str]]:
    """What came of it, as ``promised`` says it."""
    try:
        admission = gate.admit(request, policy, optional=optional)
    except ag.MissingCredentials as missing:
        kinds = {"Bearer": "bearer", "AppCredentials": "app"}
        return missing.status, {kinds[scheme] for scheme in missing.accepts}
    except ag.AuthgateError as error:
        return error.status, set()
    return (200 if admission else 204), set()


def token_headers(fake: FakeIssuer, state: str) -> list[tuple[str, str]]:
    """The headers of a token in this state."""
    return {
        "absent": [],
        "malformed": [bearer("a"), bearer("b")],
        "invalid": [bearer(fake.hostile.forged())],
        "admin": [bearer(fake.token(roles=["admin"]))],
        "service": [bearer(fake.token(m2m=True))],
    }.get(state, [bearer(fake.token())])


def project_headers(state: str) -> tuple[tuple[str, str], ...]:
    """The headers of a project in this state."""
    return {
        "absent": (),
        "malformed": PROJECT[:1],
        "invalid": (PROJECT[0], ("x-app-secret", "wrong")),
        "barred": (("x-app-id", "barred"), PROJECT[1]),
    }.get(state, PROJECT)


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
            ring = gate.gate._issuers["id"].ring
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
        down = Down(ProjectRef) if colour == "sync" else AsyncDown(ProjectRef)
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


class TestNothingIsShown:
    """Law 2.5: error reporters write out the locals of every frame, and follow every cause."""

    @pytest.mark.parametrize("how", ["verify", "judge", "bug", "revoke", "revoke with scheme", "no store"])
    def test_a_whole_token_is_in_no_frame_of_ours(
        self, make: Callable[..., Face], fake: FakeIssuer, colour: str, how: str
    ) -> None:
        """Also where the token is handed in as an argument."""
        bug = store(colour, ZeroDivisionError())
        log = ag.MemoryRevocation()
        tokens = {"verify": fake.hostile.forged("u1"), "revoke": fake.hostile.forged("u1")}
        token = tokens.get(how, fake.token("u1"))
        calls: dict[str, Callable[[], object]] = {
            "verify": lambda: make().verify_token(token),
            "judge": lambda: make().verify_token(token, ag.any_role("admin")),
            "bug": lambda: make(revocation=bug).verify_token(token),
            "revoke": lambda: make(revocation=log).revoke("revoke_token", token),
            "revoke with scheme": lambda: make(revocation=log).revoke("revoke_token", f"Bearer {token}"),
            "no store": lambda: make().revoke("revoke_token", token),
        }

        shown = locals_of_our_frames(calls[how])

        assert [] == [part for part in token.split(".") if part in shown]

    def test_causes_keep_their_text_and_lose_their_frames(self, colour: str) -> None:
        """What a port of one's own held when it failed is not handed on."""
        gate = face(colour, ag.GateConfig(projects=failing_directory(colour)))
        with pytest.raises(ag.ProjectsUnavailable) as caught:
            gate.admit(view(*PROJECT), ag.is_project)
        gate.close()

        causes, cause = [], caught.value.__cause__
        while cause is not None:
            causes.append((str(cause), cause.__traceback__, cause.__context__ is cause.__cause__))
            cause = cause.__cause__
        assert [("down", None, True), ("the pool is empty", None, True)] == causes

    def test_what_was_being_handled_is_not_handed_on(
        self, make: Callable[..., Face], fake: FakeIssuer
    ) -> None:
        """Python keeps it as the context, also after ``from None``; here it quotes the claims."""

        def refuse(claims: Any) -> None:
            raise ValueError(dict(claims))

        with pytest.raises(ag.InvalidClaim) as caught:
            make(issuer={"validators": [refuse]}).verify_token(fake.token())

        assert caught.value.__context__ is None

    def test_causes_that_go_in_a_circle(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """End as well."""
        outage, cause = ag.AuthUnavailable("down"), OSError("gone")

        def fail(claims: Any) -> None:
            cause.__cause__ = outage
            raise outage from cause

        with pytest.raises(ag.AuthUnavailable):
            make(issuer={"validators": [fail]}).verify_token(fake.token())

    def test_a_request_is_not_pickled(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Its headers hold the credentials; an admission that is queued would take them along."""
        admission = make().admit(view(bearer(fake.token("u1")), path_params={}), ag.is_user)

        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(admission)
        assert "u1" == pickle.loads(pickle.dumps(admission.user)).id


def failing_directory(colour: str) -> Any:
    """A directory that holds the secret in a variable when it fails."""

    class Failing:
        def look_up(self, credentials: Any) -> ag.Project:
            secret = credentials.secret.reveal()
            try:
                return self.connect(secret)
            except ConnectionError as error:
                raise ag.AuthUnavailable("down") from error

        def connect(self, secret: str) -> ag.Project:
            raise ConnectionError("the pool is empty")

    class AsyncFailing(Failing):
        async def look_up(self, credentials: Any) -> ag.Project:  # type: ignore[override]  # the other colour
            return super().look_up(credentials)

    return Failing() if colour == "sync" else AsyncFailing()


def locals_of_our_frames(call: Callable[[], object]) -> str:
    """What a reporter would write of the frames of authgate_core, whatever the call raises."""
    try:
        call()
    except (ag.AuthgateError, ag.ConfigurationError, ValueError, ZeroDivisionError) as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        frames = [frame for frame in shown.stack if "authgate_core" in frame.filename]
        assert frames
        return "\n".join(f"{frame.locals}" for frame in frames) + repr(error)
    raise AssertionError("nothing was raised")


class TestRevokingByMistake:
    """Law 5.6: what could never match a token is refused; it would look like a revocation and be none."""

    @pytest.mark.parametrize(
        ("how", "args", "options"),
        [
            ("revoke_session", ("s-1",), {}),
            ("revoke_token", ("j-1",), {}),
            ("revoke_before", (), {"subject": "u1"}),
            ("revoke_before", (), {"client_id": "app"}),
            ("revoke_key", ("k-1",), {}),
        ],
    )
    def test_a_tenant_is_named_where_there_are_tenants_and_only_there(
        self, make: Callable[..., Face], how: str, args: tuple[str, ...], options: dict[str, str]
    ) -> None:
        """Entries are about one (issuer, tenant)."""
        log = ag.MemoryRevocation()
        with pytest.raises(ValueError, match="of a tenant; name it"):
            make(issuer={"tenant": "org"}, revocation=log).revoke(how, *args, **options)
        with pytest.raises(ValueError, match="has no tenants"):
            make(revocation=log).revoke(how, *args, **options, tenant="t1")
        make(issuer={"tenant": "org"}, revocation=log).revoke(how, *args, **options, tenant="t1")
        make(revocation=log).revoke(how, *args, **options)

    @pytest.mark.parametrize(
        "named", [{"issuer": "b"}, {"issuer": "nobody"}, {"tenant": "t2"}, {"issuer": "b", "tenant": "t1"}]
    )
    def test_a_whole_token_is_of_the_issuer_and_tenant_that_are_named(
        self, make: Callable[..., Face], fake: FakeIssuer, named: dict[str, str]
    ) -> None:
        """And is left alone otherwise."""
        issuers = [trusted(fake, tenant="org"), trusted(fake, issuer="https://b.test", name="b")]
        gate = make(issuers=issuers, shared_subjects=True, revocation=ag.MemoryRevocation())
        token = fake.token("u1", org="t1")

        with pytest.raises(ValueError, match="is of issuer 'id' and tenant 't1'"):
            gate.revoke("revoke_token", token, **named)
        assert "u1" == gate.verify_token(token).user.id

        gate.revoke("revoke_token", token, issuer="id", tenant="t1")
        with pytest.raises(ag.TokenRevoked):
            gate.verify_token(token)

    @pytest.mark.parametrize("wrapped", ["Bearer {}", " {}", "{} \n", "token={} x {}"])
    def test_a_token_with_something_around_it_is_no_jti(
        self, make: Callable[..., Face], fake: FakeIssuer, wrapped: str
    ) -> None:
        """A header pasted whole would be kept as the name of a token that nobody has."""
        token = fake.token()

        with pytest.raises((ValueError, ag.MalformedToken)):
            make(revocation=ag.MemoryRevocation()).revoke("revoke_token", wrapped.format(token, token))

    def test_a_moment_has_a_time_zone(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 5.7: by the hours of this machine it could lie well before what is meant."""
        gate, token = make(revocation=ag.MemoryRevocation()), fake.token("u1")
        now = datetime.now(UTC)

        with pytest.raises(ValueError, match="has no time zone"):
            gate.revoke("revoke_before", now.replace(tzinfo=None), subject="u1")
        gate.revoke("revoke_before", now - timedelta(days=1), subject="u1")
        assert "u1" == gate.verify_token(token).user.id
        gate.revoke("revoke_before", now.astimezone(timezone(timedelta(hours=9))), subject="u1")
        with pytest.raises(ag.TokenRevoked):
            gate.verify_token(token)

    def test_a_subject_is_the_mapped_id(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Where ids have a namespace, nobody is called by the bare claim."""
        gate = make(issuer={"namespace": "corp:"}, revocation=ag.MemoryRevocation())
        with pytest.raises(ValueError, match="begin with 'corp:'"):
            gate.revoke("revoke_before", subject="u1")

        gate.revoke("revoke_before", subject="corp:u1")

        with pytest.raises(ag.TokenRevoked):
            gate.verify_token(fake.token("u1"))


class TestConfiguration:
    """Law 1.6: what would only have shown at some request is said when the gate is built."""

    @pytest.mark.parametrize("given", [None, {}, "https://id.test"])
    def test_a_gate_is_given_a_configuration(self, colour: str, given: Any) -> None:
        """And says so."""
        with pytest.raises(ag.ConfigurationError, match=r"give a gate a GateConfig"):
            face(colour, given)

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({"token_depth": 2.5}, "token_depth: 2.5 is not a positive whole number"),
            ({"credential_limit": float("inf")}, "credential_limit"),
            ({"token_header_limit": True}, "token_header_limit"),
            ({"key_wait": float("inf")}, "key_wait: inf is not a positive number of seconds, at most 60"),
            ({"key_wait": float("nan")}, "key_wait"),
            ({"max_stale": float("inf")}, "max_stale"),
            ({"shadow": "false"}, "shadow: write True or False, not 'false'"),
            ({"shared_subjects": 1}, "shared_subjects: write True or False"),
            ({"service_id": ""}, "service_id: '' is not the name of a service"),
            ({"service_id": 7}, "service_id"),
            ({"on_event": asyncio.sleep}, "on_event: give a function that takes an event, and is not async"),
            ({"revocation": ag.MemoryRevocation}, r"give an instance, such as MemoryRevocation\(\)"),
            ({"projects": ag.StaticProjects}, "projects: StaticProjects is a class"),
        ],
    )
    def test_each_is_named(self, make: Callable[..., Face], options: dict[str, Any], expected: str) -> None:
        """With what to write instead."""
        with pytest.raises(ag.ConfigurationError, match=expected):
            make(**options)

    @pytest.mark.parametrize("revocation", ["redis://localhost", {"a": 1}, 7])
    def test_a_source_that_is_none_is_one_line(self, make: Callable[..., Face], revocation: Any) -> None:
        """A URL is not a list of letters."""
        with pytest.raises(ag.ConfigurationError) as caught:
            make(revocation=revocation)

        assert 1 == len(caught.value.problems)

    def test_wrong_roles_hide_no_issuer(self, fake: FakeIssuer, colour: str) -> None:
        """One mistake hides no other."""
        wrong: dict[str, Any] = {"roles": {"admin": ["x"]}, "issuers": [trusted(fake, leeway=-1), "x"]}
        with pytest.raises(ag.ConfigurationError) as caught:
            face(colour, ag.GateConfig(**wrong))

        assert 3 == len(caught.value.problems)

    def test_a_store_takes_revocations_in_the_colour_of_the_gate(
        self, make: Callable[..., Face], colour: str
    ) -> None:
        """Law 9.4: an async revoke() that nobody awaits would write nothing, and look as if it had."""

        def revoke(self: object, entry: object) -> None: ...

        async def revoke_async(self: object, entry: object) -> None: ...

        wrong = store(colour, revoke=revoke_async if colour == "sync" else revoke)
        right = store(colour, revoke=revoke if colour == "sync" else revoke_async)

        with pytest.raises(ag.ConfigurationError, match=r"Store.revoke is (a)?sync"):
            make(revocation=wrong)
        make(revocation=right).revoke("revoke_session", "s-1")

    def test_a_list_of_sources_is_copied(self, fake: FakeIssuer) -> None:
        """What is appended later was never checked."""
        sources: list[Any] = [ag.MemoryRevocation()]
        config = ag.GateConfig(issuers=[trusted(fake)], revocation=sources)
        sources.append(7)

        assert (ag.MemoryRevocation(),) == config.sources

    @pytest.mark.parametrize(
        ("one", "other", "fine"),
        [("a:", "b:", True), ("a:", "a:", False), ("a", "ab", False), ("ab", "a", False), ("a:", "", False)],
    )
    def test_ids_of_several_issuers_cannot_meet(
        self, make: Callable[..., Face], fake: FakeIssuer, one: str, other: str, fine: bool
    ) -> None:
        """Law 3.14: "a" with "b1" and "ab" with "1" are one id."""
        issuers = [
            trusted(fake, namespace=one),
            trusted(fake, issuer="https://b.test", name="b", namespace=other),
        ]
        if fine:
            assert f"{one}u1" == make(issuers=issuers).verify_token(fake.token("u1")).user.id
            return
        with pytest.raises(ag.ConfigurationError, match="one id could mean two people"):
            make(issuers=issuers)
        make(issuers=issuers, shared_subjects=True)


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
