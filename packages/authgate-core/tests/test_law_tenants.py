"""A key set belongs to one tenant of one issuer (Laws 3.12, 4.13), seen through gates in front of a Mercury."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Container, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.effects import RingName
from authgate_core.keyring.tenants import NEW_SETS, PREPARED
from authgate_core.testing import ABSENT, FakeMercury, ManualClock
from tests.support.gates import Face, bearer, face, view

SAME_KID = "shared"
HOSTILE_IDS = [
    "../../x",
    "..%2f..%2fx",
    "x",
    "",
    " ",
    "0B6F6C1E-2F57-4B5B-9C4E-111111111111",
    "{0b6f6c1e-2f57-4b5b-9c4e-111111111111}",
    "0b6f6c1e2f574b5b9c4e111111111111",
    "0b6f6c1e-2f57-4b5b-9c4e-111111111111\n",
    "0b6f6c1e-2f57-4b5b-9c4e-111111111111/../x",
    "\u0660b6f6c1e-2f57-4b5b-9c4e-111111111111",
    None,
    7,
    True,
    ["0b6f6c1e-2f57-4b5b-9c4e-111111111111"],
    {"uuid": "0b6f6c1e-2f57-4b5b-9c4e-111111111111"},
]


@pytest.fixture
def clock() -> ManualClock:
    """The one clock of Mercury and gate."""
    return ManualClock()


@pytest.fixture
def mercury(clock: ManualClock) -> Iterator[FakeMercury]:
    """A Mercury that is served."""
    with FakeMercury(clock=clock) as served:
        yield served
        assert 0 == served.refused, "every request of the gate is signed"


@pytest.fixture(params=["sync", "async"])
def make(
    request: pytest.FixtureRequest, mercury: FakeMercury, clock: ManualClock
) -> Iterator[Callable[..., Face]]:
    """Makes gates in front of it; all options are the issuer's."""
    made: list[Face] = []

    def new(*, key_wait: float = 2.0, **options: Any) -> Face:
        given = {"fallback_tenant": mercury.nexus_id, "audience": mercury.audience, **options}
        issuer = ag.Issuer.mercury(mercury.url, signing_secret=mercury.secret, **given)
        config = ag.GateConfig(issuers=[issuer], service_id="orders", key_wait=key_wait)
        made.append(face(request.param, config, clock))
        return made[-1]

    yield new
    for gate in made:
        gate.close()


def anyone(_tenant: str) -> bool:
    """Serve every tenant."""
    return True


def noting(asked: list[str], served: Container[str] | None = None) -> Callable[[str], bool]:
    """Serve these tenants, or every one, and note who was asked about."""

    def serves(tenant: str) -> bool:
        asked.append(tenant)
        return served is None or tenant in served

    return serves


def user(gate: Face, token: str) -> ag.User:
    """Whom the gate admits."""
    return gate.admit(view(bearer(token)), ag.is_user).user


def refusal(gate: Face, token: str) -> ag.AuthgateError:
    """Why the gate does not."""
    with pytest.raises(ag.AuthgateError) as caught:
        user(gate, token)
    return caught.value


