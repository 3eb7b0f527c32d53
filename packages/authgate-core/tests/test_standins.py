"""Standing in for callers: in gates for tests only, and past verification everything runs (Law 9.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.api_keys import mint_key
from authgate_core.gateways import Gateway
from authgate_core.request import Memo
from authgate_core.testing import (
    FakeIssuer,
    FakeMercury,
    ManualClock,
    as_api_key,
    as_nobody,
    as_project,
    as_service,
    as_user,
    async_gate_for_tests,
    gate_for_tests,
)
from tests.support.gates import APP_SECRET, AsyncFace, Face, SyncFace, bearer, face, store, trusted, view

MINTED = mint_key()
KEYS = ag.ApiKeys.static({MINTED.id: {"secret_hash": MINTED.secret_hash}})


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    """Both colours."""
    return str(request.param)


@pytest.fixture
def make(colour: str) -> Iterator[Callable[..., Face]]:
    """Makes gates for tests."""
    made: list[Face] = []

    def new(**options: Any) -> Face:
        service = {"service_when": {"gty": "client-credentials"}, "tenant": "tid"}
        given = {
            "issuers": [trusted(FakeIssuer(), **service, tenant_matches_project=True)],
            "projects": ag.StaticProjects({"shop": {"secret": APP_SECRET}}),
            **options,
        }
        config = ag.GateConfig(**given)
        clock = ManualClock()
        if colour == "sync":
            made.append(SyncFace(gate_for_tests(config, clock=clock)))
        else:
            made.append(AsyncFace(async_gate_for_tests(config, clock=clock)))
        return made[-1]

    yield new
    for gate in made:
        gate.close()


class TestStandingIn:
    def test_a_user(self, make: Callable[..., Face]) -> None:
        """A request that presents nothing comes from the user."""
        gate = make(roles=ag.RoleHierarchy({"admin": ["clerk"]}))
        with as_user("u1", roles=["admin"], scopes=["orders:read"], email="a@b.c", tenant="t1"):
            user = gate.admit(view(), ag.is_user & ag.any_role("clerk") & ag.all_scopes("orders:read")).user

        assert ("u1", "id", "t1", "a@b.c") == (user.id, user.issuer, user.tenant, user.email)

    def test_a_service(self, make: Callable[..., Face]) -> None:
        """A service is one, and no user."""
        gate = make()
        with as_service("billing", client_id="billing"):
            service = gate.admit(view(), ag.is_service).service
            with pytest.raises(ag.AuthorizationError):
                gate.admit(view(), ag.is_user)

        assert ("billing", "id", "billing") == (service.id, service.issuer, service.name)

    def test_both_kinds_together(self, make: Callable[..., Face]) -> None:
        """A user and a project stand in side by side, whatever the request itself presents."""
        gate = make()
        presented = view(bearer("no.good.token"), ("x-app-id", "half"))
        with as_user(tenant="p1"), as_project("p1", name="Shop"):
            admission = gate.admit(presented, ag.is_user & ag.is_project)

        assert ("u1", "Shop") == (admission.user.id, admission.project.name)

    def test_an_api_key(self, make: Callable[..., Face]) -> None:
        """A key stands in the place of one that is presented in either header, and beside a user."""
        gate = make(api_keys=KEYS, roles=ag.RoleHierarchy({"admin": ["clerk"]}))
        policy = ag.is_api_key & ag.any_role("clerk") & ag.all_scopes("a")
        terms: dict[str, Any] = {
            "owner_id": "u1",
            "service": "s",
            "prefix": "key",
            "expires_at": 2e9,
            "tenant": "t1",
        }
        with as_api_key("k7", roles=["admin"], scopes=["a"], **terms):
            for presented in (("X-API-Key", "bad"), ("Authorization", "ApiKey bad")):
                key = gate.admit(view(presented), policy).api_key
                expected = {"id": "k7", "issuer": "api_keys", "roles": ["admin"], "scopes": ["a"], **terms}
                assert expected == key.to_dict()
            with as_user("u1"):
                both = gate.admit(view(), ag.is_user & ag.is_api_key)
                assert ("u1", "k7") == (both.user.id, both.api_key.id)
            with pytest.raises(ag.InvalidToken):
                gate.admit(view(bearer("no.good.token")), ag.is_user & ag.is_api_key)

    def test_an_api_key_that_has_ended(self, make: Callable[..., Face]) -> None:
        """What is asked of every key is asked of this one."""
        with as_api_key(expires_at=1.0), pytest.raises(ag.InvalidApiKey, match="expired"):
            make(api_keys=KEYS).admit(view(), ag.is_api_key)

    def test_the_innermost_counts_until_its_block_ends(self, make: Callable[..., Face]) -> None:
        """Blocks nest, and afterwards nobody is left."""
        gate = make()
        with as_user("outer"):
            with as_user("inner"):
                assert "inner" == gate.admit(view(), ag.is_user).user.id
            assert "outer" == gate.admit(view(), ag.is_user).user.id
        with pytest.raises(ag.MissingCredentials):
            gate.admit(view(), ag.is_user)

    def test_it_holds_in_every_thread(self, make: Callable[..., Face]) -> None:
        """A server under test answers on threads of its own."""
        gate, found = make(), list[str]()
        with as_user("u7"):
            thread = Thread(target=lambda: found.append(gate.admit(view(), ag.is_user).user.id))
            thread.start()
            thread.join()

        assert ["u7"] == found

    def test_a_token_among_subprotocols_gives_way(self, make: Callable[..., Face]) -> None:
        """A handshake that offers a token is no second credential."""
        gate = make()
        with as_user("u1"):
            request = view(subprotocols=("authgate.bearer.x.y.z", "authgate"))
            assert "u1" == gate.admit(request, ag.is_user).user.id


class TestNames:
    @pytest.mark.parametrize("stand_in", [as_user, as_service, as_project, as_api_key])
    @pytest.mark.parametrize("option", ["roles", "scopes"])
    def test_a_text_is_no_list(self, stand_in: Callable[..., Any], option: str) -> None:
        """Its letters would be the names, and the test would be of a caller that nobody meant."""
        with pytest.raises(TypeError, match=rf"{option}= takes a list of names; write {option}=\['a', 'b'\]"):
            stand_in("x", **{option: "a b"})


class TestNobody:
    """``as_nobody``."""

    def test_takes_the_place_of_whoever_stands_in_around_it(self, make: Callable[..., Face]) -> None:
        """And gives it back; who stands in within it does so."""
        gate = make()
        with as_user("u1"), as_project("p1"):
            with as_nobody():
                for policy in (ag.is_user, ag.is_project):
                    with pytest.raises(ag.MissingCredentials):
                        gate.admit(view(), policy)
                with as_user("u2"):
                    assert "u2" == gate.admit(view(), ag.is_user).user.id
            assert "u1" == gate.admit(view(), ag.is_user).user.id

    def test_presents_nothing_whatever_a_request_carries(self, make: Callable[..., Face]) -> None:
        """Of any kind; a guard that is optional lets it in as nobody."""
        gate = make(api_keys=KEYS)
        token = FakeIssuer().token("u1")
        carried = view(bearer(token), ("x-app-id", "shop"), ("x-api-key", MINTED.key.reveal()))
        with as_nobody():
            with pytest.raises(ag.MissingCredentials):
                gate.admit(carried, ag.is_user | ag.is_project | ag.is_api_key)
            assert () == gate.admit(carried, ag.is_user, optional=True).principals

    def test_only_in_a_gate_for_tests(self, colour: str) -> None:
        """Law 9.6: any other gate goes on to see what is presented."""
        issuer = FakeIssuer()
        gate = face(colour, ag.GateConfig(issuers=[trusted(issuer)]))
        with as_nobody():
            assert "u1" == gate.admit(view(bearer(issuer.token("u1"))), ag.is_user).user.id
        gate.close()


class TestCookies:
    """A browser under test may have some."""

    def test_a_stand_in_takes_their_place(self, make: Callable[..., Face]) -> None:
        """Law 2.9: a token in a cookie is then no second credential, and none of nobody's."""
        gate = make(cookies=ag.Cookies())
        carried = view(("cookie", f"{ag.Cookies().access}=no.good.token"))
        with as_user("u1"):
            assert "u1" == gate.admit(carried, ag.is_user).user.id
        with as_nobody(), pytest.raises(ag.MissingCredentials):
            gate.admit(carried, ag.is_user)


