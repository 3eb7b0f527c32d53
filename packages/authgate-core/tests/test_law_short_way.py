"""The short way says what the flow says, or leaves it to the flow (Laws 1.3, 2.6, 5.1, 6.8, 7.1, 10.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import authgate_core as ag
from authgate_core.credentials import BearerToken
from authgate_core.effects import RingName
from authgate_core.events import Decided, Notice
from authgate_core.jose.keys import read_key_set
from authgate_core.jose.signature import DEFAULT_ALGORITHMS
from authgate_core.request import Memo
from authgate_core.testing import FakeIssuer, ManualClock, step
from tests.support.gates import bearer, face, store, view

POLICIES = [
    ag.is_user,
    ag.is_service,
    ag.is_user & ag.any_role("clerk"),
    ag.any_role("admin") | ag.all_scopes("orders:read"),
    ag.is_user & ag.all_scopes("orders:read", "orders:write"),
    ag.is_user & ag.has_claim("org", "north"),
    ag.is_user & ag.check("never", lambda _admission, _request: False),
    ag.is_user & ag.check("always", lambda _admission, _request: True),
    ag.is_user | ag.UnsafeAllowAnonymous(),
    ag.is_user & ag.is_project,
    ag.is_user | ag.is_project,
]
EVENTS = st.one_of(
    st.tuples(st.just("time_passes"), st.sampled_from([0.5, 15.0, 29.5, 30.0, 59.5, 60.0, 301.0])),
    st.tuples(st.just("wall_clock_jumps"), st.sampled_from([-61.0, -31.0, -0.5, 29.5, 31.0, 700.0])),
    st.tuples(st.just("keys_are_fetched"), st.booleans()),
    st.tuples(st.just("key_is_forgotten"), st.none()),
    st.tuples(st.just("tenant_comes_or_goes"), st.none()),
    st.tuples(
        st.just("somebody_revokes"),
        st.sampled_from(["token", "session", "key", "subject", "another session", "before its time"]),
    ),
)
HEADERS = st.sampled_from(
    [
        lambda token: [bearer(token)],
        lambda token: [("host", "api.test"), ("AUTHORIZATION", f"bEARER   {token} "), ("accept", "*/*")],
        lambda token: [bearer(token), bearer(token)],
        lambda token: [bearer(token + ",")],
        lambda token: [bearer(token[:-1] + ("A" if token[-1] != "A" else "Q"))],
        lambda token: [bearer(token), ("x-app-id", "shop")],
        lambda token: [("authorization", f"Basic {token}")],
        lambda token: [("authorization", f"Bearer {token}\u00fc")],
        lambda _token: [],
    ]
)


class World:
    """A gate, the issuer that it trusts, and whatever befalls them.

    Args:
        colour: Of the gate.
        options: Of its configuration.
    """

    def __init__(self, colour: str, **options: Any) -> None:
        self.clock = ManualClock()
        self.fake = FakeIssuer(url="https://id.test", algorithm="EdDSA", clock=self.clock)
        self.served = {"north"}
        issuer = ag.Issuer.jwks(
            "https://id.test/jwks",
            issuer=self.fake.url,
            audience=self.fake.audience,
            name="id",
            tenant="org",
            tenants=lambda tenant: tenant in self.served,
            leeway=30,
            service_when={"kind": "service"},
        )
        self.face = face(colour, ag.GateConfig(**{"issuers": [issuer], **options}), self.clock)
        self.gate = self.face.gate
        self._keys_are_fetched(keep_old=None)

    def token(self, life: int = 600, **claims: Any) -> str:
        """A token of the user's, and the gate has seen it."""
        usual = {"jti": "t1", "sid": "s1", "org": "north", "roles": ["clerk"], "scope": "orders:read"}
        token = self.fake.token("u1", expires_in=life, **{**usual, **claims})
        assert self.face.verify_token(token)
        return token

    def befall(self, event: tuple[str, Any]) -> None:
        """Have something happen."""
        name, how = event
        getattr(self, f"_{name}")(how)

    def _time_passes(self, span: float) -> None:
        self.clock.advance(span)

    def _wall_clock_jumps(self, span: float) -> None:
        self.clock.jump_wall(span)

    def _keys_are_fetched(self, keep_old: bool | None) -> None:
        if keep_old is not None:
            self.fake.rotate(keep_old=keep_old)
        ring = self.gate._refresher.rings[RingName("id")]
        document = read_key_set(self.fake.jwks(), DEFAULT_ALGORITHMS)
        ring.state = ring.state.loaded(document, self.clock.now())

    def _key_is_forgotten(self, _how: None) -> None:
        self.gate.keys.forget("id", self.fake.kid)

    def _tenant_comes_or_goes(self, _how: None) -> None:
        self.served ^= {"north"}

    def _somebody_revokes(self, what: str) -> None:
        named = {"token": "t1", "session": "s1", "key": self.fake.kid, "another session": "s2"}
        if not self.gate.config.sources:
            return
        if what == "subject":
            self.face.revoke("revoke_before", subject="u1", tenant="north")
        elif what == "before its time":
            self.face.revoke("revoke_before", self.clock.now().wall - 5000, client_id="web", tenant="north")
        else:
            self.face.revoke(f"revoke_{what.rsplit(maxsplit=1)[-1]}", named[what], tenant="north")

    def short(self, request: ag.RequestView, policy: ag.Policy) -> ag.Admission | None:
        """What the short way says, if it does."""
        said = self.gate._admitted_at_once(request, policy, self.clock.now())
        return said if isinstance(said, ag.Admission) else None

    def says(self, token: str) -> bool:
        """Whether the short way admits the bearer of a token."""
        return self.short(view(bearer(token)), ag.is_user) is not None

    def long(
        self, request: ag.RequestView, policy: ag.Policy, *, optional: bool = False
    ) -> ag.Admission | ag.AuthgateError | str:
        """What the flow says by itself; else what it asks for first."""
        flow = self.gate._admitted(request, policy, self.clock.now(), optional=optional)
        trace = step(flow)
        try:
            return type(trace.next()).__name__
        except AssertionError:
            return trace.result
        except ag.AuthgateError as refusal:
            return refusal
        finally:
            flow.close()