class TestOneKidOfTwoTenants:
    @pytest.fixture
    def both(self, mercury: FakeMercury) -> tuple[str, str]:
        """Two projects that publish different keys under one name."""
        one, other = (mercury.add_project(kid=SAME_KID).uuid for _ in range(2))
        assert mercury.keys(one).kid == mercury.keys(other).kid
        return one, other

    @pytest.mark.parametrize("first", [0, 1])
    @pytest.mark.parametrize("warm", [False, True])
    def test_neither_is_accepted_as_the_other(
        self, make: Callable[..., Face], mercury: FakeMercury, both: tuple[str, str], first: int, warm: bool
    ) -> None:
        """Law 3.12: in both orders, cold and warm, a key of one tenant verifies nothing of the other's."""
        gate = make(tenants=both)
        one, other = both[first], both[1 - first]
        if warm:
            assert {one, other} == {user(gate, mercury.user_token(tenant)).tenant for tenant in both}

        for signer, claimed in ((one, other), (other, one)):
            forged = mercury.user_token(signer, project_uuid=claimed)
            assert "token_signature" == refusal(gate, forged).code

    def test_a_warm_header_is_one_tenants(
        self, make: Callable[..., Face], mercury: FakeMercury, both: tuple[str, str]
    ) -> None:
        """Law 3.12: header bytes that meant a key to one tenant mean another to the next."""
        gate = make(tenants=both)
        for tenant in (*both, *both):
            assert tenant == user(gate, mercury.user_token(tenant)).tenant

    def test_forgetting_a_key_is_one_tenants(
        self, make: Callable[..., Face], mercury: FakeMercury, both: tuple[str, str]
    ) -> None:
        """Law 4.7: the same name of the other tenant goes on."""
        gate = make(tenants=both)
        kid = mercury.keys(both[0]).kid
        gate.gate.keys.forget("mercury", kid, tenant=both[0])

        assert "token_key_unknown" == refusal(gate, mercury.user_token(both[0])).code
        assert both[1] == user(gate, mercury.user_token(both[1])).tenant

    def test_a_key_is_forgotten_beyond_the_budget(
        self, make: Callable[..., Face], mercury: FakeMercury
    ) -> None:
        """Law 4.7: strangers who used up the budget of new sets keep no operator from disowning a key at once."""
        gate, late = make(tenants=anyone), mercury.add_project()
        for _ in range(21):
            refusal(gate, mercury.user_token(project_uuid=str(uuid.uuid4())))
        gate.gate.keys.forget("mercury", mercury.keys(late).kid, tenant=late.uuid)

        assert "token_key_unknown" == refusal(gate, mercury.user_token(late)).code

    @pytest.mark.parametrize("named", [one for one in HOSTILE_IDS if one is not None], ids=ascii)
    def test_what_is_no_tenant_has_no_keys(
        self, make: Callable[..., Face], mercury: FakeMercury, named: Any
    ) -> None:
        """Law 4.12: it is told, and leaves nothing behind that would stop the next start."""
        gate = make()
        with pytest.raises(KeyError):
            gate.gate.keys.forget("mercury", "kid", tenant=named)
        gate.warm_up(5.0)

        assert {None, mercury.nexus_id} == {keys.tenant for keys in gate.gate.health().keys}

    def test_the_fallback_is_a_tenant_like_others(
        self, make: Callable[..., Face], mercury: FakeMercury, both: tuple[str, str]
    ) -> None:
        """A token that names no project is the fallback's, and its keys alone verify it."""
        gate = make(tenants=(*both, mercury.nexus_id))

        assert mercury.nexus_id == user(gate, mercury.user_token(project_uuid=ABSENT)).tenant
        unnamed = mercury.user_token(both[0], project_uuid=ABSENT)
        assert "token_key_unknown" == refusal(gate, unnamed).code