class TestMercury:
    @pytest.fixture
    def gate(self, make: Callable[..., Face], valkey_url: str) -> Face:
        """A gate for tests in the mercury profile, which reads Mercury's Redis."""
        mercury = FakeMercury()
        issuer = ag.Issuer.mercury(
            mercury.url,
            signing_secret=mercury.secret,
            audience=mercury.audience,
            fallback_tenant=mercury.nexus_id,
        )
        projects = ag.RemoteProjects(mercury.url, signing_secret=mercury.secret, service_id="orders")
        redis = ag.RedisRevocation(valkey_url, layout="mercury")
        return make(issuers=[issuer], projects=projects, revocation=redis)

    def test_a_user_whom_nobody_revoked(self, gate: Face) -> None:
        """Law 5.9: the source is asked under a name that it could list."""
        with as_user("u1", tenant="p1", email="a@b.c"), as_project("p1", enabled_services=["orders"]):
            admission = gate.admit(view(), ag.is_user & ag.is_project)

        assert {"uuid": "u1", "email": "a@b.c", "name": None} == admission.user.to_dict()
        assert {
            "projectUuid": "p1",
            "projectName": None,
            "enabledServices": ["orders"],
            "secretVersion": 0,
        } == admission.project.to_dict()

    def test_a_project_token_gives_way(self, gate: Face) -> None:
        """A request that presents one is no second credential."""
        with as_project("p1"):
            admission = gate.admit(view(("x-project-token", "no.good.token")), ag.is_project)

        assert "p1" == admission.project.id