@pytest.fixture(name="world")
def _world(colour: str) -> World:
    return World(colour, revocation=ag.MemoryRevocation())


class TestAgreement:
    @settings(max_examples=400, deadline=None)
    @given(
        age=st.sampled_from([0.0, 30.0, 255.0, 290.0]),
        life=st.sampled_from([20, 600]),
        story=st.lists(EVENTS, max_size=5),
        policy=st.sampled_from(POLICIES),
        headers=HEADERS,
        colour=st.sampled_from(["sync", "async"]),
        revocation=st.sampled_from(
            [[], [ag.MemoryRevocation()], [ag.MemoryRevocation(), ag.MemoryRevocation()]]
        ),
        memo=st.booleans(),
        optional=st.booleans(),
        shadow=st.booleans(),
    )
    def test_whatever_has_happened(
        self,
        *,
        age: float,
        life: int,
        story: list[tuple[str, Any]],
        policy: ag.Policy,
        headers: Callable[[str], list[tuple[str, str]]],
        colour: str,
        revocation: list[ag.MemoryRevocation],
        memo: bool,
        optional: bool,
        shadow: bool,
    ) -> None:
        """Whom the short way admits the flow admits, and the same; of two guards of a request, each time."""
        projects = ag.StaticProjects({"shop": {"secret": "a-chosen-secret-of-thirty-two-characters"}})
        world = World(colour, revocation=revocation, projects=projects, shadow=shadow)
        world.token(jti="t0")
        world.clock.advance(age)  # of the keys, and of what is known of the tenant
        token = world.token(life, azp="web")
        for event in (("time_passes", 0.0), *story):
            world.befall(event)
            one, other = (view(*headers(token), memo=Memo() if memo else None) for _ in range(2))
            for _ in range(2):
                said = world.short(one, policy)
                if said is None:
                    break
                flow = world.long(other, policy, optional=optional)

                assert isinstance(flow, ag.Admission)
                assert (flow, flow.refusal) == (said, said.refusal)
                assert said.request is one
                if memo:
                    assert (vars_of(other.memo), vars_of(one.memo)) == (vars_of(one.memo),) * 2
            found = world.gate._verified_at_once(token, policy, world.clock.now())
            if isinstance(found, ag.Admission):
                assert found == world.face.verify_token(token, policy)

    @settings(max_examples=150, deadline=None)
    @given(story=st.lists(EVENTS, max_size=4), colour=st.sampled_from(["sync", "async"]))
    def test_nothing_is_left_to_the_flow_without_need(
        self, story: list[tuple[str, Any]], colour: str
    ) -> None:
        """What the flow admits from memory, without a look at key or store, is admitted at once."""
        world = World(colour, revocation=ag.MemoryRevocation())
        token = world.token()
        for event in story:
            world.befall(event)
            request = view(bearer(token))
            said, flow = world.short(request, ag.is_user), world.long(request, ag.is_user)
            if said is None and isinstance(
                flow, ag.Admission
            ):  # seen anew by the flow, or asked of the application
                assert world.short(request, ag.is_user) == flow