class TestWhoIsServed:
    @pytest.mark.parametrize("named", HOSTILE_IDS, ids=ascii)
    @pytest.mark.parametrize("tenants", [None, anyone])
    def test_what_is_no_id_causes_nothing(
        self,
        make: Callable[..., Face],
        mercury: FakeMercury,
        caplog: pytest.LogCaptureFixture,
        named: object,
        tenants: Callable[[str], bool] | None,
    ) -> None:
        """Law 3.12: no request, no key set, no log line with its text; and never the fallback's keys."""
        asked: list[str] = []
        gate = make(tenants=tenants and noting(asked))
        with caplog.at_level(logging.DEBUG):
            refused = refusal(gate, mercury.user_token(project_uuid=named))

        assert ("token_claim", {}, []) == (refused.code, dict(mercury.hits), asked)
        assert all(
            ring.name.tenant in {None, mercury.nexus_id} for ring in gate.gate._refresher.rings.values()
        )
        if isinstance(named, str) and len(named.strip()) > 2:
            assert named not in caplog.text
            assert named not in str(refused)

    def test_a_tenant_that_is_not_served(
        self, make: Callable[..., Face], mercury: FakeMercury, caplog: pytest.LogCaptureFixture
    ) -> None:
        """It exists, its token is genuine, and nothing is asked for it."""
        other = mercury.add_project().uuid
        with caplog.at_level(logging.DEBUG):
            refused = refusal(make(), mercury.user_token(other))

        assert ("token_claim", {}) == (refused.code, dict(mercury.hits))
        assert other not in caplog.text

    def test_a_predicate_is_asked_once_a_minute(
        self, make: Callable[..., Face], mercury: FakeMercury, clock: ManualClock
    ) -> None:
        """Law 4.13: its answers are kept for 60 s, and then a tenant may be served no longer."""
        served, asked = {mercury.nexus_id}, list[str]()
        gate = make(tenants=noting(asked, served))
        token = mercury.user_token(expires_in=600)
        user(gate, token)
        served.clear()
        clock.advance(59.9)
        user(gate, token)
        assert [mercury.nexus_id] == asked

        clock.advance(0.2)
        assert "token_claim" == refusal(gate, token).code
        assert [mercury.nexus_id] * 2 == asked

    def test_what_a_predicate_raises(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """Laws 1.3 and 1.5: an outage is one, and a bug is a bug."""

        def down(_tenant: str) -> bool:
            raise ag.AuthUnavailable("the list of tenants cannot be had")

        assert 503 == refusal(make(tenants=down), mercury.user_token()).status
        with pytest.raises(TypeError, match="predicate of tenants returned NoneType"):
            user(make(tenants=lambda _tenant: None), mercury.user_token())

    def test_mistakes(self, make: Callable[..., Face]) -> None:
        """Law 1.6: a list that could match no token, and a predicate that nobody would await, do not start."""

        async def later(_tenant: str) -> bool:
            return True

        for wrong, sentence in (
            (["NOT-A-UUID"], "tenants: each is a UUID"),
            ([], "tenants: name at least one"),
            (later, "tenants: give a plain function"),
        ):
            with pytest.raises(ag.ConfigurationError, match=sentence):
                make(tenants=wrong)


class TestUnknownTenant:
    def test_it_is_401_and_asked_for_every_ten_seconds(
        self, make: Callable[..., Face], mercury: FakeMercury, clock: ManualClock
    ) -> None:
        """Law 4.13: what Mercury does not know is believed for 10 s, and no outage."""
        ghost = mercury.add_project()
        mercury.disable(ghost)
        gate, token = make(tenants=anyone), mercury.user_token(ghost, expires_in=600)

        assert [401] * 3 == [refusal(gate, token).status for _ in range(3)]
        assert 1 == mercury.hits[ghost.keys_path]
        clock.advance(10.1)
        assert "token_key_unknown" == refusal(gate, token).code
        assert 2 == mercury.hits[ghost.keys_path]

    def test_it_is_served_once_it_is_known(
        self, make: Callable[..., Face], mercury: FakeMercury, clock: ManualClock
    ) -> None:
        """A project that was made a moment ago waits no longer than that."""
        late = mercury.add_project()
        mercury.disable(late)
        gate, token = make(tenants=anyone), mercury.user_token(late, expires_in=600)
        refusal(gate, token)
        mercury.enable(late)
        clock.advance(10.1)

        assert late.uuid == user(gate, token).tenant

    def test_whoever_comes_late_to_the_answer_asks_no_more(
        self, make: Callable[..., Face], mercury: FakeMercury
    ) -> None:
        """Law 4.1: of a herd, those who decided to wait before the answer came find it there."""
        ghost = mercury.add_project()
        mercury.disable(ghost)
        gate = make(tenants=anyone)
        refusal(gate, mercury.user_token(ghost))

        assert gate.gate._refresher.start(RingName("mercury", ghost.uuid)) is None
        assert 1 == mercury.hits[ghost.keys_path]

    def test_one_whose_keys_are_known_is_asked_for_with_pauses(
        self, make: Callable[..., Face], mercury: FakeMercury, clock: ManualClock
    ) -> None:
        """Laws 4.4 and 4.6: a tenant that is gone goes on with its keys, and costs no fetch a request."""
        gone = mercury.add_project()
        gate, token = make(tenants=anyone), mercury.user_token(gone, expires_in=7200)
        user(gate, token)
        mercury.disable(gone)
        clock.advance(1000)

        assert [gone.uuid] * 5 == [user(gate, token).tenant for _ in range(5)]
        assert 2 == mercury.hits[gone.keys_path]

    def test_an_outage_is_none(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """Law 1.5: without an answer nobody can say whether there is such a tenant."""
        gate = make(tenants=anyone)
        mercury.outage()

        assert "keys_unavailable" == refusal(gate, mercury.user_token()).code


class TestBudget:
    def test_new_sets_in_a_minute(
        self, make: Callable[..., Face], mercury: FakeMercury, clock: ManualClock
    ) -> None:
        """Law 4.13: a predicate lets 20 new tenants a minute cause a fetch; the next one is 503 until then."""
        gate, made_up = make(tenants=anyone), [str(uuid.uuid4()) for _ in range(22)]
        tokens = [mercury.user_token(project_uuid=tenant, expires_in=600) for tenant in made_up]
        statuses = [refusal(gate, token).status for token in tokens]

        assert [401] * 20 + [503] * 2 == statuses
        assert 20 == sum(mercury.hits.values())
        clock.advance(60.1)
        assert 401 == refusal(gate, tokens[-1]).status

    def test_unknown_tenants_draw_again(
        self, make: Callable[..., Face], mercury: FakeMercury, clock: ManualClock
    ) -> None:
        """Law 4.13: the same made-up tenants, asked about again and again, cost no more than new ones would."""
        gate, made_up = make(tenants=anyone), [str(uuid.uuid4()) for _ in range(20)]
        tokens = [mercury.user_token(project_uuid=tenant, expires_in=600) for tenant in made_up]
        for _ in range(4):
            for token in tokens:
                refusal(gate, token)
            clock.advance(14)

        assert 20 == sum(mercury.hits.values())
        clock.advance(5)
        assert [401] * 20 == [refusal(gate, token).status for token in tokens]

    def test_whoever_comes_late_draws_nothing(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """Law 4.13: of a herd that asks about one unknown tenant, one draws: a fetch is what the budget is for."""
        gate, (ghost, other) = make(tenants=anyone), (str(uuid.uuid4()) for _ in range(2))
        refusal(gate, mercury.user_token(project_uuid=ghost))
        for _ in range(25):
            assert gate.gate._refresher.start(RingName("mercury", ghost)) is None

        assert 401 == refusal(gate, mercury.user_token(project_uuid=other)).status

    def test_listed_tenants_are_exempt(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """However many there are."""
        listed = [mercury.add_project().uuid for _ in range(NEW_SETS + PREPARED + 2)]
        gate = make(tenants=listed)

        assert listed == [user(gate, mercury.user_token(tenant)).tenant for tenant in listed]

    def test_fetches_in_flight(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """Law 4.13: eight for all tenants of an issuer; whoever comes on top waits, and is told 503 in the end."""
        listed = [mercury.add_project().uuid for _ in range(12)]
        gate = make(tenants=listed, key_wait=1.0)
        mercury.slow(30)
        with ThreadPoolExecutor(12) as pool:
            found = [*pool.map(lambda tenant: refusal(gate, mercury.user_token(tenant)).status, listed)]

        assert [503] * 12 == found
        assert 8 == sum(mercury.hits.values())
        mercury.recover()

    def test_a_burst_after_the_start(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """Law 4.10: on a cold set a request waits, for a place among the eight and then for its keys."""
        listed = [mercury.add_project().uuid for _ in range(24)]
        gate = make(tenants=listed, key_wait=20.0)
        mercury.slow(0.05)
        with ThreadPoolExecutor(24) as pool:
            found = [*pool.map(lambda tenant: user(gate, mercury.user_token(tenant)).tenant, listed)]

        assert listed == found
        assert 24 == sum(mercury.hits.values())

    def test_another_issuer_has_a_budget_of_its_own(self, mercury: FakeMercury, clock: ManualClock) -> None:
        """Law 4.13: a Mercury that hangs keeps nobody from the keys of another."""
        with FakeMercury(clock=clock) as other:
            given: dict[FakeMercury, dict[str, Any]] = {
                mercury: {"tenants": anyone},
                other: {"fallback_tenant": other.nexus_id, "name": "other"},
            }
            issuers = [
                ag.Issuer.mercury(one.url, signing_secret=one.secret, audience=one.audience, **options)
                for one, options in given.items()
            ]
            config = ag.GateConfig(issuers=issuers, service_id="orders", shared_subjects=True, key_wait=0.5)
            gate = face("sync", config, clock)
            mercury.slow(30)
            made_up = [mercury.user_token(project_uuid=str(uuid.uuid4())) for _ in range(8)]
            with ThreadPoolExecutor(8) as pool:
                assert [503] * 8 == [*pool.map(lambda token: refusal(gate, token).status, made_up)]

            assert other.nexus_id == user(gate, other.user_token()).tenant
            mercury.recover()
            gate.close()

    def test_who_finds_no_room_draws_nothing(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """Law 4.13: the budget of new sets is for fetches, and only eight of these can be in flight."""
        gate = make(tenants=anyone, key_wait=0.2)
        mercury.slow(30)
        made_up = [mercury.user_token(project_uuid=str(uuid.uuid4())) for _ in range(30)]
        with ThreadPoolExecutor(30) as pool:
            assert [503] * 30 == [*pool.map(lambda token: refusal(gate, token).status, made_up)]
        mercury.recover()

        (rings, _) = gate.gate._refresher._tenants["mercury"]
        assert 8 == len(rings.rings)

    def test_known_tenants_go_on_in_an_outage(
        self, make: Callable[..., Face], mercury: FakeMercury, clock: ManualClock
    ) -> None:
        """Law 4.4: whose keys are known is admitted, whoever else is 503."""
        other = mercury.add_project().uuid
        gate = make(tenants=(mercury.nexus_id, other))
        known, unknown = mercury.user_token(expires_in=7200), mercury.user_token(other, expires_in=7200)
        user(gate, known)
        mercury.outage()
        clock.advance(3600)

        assert mercury.nexus_id == user(gate, known).tenant
        assert 503 == refusal(gate, unknown).status


class TestHealth:
    def test_each_tenant_is_one_key_set(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """Law 4.12: warming up fetches listed tenants, and health tells of each, and of project tokens."""
        other = mercury.add_project().uuid
        gate = make(tenants=(mercury.nexus_id, other))
        gate.warm_up(5.0)

        found = {(keys.issuer, keys.tenant): keys.status for keys in gate.gate.health().keys}
        assert {
            ("mercury", mercury.nexus_id): "fresh",
            ("mercury", other): "fresh",
            ("mercury (projects)", None): "fresh",
        } == found

    def test_made_up_tenants_are_no_key_sets(
        self, make: Callable[..., Face], mercury: FakeMercury, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Law 4.12: what strangers make up does not look like an outage, neither in health nor in the log."""
        gate, made_up = make(tenants=anyone), str(uuid.uuid4())
        with caplog.at_level(logging.WARNING):
            refusal(gate, mercury.user_token(project_uuid=made_up))

        assert [None] == [keys.tenant for keys in gate.gate.health().keys]
        assert "keys_refresh_failed" not in caplog.text

    def test_a_tenant_without_keys_cannot_be_named(self, make: Callable[..., Face]) -> None:
        """Law 4.7: a key of an issuer that the gate does not have is no key."""
        with pytest.raises(KeyError):
            make().gate.keys.forget("other", "kid", tenant="t")