class TestWhatStillRuns:
    def test_policies(self, make: Callable[..., Face]) -> None:
        """Who lacks a role is refused."""
        gate = make()
        with as_user(roles=["clerk"]), pytest.raises(ag.AuthorizationError):
            gate.admit(view(), ag.any_role("admin"))

    def test_tenants_must_agree(self, make: Callable[..., Face]) -> None:
        """Law 6.8: a user of one tenant does not come with a project of another."""
        gate = make()
        with as_user(tenant="t1"), as_project("p1"), pytest.raises(ag.TenantMismatch):
            gate.admit(view(), ag.is_user & ag.is_project)

    def test_revocation(self, make: Callable[..., Face], colour: str) -> None:
        """Law 5.1: the sources are asked about a stand-in as about anyone."""
        gate = make(revocation=store(colour, answer=True))
        with as_user(), pytest.raises(ag.TokenRevoked):
            gate.admit(view(), ag.is_user)
        with as_project(), pytest.raises(ag.InvalidProjectCredentials):
            gate.admit(view(), ag.is_project)

    def test_a_cut_off(self, make: Callable[..., Face]) -> None:
        """What was issued before the cut-off is refused; ``claims`` says when that was."""
        gate = make(revocation=ag.MemoryRevocation())
        now = gate.gate.clock.now().wall
        gate.revoke("revoke_before", now, subject="u1", tenant="t1")
        with as_user(tenant="t1", claims={"iat": now - 60}), pytest.raises(ag.TokenRevoked):
            gate.admit(view(), ag.is_user)
        with as_user(tenant="t1", claims={"iat": now + 2}):
            assert "u1" == gate.admit(view(), ag.is_user).user.id

    def test_an_outage(self, make: Callable[..., Face], colour: str) -> None:
        """Law 5.3: what cannot be checked is not let in."""
        gate = make(revocation=store(colour, answer=ag.RevocationUnavailable("down")))
        with as_user(), pytest.raises(ag.RevocationUnavailable):
            gate.admit(view(), ag.is_user)

    def test_enabled_services(self, make: Callable[..., Face]) -> None:
        """A project that may not use this service is refused."""
        gate = make(service_id="orders")
        with as_project(enabled_services=["carts"]), pytest.raises(ag.ServiceNotEnabled):
            gate.admit(view(), ag.is_project)

    def test_once_for_each_request(self, make: Callable[..., Face], colour: str) -> None:
        """Law 2.6: guards of one request ask the sources once."""
        source = store(colour)
        gate, memo = make(revocation=source), Memo()
        with as_user():
            gate.admit(view(memo=memo), ag.is_user)
            gate.admit(view(memo=memo), ag.is_user)

        assert 1 == source.asked


