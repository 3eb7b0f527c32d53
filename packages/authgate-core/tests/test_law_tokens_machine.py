"""A gate that remembers tokens and one that does not, through anything: nobody can tell them apart (Law 7.1)."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

import authgate_core as ag
from authgate_core.clock import Instant
from authgate_core.effects import AwaitKeys, RingName
from authgate_core.jose.keys import read_key_set
from authgate_core.jose.signature import DEFAULT_ALGORITHMS
from authgate_core.keyring import KeyRing
from authgate_core.runner import AsyncPorts, AsyncRunner, Ports, Runner
from authgate_core.testing import ABSENT, FakeIssuer, ManualClock
from authgate_core.testing.keys import lease_key
from tests.support.gates import Face, SyncFace, bearer, face, view

TENANTS = ("north", "south")
EVENTS = st.one_of(
    st.tuples(
        st.just("time_passes"), st.sampled_from([0.5, 9.0, 15.0, 29.0, 30.0, 45.0, 59.0, 60.0, 301.0, 901.0])
    ),
    st.tuples(
        st.just("wall_clock_jumps"), st.sampled_from([-200.0, -45.0, -31.0, -30.0, -1.0, 1.0, 31.0, 200.0])
    ),
    st.tuples(st.just("issuer_rotates"), st.booleans()),
    st.tuples(st.just("issuer_gives_its_key_away"), st.none()),
    st.tuples(st.just("issuer_comes_or_goes"), st.booleans()),
    st.tuples(st.just("operator_forgets_a_key"), st.booleans()),
    st.tuples(st.just("tenant_comes_or_goes"), st.sampled_from(TENANTS)),
    st.tuples(st.just("somebody_revokes"), st.sampled_from(["token", "session", "key", "before"])),
)


class Publisher:
    """Refreshes the rings of one gate on the spot, or fails to: the place of threads and HTTP.

    Args:
        fake: Whose keys are published.
        clock: The clock of the gate.
    """

    def __init__(self, fake: FakeIssuer, clock: ManualClock) -> None:
        self._fake = fake
        self._clock = clock
        self.rings: dict[RingName, KeyRing] = {}
        self.is_up = True
        self.asked = 0

    def start(self, name: RingName, *, unknown_kid: bool = False) -> None:
        ring, now = self.rings[name], self._clock.now()
        if not ring.state.may_start(now, unknown_kid=unknown_kid):
            return
        self.asked += 1
        ring.state = ring.state.started(now)
        if self.is_up:
            self.fetch()
        else:
            ring.state = ring.state.failed("down", now, jitter=0.5)

    def fetch(self) -> None:
        for ring in self.rings.values():
            document = read_key_set(self._fake.jwks(), DEFAULT_ALGORITHMS)
            ring.state = ring.state.loaded(document, self._clock.now())

    def wait(self, effect: AwaitKeys) -> Instant:
        self.start(effect.ring, unknown_kid=effect.unknown_kid)
        return self._clock.now()

    async def wait_async(self, effect: AwaitKeys) -> Instant:
        return self.wait(effect)


def published(gate: Face, publisher: Publisher) -> Face:
    """The gate, with its key sets refreshed by the publisher."""
    inner: Any = gate.gate  # the ports of a gate are its own affair
    publisher.rings = dict(inner._refresher.rings)
    if isinstance(gate, SyncFace):
        inner._runner = Runner(Ports(inner._http, publisher, inner._stores))  # type: ignore[arg-type]  # in its place
    else:
        inner._runner = AsyncRunner(AsyncPorts(inner._http, publisher, inner._stores))  # type: ignore[arg-type]  # as above
    return gate


class TwoGates(RuleBasedStateMachine):
    """Does everything to two gates that differ in nothing but what they remember."""

    colour = "sync"
    tokens: Bundle[str] = Bundle("tokens")

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.fake = FakeIssuer(url="https://id.test", algorithm="EdDSA", clock=self.clock)
        self.served = set(TENANTS)
        self.count = 0
        self.publishers = [Publisher(self.fake, self.clock) for _ in range(2)]
        self.gates = [
            published(self.make(size), publisher)
            for size, publisher in zip((3, 0), self.publishers, strict=True)
        ]

    def make(self, size: int) -> Face:
        """A gate that remembers so many tokens."""
        issuer = ag.Issuer.jwks(
            "https://id.test/jwks",
            issuer=self.fake.url,
            audience=self.fake.audience,
            name="id",
            tenant="org",
            tenants=lambda tenant: tenant in self.served,
        )
        revocation = ag.MemoryRevocation()
        config = ag.GateConfig(issuers=[issuer], revocation=revocation, verified_tokens=size)
        return face(self.colour, config, self.clock)

    def teardown(self) -> None:
        for gate in self.gates:
            gate.close()

    # What the world does.

    @rule(event=EVENTS)
    def something_happens(self, event: tuple[str, Any]) -> None:
        name, how = event
        getattr(self, f"_{name}")(how)

    def _time_passes(self, span: float) -> None:
        self.clock.advance(span)

    def _wall_clock_jumps(self, span: float) -> None:
        self.clock.jump_wall(span)

    def _issuer_rotates(self, keep_old: bool) -> None:
        self.fake.rotate(keep_old=keep_old)

    def _issuer_gives_its_key_away(self, _how: None) -> None:
        """Another key gets the name of the present one; the sets are fetched at once, as by an operator."""
        self.fake._keys[self.fake.kid] = lease_key(self.fake, self.fake.kid, "EdDSA")
        for publisher in self.publishers:
            publisher.fetch()

    def _issuer_comes_or_goes(self, is_up: bool) -> None:
        for publisher in self.publishers:
            publisher.is_up = is_up

    def _operator_forgets_a_key(self, present: bool) -> None:
        kid = self.fake.kids[-1 if present else 0]
        for gate in self.gates:
            gate.gate.keys.forget("id", kid)

    def _tenant_comes_or_goes(self, tenant: str) -> None:
        self.served ^= {tenant}

    def _somebody_revokes(self, what: str) -> None:
        named = {"token": f"t{self.count}", "session": f"s{self.count}", "key": self.fake.kid}
        for gate in self.gates:
            for tenant in TENANTS:
                if what == "before":
                    gate.revoke("revoke_before", subject=f"u{self.count}", tenant=tenant)
                else:
                    gate.revoke(f"revoke_{what}", named[what], tenant=tenant)

    # What callers do.

    @rule(
        target=tokens,
        org=st.sampled_from(TENANTS),
        life=st.sampled_from([1, 20, 61, 5000]),
        ahead=st.sampled_from([-600, 0, 20, 40]),
        kid=st.sampled_from([None, None, ABSENT]),
        story=st.lists(EVENTS, max_size=4),
    )
    def somebody_calls(self, org: str, life: int, ahead: int, kid: Any, story: list[tuple[str, Any]]) -> str:
        """A new token that is good, if nothing has befallen its tenant or key; asked again after each event."""
        if any(self.fake.kid in ring.state.forgotten for ring in self.publishers[0].rings.values()):
            self.fake.rotate()
        self.count += 1
        token = self.fake.token(
            f"u{self.count}",
            expires_in=life,
            jti=f"t{self.count}",
            sid=f"s{self.count}",
            org=org,
            roles=["clerk"],
            nbf=int(self.clock.now().wall) + ahead,
            kid=kid,
        )
        self.ask(token, ag.is_user)
        for event in story:
            self.something_happens(event)
            self.ask(token, ag.is_user)
        return token

    @rule(target=tokens, token=tokens)
    def somebody_forges(self, token: str) -> str:
        head, _, _ = token.rpartition(".")
        return f"{head}.{self.fake.token().rpartition('.')[2]}"

    @rule(
        token=tokens, policy=st.sampled_from([ag.is_user, ag.any_role("admin"), ag.has_claim("org", "north")])
    )
    def ask(self, token: str, policy: ag.Policy) -> None:
        remembering, forgetful = (outcome(gate, token, policy) for gate in self.gates)

        assert forgetful == remembering

    # What always holds.

    @invariant()
    def neither_asks_the_issuer_more_often(self) -> None:
        """Laws 4.2 to 4.6: what is remembered spares the issuer nothing that it must be asked, and adds nothing."""
        one, other = self.publishers
        assert other.asked == one.asked

    @invariant()
    def the_key_sets_are_alike(self) -> None:
        """The gate that remembers has learnt all that the other has."""
        one, other = ({name: ring.state for name, ring in p.rings.items()} for p in self.publishers)
        for name, state in one.items():
            assert (other[name].loaded_at, other[name].forgotten) == (state.loaded_at, state.forgotten)

    @invariant()
    def the_memory_is_bounded(self) -> None:
        memory = self.gates[0].gate._context.trust.memory
        assert memory is not None
        assert len(memory) <= 3


def outcome(gate: Face, token: str, policy: ag.Policy) -> dict[str, object]:
    """Everything that a caller, an operator and a handler can see of a decision."""
    try:
        user = gate.admit(view(bearer(token)), policy).user
    except ag.AuthgateError as error:
        seen = ("status", "code", "reason", "issuer", "scheme", "accepts", "retry_after")
        return {"error": type(error), **{name: getattr(error, name, None) for name in seen}}
    shown = ("ref", "roles", "scopes", "session_id", "client_id", "auth_time", "source")
    return {"claims": user.claims, "shown": user.to_dict(), **{name: getattr(user, name) for name in shown}}


class TwoAsyncGates(TwoGates):
    """``TwoGates`` of the other colour."""

    colour = "async"


TwoGates.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TwoAsyncGates.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestTwoGates = TwoGates.TestCase
TestTwoAsyncGates = TwoAsyncGates.TestCase
