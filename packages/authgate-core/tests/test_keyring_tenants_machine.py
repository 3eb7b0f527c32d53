"""The key sets of tenants against any order of strangers, proofs, answers and pauses (Law 4.13)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from authgate_core.clock import Instant
from authgate_core.jose.compact import Header
from authgate_core.jose.keys import Key, KeyDocument, KeySet
from authgate_core.keyring import KeyRing, KeyTimes, TenantRings, tenants

ROOM, BUDGET, WITHIN, ABSENT_FOR = 6, 3, 60.0, 10.0
"""As in the law, but for the room and the budget: with a thousand and with twenty nothing would ever be full."""

LISTED = ("l1", "l2")
TENANTS = (*LISTED, *(f"s{number}" for number in range(9)))
KEY = Key("k", "RSA", None, frozenset({"RS256"}), b"k")
DOCUMENT = KeyDocument(KeySet([KEY]))

named = st.sampled_from(TENANTS)


class TenantsMachine(RuleBasedStateMachine):
    """Opens the house to anybody, and keeps an account of whom it had to take in and whom it must not lose."""

    def __init__(self) -> None:
        super().__init__()
        self.limits = patch.multiple(tenants, MOST_SETS=ROOM, NEW_SETS=BUDGET)
        self.limits.start()
        self.now = Instant(1_800_000_000.0, 1_000.0)
        self.rings = TenantRings("main", KeyTimes(), LISTED)
        self.begun: list[float] = []
        self.proven: dict[str, Instant] = {}
        self.disowned: set[str] = set()
        self.absent: dict[str, float] = {}

    def teardown(self) -> None:
        self.limits.stop()

    def kept(self) -> Iterator[tuple[str, KeyRing]]:
        pairs = ((tenant, self.rings.kept(tenant)) for tenant in TENANTS)
        return ((tenant, ring) for tenant, ring in pairs if ring is not None)

    def is_needed(self, tenant: str) -> bool:
        """Whether a set may not make room: it has verified and answers still, or an operator spoke of it."""
        proven = self.proven.get(tenant)
        return tenant in self.disowned or (proven is not None and self.now.mono - proven.mono <= 86400)

    # What happens.

    @rule(span=st.one_of(st.floats(0, 70), st.sampled_from([10.0, 60.0, 86401.0])))
    def time_passes(self, span: float) -> None:
        self.now = self.now.plus(span)

    @rule(tenant=named)
    def a_token_comes(self, tenant: str) -> None:
        before = self.rings.kept(tenant)
        is_new = before is None or self.has_been_forgotten_as_absent(tenant)
        in_budget = tenant in LISTED or len([at for at in self.begun if self.now.mono - at < WITHIN]) < BUDGET
        crowd = dict(self.kept())
        has_room = before is not None or len(crowd) < ROOM or not all(map(self.is_needed, crowd))
        ring = self.rings.begin(tenant, self.now)
        assert (ring is not None) == (not is_new or (in_budget and has_room))
        if not is_new:
            assert ring is before
        elif ring is not None:
            assert ring is self.rings.kept(tenant)
            self.begun += [] if tenant in LISTED else [self.now.mono]
            self.forget_the_dropped(crowd)

    def has_been_forgotten_as_absent(self, tenant: str) -> bool:
        """Whether the issuer knew no such tenant, and that was long enough ago to ask once more."""
        return tenant in self.absent and self.now.mono >= self.absent[tenant] + ABSENT_FOR

    def forget_the_dropped(self, crowd: dict[str, KeyRing]) -> None:
        gone = [tenant for tenant in crowd if self.rings.kept(tenant) is None]
        assert len(gone) <= 1, "one more needs the room of one"
        assert not any(map(self.is_needed, gone)), "who has verified is not dropped for who has not"
        for tenant in gone:
            self.proven.pop(tenant, None)
            self.absent.pop(tenant, None)

    @rule(tenant=named)
    def its_keys_come_and_verify(self, tenant: str) -> None:
        ring: Any = self.rings.kept(tenant)
        if ring is not None:
            ring.state = ring.state.loaded(DOCUMENT, self.now)
            ring.remember("header", Header("RS256", "k"), KEY)
            self.proven[tenant] = self.now
            self.absent.pop(tenant, None)

    @rule(proven=st.lists(st.booleans(), min_size=ROOM, max_size=ROOM + 2))
    def the_house_fills(self, proven: list[bool]) -> None:
        """One tenant after the other, of whom some verify."""
        for tenant, verifies in zip(TENANTS, proven, strict=False):
            self.now = self.now.plus(61)
            self.a_token_comes(tenant)
            if verifies:
                self.its_keys_come_and_verify(tenant)

    @rule(tenant=named)
    def the_issuer_knows_no_such_tenant(self, tenant: str) -> None:
        ring = self.rings.kept(tenant)
        if ring is not None and tenant not in self.proven:
            failed = ring.state.failed("gone", self.now, jitter=0.0, definite=True)
            ring.state = failed.absent(self.now)
            self.absent[tenant] = self.now.mono

    @rule(tenant=named)
    def an_operator_disowns_a_key(self, tenant: str) -> None:
        ring = self.rings.hold(tenant)
        ring.state = ring.state.forgetting("stolen")
        self.disowned.add(tenant)

    # What always holds.

    @invariant()
    def there_is_no_end_of_strangers_but_of_sets(self) -> None:
        kept = dict(self.kept())
        assert len(kept) == len(self.rings.rings)
        assert len(kept) <= max(ROOM, len(self.disowned) + ROOM)

    @invariant()
    def what_must_stay_stays(self) -> None:
        assert all(self.rings.kept(tenant) is not None for tenant in TENANTS if self.is_needed(tenant))

    @invariant()
    def a_stranger_leaves_nothing(self) -> None:
        before = len(self.rings.rings)
        assert self.rings.ring("nobody").state.keys is None
        assert len(self.rings.rings) == before


TenantsMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestTenantsMachine = TenantsMachine.TestCase