class TestOnlyInTests:
    def test_another_gate_never_sees_it(self, colour: str) -> None:
        """A gate that was not made for tests refuses as if nobody stood in."""
        gate = face(colour, ag.GateConfig(issuers=[trusted(FakeIssuer())]))
        with as_user(), pytest.raises(ag.MissingCredentials):
            gate.admit(view(), ag.is_user)
        gate.close()

    def test_the_credential_of_a_stand_in_opens_nothing(self, make: Callable[..., Face]) -> None:
        """Presented from outside, it is a malformed token like any other text."""
        gate = make()
        with pytest.raises(ag.MalformedToken):
            gate.admit(view(bearer("stand-in-1")), ag.is_user)

    def test_a_policy_without_a_source_is_still_a_mistake(self, make: Callable[..., Face]) -> None:
        """Law 1.6: a gate for tests has no more sources than its configuration."""
        gate = make(projects=None)
        with as_project(), pytest.raises(ag.ConfigurationError):
            gate.admit(view(), ag.is_project)


class TestBehindAGateway:
    """Law 9.6: a stand-in is heard where a gateway says who calls, and the gateway where nobody stands in."""

    GATEWAYS = (
        Gateway.kong(peers=["10.0.0.0/8"]),
        Gateway.asserted(
            "X-Assertion",
            ag.Issuer.jwks("https://edge.example/keys", issuer="edge", audience="a", name="edge"),
        ),
    )

    @pytest.mark.parametrize("gateway", GATEWAYS)
    def test_whoever_stands_in_is_admitted(self, gateway: Gateway) -> None:
        """In the name of the gateway, whatever the request says."""
        spoofed = {"X-User-ID": "root", "X-Token-Verified": "true", "X-Assertion": "x"}
        with gate_for_tests(ag.GateConfig(gateway=gateway)) as gate, as_user("u7"):
            user = gate.admit(ag.RequestView("GET", "/", spoofed), ag.is_user).user

        assert ("u7", gateway.name) == (user.id, user.issuer)

    @pytest.mark.parametrize("gateway", GATEWAYS)
    def test_nobody_else_is(self, gateway: Gateway) -> None:
        """After the block as before it."""
        with gate_for_tests(ag.GateConfig(gateway=gateway)) as gate:
            with as_user("u7"):
                pass
            with pytest.raises(ag.MissingCredentials):
                gate.admit(ag.RequestView("GET", "/", {"Authorization": "Bearer stand-in-1"}), ag.is_user)
            with pytest.raises(ag.AuthenticationError):
                gate.admit(
                    ag.RequestView(
                        "GET", "/", {"X-User-ID": "root", "X-Token-Verified": "true", "X-Assertion": "x"}
                    ),
                    ag.is_user,
                )
