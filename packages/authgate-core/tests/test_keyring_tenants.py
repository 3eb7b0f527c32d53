"""How many tenants' key sets are kept, and which one goes first (Law 4.13)."""

from __future__ import annotations

import pytest

from authgate_core.clock import Instant
from authgate_core.jose.compact import Header
from authgate_core.jose.keys import KeyDocument, read_key_set
from authgate_core.keyring import KeyTimes, TenantDoor, TenantRings
from authgate_core.keyring.state import RingState
from authgate_core.keyring.tenants import MOST_SETS, NEW_SETS, NEW_SETS_WITHIN, PREPARED
from authgate_core.testing import FakeIssuer

NOW = Instant(1_000_000.0, 1_000.0)
FAKE = FakeIssuer()
DOCUMENT = KeyDocument(read_key_set(FAKE.jwks(), frozenset({"RS256"})).keys)


def filled(listed: tuple[str, ...] = ()) -> TenantRings:
    """A house with no room left; its tenants are ``t0`` to ``t999``."""
    rings = TenantRings("main", KeyTimes(), listed)
    for number in range(MOST_SETS):
        kept = rings.begin(f"t{number}", NOW.plus(number // NEW_SETS * NEW_SETS_WITHIN))
        assert kept is not None
    return rings


LATER = NOW.plus(2 * MOST_SETS / NEW_SETS * NEW_SETS_WITHIN)


def prove(rings: TenantRings, tenant: str, now: Instant) -> None:
    """Let a tenant's set verify a token."""
    ring = rings.ring(tenant)
    ring.state = ring.state.loaded(DOCUMENT, now)
    ring.remember("header", Header("RS256", FAKE.kid), DOCUMENT.keys.keys[0])


class TestRoom:
    def test_the_oldest_that_verified_nothing_goes_first(self) -> None:
        """A set that has verified a token is never dropped for one that has not."""
        rings = filled()
        prove(rings, "t0", LATER)

        assert rings.begin("new", LATER) is rings.kept("new")
        assert (None, MOST_SETS) == (rings.kept("t1"), len(rings.rings))
        assert rings.kept("t0") is not None

    def test_where_all_have_verified(self) -> None:
        """Nobody makes room for a stranger."""
        rings = filled()
        for number in range(MOST_SETS):
            prove(rings, f"t{number}", LATER)

        assert rings.begin("new", LATER) is None

    def test_what_is_past_its_time_makes_room(self) -> None:
        """Law 4.4: a set past the hard limit answers nobody, so nobody misses it."""
        rings = filled()
        for number in range(MOST_SETS):
            prove(rings, f"t{number}", LATER)

        assert rings.begin("new", LATER.plus(KeyTimes().max_stale + 1)) is not None

    @pytest.mark.parametrize("change", ["forgetting", "started"])
    def test_what_must_be_remembered_stays(self, change: str) -> None:
        """Law 4.7: a forgotten key would come back with a new set; and a fetch under way has somewhere to land."""
        rings = filled()
        ring = rings.ring("t0")
        ring.state = ring.state.forgetting("kid") if change == "forgetting" else ring.state.started(LATER)

        assert rings.begin("new", LATER) is not None
        assert (ring, None) == (rings.kept("t0"), rings.kept("t1"))


class TestNumbers:
    def test_they_are_those_of_the_law(self) -> None:
        """Law 4.13: a thousand sets, twenty new ones a minute, eight prepared at the start."""
        assert (1000, 20, 60.0, 8) == (MOST_SETS, NEW_SETS, NEW_SETS_WITHIN, PREPARED)


class TestHeld:
    def test_what_is_held_is_beyond_all_limits(self) -> None:
        """Law 4.7: a key that an operator disowned in a tenant's set stays so, however full the house is."""
        rings = filled()
        held = rings.hold("new")

        assert ("new", MOST_SETS + 1) == (held.name.tenant, len(rings.rings))
        assert held is rings.kept("new")
        assert held is rings.hold("new")


class TestAbsence:
    def test_it_takes_no_keys_and_no_pause_away(self) -> None:
        """Laws 4.4 and 4.6: where keys are known, an unknown tenant is a failure like others."""
        state = RingState(KeyTimes()).loaded(DOCUMENT, NOW).failed("gone", LATER, jitter=0.5, definite=True)

        assert state.absent(LATER) is state

    def test_it_is_known_until_there_are_keys(self) -> None:
        """Law 4.13: a set is absent from the answer that says so to the document that says otherwise."""
        cold = RingState(KeyTimes())
        absent = cold.failed("no such tenant", NOW, jitter=0.5, definite=True).absent(NOW)

        assert (False, True, False) == (
            cold.is_absent,
            absent.is_absent,
            absent.loaded(DOCUMENT, LATER).is_absent,
        )
        assert not cold.loaded(DOCUMENT, NOW).is_absent


class TestDoor:
    def test_a_cold_ring_is_nobodys(self) -> None:
        """Until the budget admits it, a tenant leaves nothing behind."""
        rings = TenantRings("main", KeyTimes())

        assert ("main", "t1") == (rings.ring("t1").name.issuer, rings.ring("t1").name.tenant)
        assert () == rings.rings

    def test_it_leads_to_the_ring_that_is_kept(self) -> None:
        """What was begun meanwhile is found after the wait."""
        rings = TenantRings("main", KeyTimes())
        door = TenantDoor(rings, "t1")
        before = door.current()

        assert before is not rings.begin("t1", NOW)
        assert door.current() is rings.kept("t1")
        assert door.state is door.current().state

    def test_listed_tenants_are_prepared(self) -> None:
        """As many as may be fetched at once are there from the start."""
        rings = TenantRings("main", KeyTimes(), [f"t{number}" for number in range(20)])

        assert PREPARED == len(rings.rings)