def vars_of(memo: Memo | None) -> tuple[object, object]:
    """What a memo holds."""
    assert memo is not None
    return memo.entries, memo.admitted


class TestWithoutAFlow:
    """No flow is made where nobody has to be asked."""

    @pytest.fixture(autouse=True)
    def _no_flow(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.token = world.token()
        for name in ("_admitted", "_begun"):
            monkeypatch.setattr(world.gate, name, None)

    def test_admit(self, world: World) -> None:
        """Nor for the second guard of a request, whose memo holds the token itself (Law 2.6)."""
        memo = Memo()
        for policy in (ag.is_user, ag.is_user & ag.any_role("clerk"), ag.is_user):
            request = view(bearer(self.token), memo=memo)
            assert "u1" == world.face.admit(request, policy).user.id
        assert "u1" == world.face.admit(view(bearer(self.token)), ag.is_user).user.id

    def test_verify_token(self, world: World) -> None:
        """With a policy and without one."""
        assert "u1" == world.face.verify_token(self.token).user.id
        assert "u1" == world.face.verify_token(self.token, ag.any_role("clerk")).user.id

    def test_after_a_revocation_of_another(self, world: World) -> None:
        """Law 5.1: what is known has changed, so it is looked at anew, and does not concern this token."""
        for number in range(3):
            world.face.revoke("revoke_session", f"other {number}", tenant="north")
            assert "u1" == world.face.verify_token(self.token).user.id


class TestANewToken:
    """A token that memory does not speak for is verified without a flow, where its keys are known and fresh."""

    @pytest.fixture(autouse=True)
    def _no_flow(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        world.token(jti="earlier")
        monkeypatch.setattr(world.gate, "_run", None)

    def test_it_is_admitted(self, world: World) -> None:
        """With a policy, without one, and as often as it comes."""
        assert world.token(jti="later")
        assert "u1" == world.face.verify_token(world.token(jti="last"), ag.any_role("clerk")).user.id

    def test_it_is_refused(self, world: World) -> None:
        """Law 1.5: whatever speaks against it."""
        claims: list[dict[str, Any]] = [{"aud": "other"}, {"jti": ""}, {"org": "south"}, {"exp": 1}]
        for spoilt in claims:
            with pytest.raises(ag.InvalidToken):
                world.token(**{"jti": "later", **spoilt})
        with pytest.raises(ag.AuthorizationError):
            world.face.verify_token(world.token(jti="later"), ag.any_role("admin"))


class TestWhatIsLeftToTheFlow:
    """A refusal is always said there."""

    def test_a_revocation(self, world: World) -> None:
        """Law 5.1: in force at the very next request, by whichever door."""
        token = world.token()
        assert world.face.verify_token(token)
        world.face.revoke("revoke_session", "s1", tenant="north")

        with pytest.raises(ag.TokenRevoked):
            world.face.verify_token(token)
        with pytest.raises(ag.TokenRevoked):
            world.face.admit(view(bearer(token)), ag.is_user)

    def test_a_source_that_has_to_be_asked(self, colour: str) -> None:
        """Law 5.1: each time, beside one that answers from memory too."""
        source = store(colour)
        world = World(colour, revocation=[ag.MemoryRevocation(), source])
        token = world.token()
        for asked in (2, 3):
            assert world.face.admit(view(bearer(token)), ag.is_user)
            assert asked == source.asked

    def test_a_token_that_has_expired(self, world: World) -> None:
        """Law 7.1: at the very moment, with the leeway, and not a second before."""
        token = world.token(life=20)
        world.clock.advance(49.5)
        assert world.says(token)

        world.clock.advance(0.5)

        assert not world.says(token)

    def test_a_token_that_has_not_begun(self, world: World) -> None:
        """Law 7.1: a clock that was set back makes it one of the future."""
        token = world.token()
        world.clock.jump_wall(-30)
        assert world.says(token)

        world.clock.jump_wall(-0.5)

        assert not world.says(token)

    @pytest.mark.parametrize(("passed", "jump"), [(10.5, -60.0), (0.0, 10.5)])
    def test_keys_that_are_due(self, world: World, passed: float, jump: float) -> None:
        """Law 4.3: by whichever of both clocks they are older."""
        world.clock.advance(290)
        token = world.token(iat=int(world.clock.now().wall) - 100)
        assert world.says(token)

        world.clock.advance(passed)
        world.clock.jump_wall(jump)

        assert not world.says(token)

    def test_a_tenant_that_has_to_be_asked_about(self, world: World) -> None:
        """Law 4.13: the predicate's last answer ends before the token that was verified after it."""
        world.token(jti="t0")
        world.clock.advance(30)
        token = world.token()
        world.clock.advance(29.5)
        assert world.says(token)

        world.clock.advance(0.5)

        assert not world.says(token)

    def test_a_check(self, world: World) -> None:
        """Law 7.3: a function of the application's is asked once for a decision."""
        token, asked = world.token(), 0

        def count(_admission: ag.Admission, _request: ag.RequestView) -> bool:
            nonlocal asked
            asked += 1
            return False

        with pytest.raises(ag.AuthorizationError):
            world.face.admit(view(bearer(token)), ag.is_user & ag.check("count", count))
        assert 1 == asked

    def test_whoever_joins_another(self, world: World) -> None:
        """Law 6.8: where somebody else was admitted to the request before, both are held against each other."""
        token, memo = world.token(), Memo()
        memo.admitted[world.gate._context.gate] = (ag.Project(id="p1"),)
        said = world.gate._admitted_at_once(view(bearer(token), memo=memo), ag.is_user, world.clock.now())

        assert isinstance(said, BearerToken)

    @pytest.mark.parametrize("token", [b"bytes", "sur\udc80rogate", "", None])
    def test_what_no_token_is(self, world: World, token: Any) -> None:
        """Law 3.11: whatever is handed in is judged as ever."""
        with pytest.raises((ag.InvalidToken, TypeError)):
            world.face.verify_token(token)


class TestWhatIsHandedOut:
    """Nobody can tell by what is handed out whether a token was remembered."""

    @pytest.mark.parametrize("policy", [None, ag.any_role("clerk")], ids=repr)
    def test_the_request_of_an_admission_without_one(self, world: World, policy: ag.Policy | None) -> None:
        """A policy is judged by a request that carries nothing, and the admission goes on with that."""
        token = world.fake.token("u1", org="north", roles=["clerk"])
        first, second = (world.face.verify_token(token, policy) for _ in range(2))

        assert first.request is second.request
        assert (policy is None) is (second.request is None)


class TestObserved:
    def test_the_same_event(self, colour: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Law 10.1: whoever listens hears of each grant the same."""
        events: list[Decided | Notice] = []
        world = World(colour, on_event=events.append)
        token = world.token()
        doors: list[Callable[[], ag.Admission]] = [
            lambda: world.face.verify_token(token),
            lambda: world.face.admit(view(bearer(token)), ag.is_user),
        ]
        for admit in doors:
            events.clear()
            admit()
            with monkeypatch.context() as patched:
                patched.setattr(world.gate, "_admitted_at_once", lambda *_: None)
                patched.setattr(
                    world.gate, "_verified_at_once", lambda text, *_: BearerToken(ag.Secret(text))
                )
                admit()
            one, other = events
            assert isinstance(one, Decided)
            assert one == other

    def test_a_service(self, world: World) -> None:
        """Law 3.13: it is remembered as what it is."""
        token = world.token(kind="service")
        for _ in range(2):
            assert "u1" == world.face.admit(view(bearer(token)), ag.is_service).service.id
            with pytest.raises(ag.AuthorizationError):
                world.face.admit(view(bearer(token)), ag.is_user)
