"""How many tenants' key sets are kept, and which one goes first (Law 4.13)."""

from __future__ import annotations

import pytest

from authgate_core.clock import Instant
from authgate_core.effects import RingName
from authgate_core.jose.compact import Header
from authgate_core.jose.keys import KeyDocument, read_key_set
from authgate_core.keyring import Await, KeyTimes, TenantDoor, TenantRings
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

    def test_keys_that_verified_nothing_make_room(self) -> None:
        """Law 4.13: strangers can have key sets of others fetched, but not kept."""
        rings = filled()
        for number in range(MOST_SETS):
            ring = rings.ring(f"t{number}")
            ring.state = ring.state.loaded(DOCUMENT, LATER)
        prove(rings, "t0", LATER)

        assert rings.begin("new", LATER) is not None
        assert (False, True) == (rings.kept("t0") is None, rings.kept("t1") is None)

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


class TestBudget:
    """Law 4.13: twenty new sets in any minute, drawn by those alone that nobody listed."""

    def spent(self, now: Instant = NOW, listed: tuple[str, ...] = ()) -> TenantRings:
        """A house whose budget of this minute is spent by ``a0`` to ``a19``."""
        rings = TenantRings("main", KeyTimes(), listed)
        self.spend(rings, "a", now)
        return rings

    def spend(self, rings: TenantRings, letter: str, now: Instant) -> None:
        """Begin as many as a minute allows."""
        for number in range(NEW_SETS):
            assert rings.begin(f"{letter}{number}", now) is not None

    def test_in_any_minute(self) -> None:
        """The second minute is as narrow as the first."""
        rings = self.spent()
        assert rings.begin("b", NOW.plus(59.9)) is None
        self.spend(rings, "b", NOW.plus(60))
        assert rings.begin("c", NOW.plus(60)) is None
        assert rings.begin("c", NOW.plus(119.9)) is None
        assert rings.begin("c", NOW.plus(120)) is not None

    def test_who_is_kept_draws_nothing(self) -> None:
        """A second fetch for a tenant is not a new set."""
        rings = TenantRings("main", KeyTimes())
        first = rings.begin("a0", NOW)
        assert [first] * 30 == [rings.begin("a0", NOW) for _ in range(30)]
        self.spend(rings, "a", NOW)
        assert rings.begin("a0", NOW) is first
        assert rings.begin("b", NOW) is None

    def test_who_is_listed_draws_nothing(self) -> None:
        """However many they are, before and after strangers spent the budget."""
        names = tuple(f"t{number:02}" for number in range(30))
        rings = TenantRings("main", KeyTimes(), names)
        assert list(names[:15]) == [self.begun(rings, name) for name in names[:15]]
        self.spend(rings, "a", NOW)
        assert rings.begin("b", NOW) is None
        assert list(names[15:]) == [self.begun(rings, name) for name in names[15:]]

    def begun(self, rings: TenantRings, tenant: str) -> str | None:
        """Whose ring is begun."""
        ring = rings.begin(tenant, NOW)
        return None if ring is None else ring.name.tenant

    def test_who_is_absent_draws_again_when_that_is_believed_no_more(self) -> None:
        """A tenant that the issuer did not know costs one of the budget each ten seconds, and not more often."""
        rings = TenantRings("main", KeyTimes())
        ghost = rings.begin("ghost", NOW)
        assert ghost is not None
        ghost.state = ghost.state.failed("no such tenant", NOW, jitter=0.5, definite=True).absent(NOW)
        for number in range(NEW_SETS - 1):
            assert rings.begin(f"a{number}", NOW) is not None

        assert rings.begin("ghost", NOW.plus(9.9)) is ghost
        assert rings.begin("ghost", NOW.plus(10)) is None
        assert rings.begin("ghost", NOW.plus(60)) is ghost


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


class TestRings:
    TIMES = KeyTimes(key_wait=0.5)

    def test_each_is_of_its_tenant_and_lives_by_the_numbers_of_all(self) -> None:
        """Law 3.12: whichever way it came into the house."""
        rings = TenantRings("main", self.TIMES, ["listed"])
        made = [*rings.rings, rings.ring("cold"), rings.begin("begun", NOW), rings.hold("held")]
        expected = [(RingName("main", name), Await(0.5)) for name in ("listed", "cold", "begun", "held")]
        assert expected == [(ring.name, ring.plan("a", "RS256", NOW)) for ring in made if ring is not None]


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
