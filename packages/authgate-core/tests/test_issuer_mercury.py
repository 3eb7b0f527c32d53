"""What a Mercury's tokens must be, and whom they speak of (contracts of the mercury profile)."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.events import Decided
from authgate_core.issuer.options import Options
from authgate_core.testing import ABSENT, FakeMercury, ManualClock
from tests.support.gates import APP_SECRET, PROJECT, Face, bearer, face, store, view

NEXUS = "0b6f6c1e-2f57-4b5b-9c4e-111111111111"
ADA = {"uuid": "7a1c", "email": "ada@example.com", "name": "Ada"}


@pytest.fixture
def clock() -> ManualClock:
    """The one clock of Mercury and gate."""
    return ManualClock()


@pytest.fixture
def mercury(clock: ManualClock) -> Iterator[FakeMercury]:
    """A Mercury that is served."""
    with FakeMercury(clock=clock) as served:
        yield served


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    """Both colours."""
    return str(request.param)


@pytest.fixture
def make(colour: str, mercury: FakeMercury, clock: ManualClock) -> Iterator[Callable[..., Face]]:
    """Makes gates in front of it."""
    made: list[Face] = []

    def new(*, issuer: dict[str, Any] | None = None, **options: Any) -> Face:
        given = {"fallback_tenant": mercury.nexus_id, "audience": mercury.audience, **(issuer or {})}
        trusted = ag.Issuer.mercury(mercury.url, signing_secret=mercury.secret, **given)
        config = ag.GateConfig(**{"issuers": [trusted], "service_id": "orders", **options})
        made.append(face(colour, config, clock))
        return made[-1]

    yield new
    for gate in made:
        gate.close()


def refusal(gate: Face, *headers: tuple[str, str], policy: ag.Policy = ag.is_user) -> ag.AuthgateError:
    """Why the gate does not admit these headers."""
    with pytest.raises(ag.AuthgateError) as caught:
        gate.admit(view(*headers), policy)
    return caught.value


class TestUser:
    def test_who_it_is(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """The members of the object ``sub`` are the user's."""
        user = make().admit(view(bearer(mercury.user_token(sub=ADA))), ag.is_user).user

        assert ("7a1c", "ada@example.com", "Ada") == (user["uuid"], user["email"], user["name"])
        assert ("7a1c", "ada@example.com", "Ada") == (user.id, user.email, user.name)
        assert ("mercury", mercury.nexus_id) == (user.issuer, user.tenant)

    def test_what_is_shown(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """A response shows exactly uuid, email and name, and so does every other view of the user."""
        user = make().admit(view(bearer(mercury.user_token(sub={**ADA, "phone": "1"}))), ag.is_user).user

        assert ADA == user.to_dict() == dict(user)
        assert (["uuid", "email", "name"], 3, True, False) == (
            list(user.keys()),
            len(user),
            "uuid" in user,
            "phone" in user,
        )
        assert ADA == json.loads(json.dumps(user.to_dict()))
        assert None is user.get("phone")

    def test_what_is_pickled(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """A copy is equal to the original and shows the same."""
        user = make().admit(view(bearer(mercury.user_token(sub=ADA))), ag.is_user).user
        copy = pickle.loads(pickle.dumps(user))

        assert (user, ADA, "7a1c") == (copy, copy.to_dict(), copy["uuid"])

    def test_what_is_missing(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """A user without a name shows none; one without a uuid is nobody."""
        gate = make()
        user = gate.admit(view(bearer(mercury.user_token(sub={"uuid": "7a1c"}))), ag.is_user).user

        assert {"uuid": "7a1c", "email": None, "name": None} == user.to_dict()
        assert "token_claim" == refusal(gate, bearer(mercury.user_token(sub={"email": "a@b.c"}))).code

    @pytest.mark.parametrize(
        "sub", ["7a1c", None, 7, ["7a1c"], True, {}, {"uuid": ""}, {"uuid": 7}, {"uuid": None}]
    )
    def test_other_subjects(self, make: Callable[..., Face], mercury: FakeMercury, sub: object) -> None:
        """Law 3.9: ``sub`` is an object with a uuid."""
        token = mercury.keys(mercury.nexus).token(sub)

        assert "token_claim" == refusal(make(), bearer(token)).code

    def test_a_member_that_clashes(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """Law 3.9: what says one thing in ``sub`` and another beside it is a bad token; twice the same is not."""
        gate = make()

        assert "token_claim" == refusal(gate, bearer(mercury.user_token(sub=ADA, email="eve@x.y"))).code
        assert gate.admit(view(bearer(mercury.user_token(sub=ADA, email=ADA["email"]))), ag.is_user)
        assert (
            "token_claim" == refusal(gate, bearer(mercury.user_token(sub={**ADA, "name": 1}, name=True))).code
        )

    def test_no_other_member_is_lifted(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """What a user may call themselves must not become a role."""
        token = mercury.user_token(sub={**ADA, "roles": ["admin"], "scope": "all", "project_uuid": "x"})
        user = make().admit(view(bearer(token)), ag.is_user).user

        assert ((), (), mercury.nexus_id) == (user.roles, user.scopes, user.tenant)


class TestUserToken:
    @pytest.mark.parametrize("name", ["nbf", "iat", "exp", "type", "iss"])
    def test_what_it_must_say(self, make: Callable[..., Face], mercury: FakeMercury, name: str) -> None:
        """Each of these is required."""
        absent: dict[str, Any] = {name: ABSENT}
        assert 401 == refusal(make(), bearer(mercury.user_token(**absent))).status

    @pytest.mark.parametrize("kind", ["refresh", "Access", "access_token", "Bearer", "", None, 1])
    def test_its_type(self, make: Callable[..., Face], mercury: FakeMercury, kind: object) -> None:
        """``type`` is access, to the letter."""
        assert "token_claim" == refusal(make(), bearer(mercury.user_token(type=kind))).code

    def test_there_is_no_leeway(
        self, make: Callable[..., Face], mercury: FakeMercury, clock: ManualClock
    ) -> None:
        """Law 5.8: Mercury's Redis forgets a revocation at ``exp``, so nothing passes after it, unless set."""
        token = mercury.user_token(expires_in=60)
        strict, lenient = make(), make(issuer={"leeway": 10.0})
        strict.admit(view(bearer(token)), ag.is_user)
        clock.advance(60)

        assert "token_expired" == refusal(strict, bearer(token)).code
        assert lenient.admit(view(bearer(token)), ag.is_user)

    def test_its_audience(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """It is checked, unless that was opted out of."""
        token = mercury.user_token(aud="another")

        assert "token_claim" == refusal(make(), bearer(token)).code
        assert make(issuer={"audience": ag.ANY_AUDIENCE}).admit(view(bearer(token)), ag.is_user)

    def test_hostile_tokens(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """Law 3.2: no other algorithm, no forgery, no altered token."""
        gate, hostile = make(), mercury.hostile()
        for token in (
            hostile.unsigned(),
            hostile.forged(),
            hostile.tampered(),
            hostile.keyed_with_public_key(),
        ):
            assert "token_invalid" == refusal(gate, bearer(token)).public_code


class TestProjectToken:
    def test_who_it_is(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """The project, under the names that the older client gave and under those of the token."""
        token = mercury.project_token(secret_version=3)
        project = make().admit(view(("X-Project-Token", token)), ag.is_project).project

        assert (mercury.nexus_id, None, ["orders"], 3) == tuple(
            list(value) if isinstance(value, tuple) else value
            for value in (
                project["projectUuid"],
                project["projectName"],
                project["enabledServices"],
                project["secretVersion"],
            )
        )
        assert (mercury.nexus_id, 3, "project_token") == (
            project["project_uuid"],
            project["secret_version"],
            project.source,
        )
        assert ["projectUuid", "projectName", "enabledServices", "secretVersion"] == [*project]

    def test_another_service(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """A token for other services is 403."""
        token = mercury.project_token(enabled_services=["carts"])

        assert "service_not_enabled" == refusal(make(), ("x-project-token", token), policy=ag.is_project).code

    def test_a_project_that_is_not_served(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """Projects are served by the same list as their users."""
        other = mercury.add_project()
        headers = ("x-project-token", mercury.project_token(other))

        assert "service_not_enabled" == refusal(make(), headers, policy=ag.is_project).code
        serving = make(issuer={"tenants": [other.uuid]})
        assert other.uuid == serving.admit(view(headers), ag.is_project).project.id

    @pytest.mark.parametrize(
        "claims",
        [
            {"project_uuid": "../../x"},
            {"project_uuid": None},
            {"project_uuid": ABSENT},
            {"project_uuid": "0B6F6C1E-2F57-4B5B-9C4E-111111111111"},
            {"enabled_services": "orders"},
            {"enabled_services": [1]},
            {"enabled_services": ABSENT},
            {"secret_version": True},
            {"secret_version": "3"},
            {"secret_version": 1.0},
            {"secret_version": -1},
            {"secret_version": ABSENT},
            {"token_id": ABSENT},
            {"token_id": "a b"},
            {"token_id": ""},
            {"token_id": "x" * 256},
            {"iat": ABSENT},
            {"exp": ABSENT},
            {"iss": "https://elsewhere.test"},
            {"iss": ABSENT},
            {"iss": None},
        ],
        ids=repr,
    )
    def test_other_claims(
        self, make: Callable[..., Face], mercury: FakeMercury, claims: dict[str, Any]
    ) -> None:
        """Whatever is missing or of another type is a bad token, never a default."""
        refused = refusal(make(), ("x-project-token", mercury.project_token(**claims)), policy=ag.is_project)

        assert (401, "token_invalid") == (refused.status, refused.public_code)

    def test_expired(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """It says so, under the scheme of projects."""
        gate = make()
        token = mercury.project_token(expires_in=-1)
        refused = refusal(gate, ("x-project-token", token), policy=ag.is_project)
        challenges = dict(gate.gate.problem(refused).headers)["WWW-Authenticate"]

        assert "token_expired" == refused.code
        assert 'AppCredentials realm="api", error="invalid_token"' == challenges

    def test_in_the_wrong_header(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """Law 3.5: a user's token is no project's, and the other way round."""
        gate = make()

        assert 401 == refusal(gate, bearer(mercury.project_token())).status
        as_project = refusal(gate, ("x-project-token", mercury.user_token()), policy=ag.is_project)
        assert 401 == as_project.status

    @pytest.mark.parametrize("value", ["", "a b", "a,b", "a\u00e9"])
    def test_malformed(self, make: Callable[..., Face], value: str) -> None:
        """Law 2.2: what cannot be read in one way only is 400."""
        refused = refusal(make(), ("x-project-token", value), policy=ag.is_project)
        assert "credentials_malformed" == refused.code

    def test_beside_an_app_id(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """Law 2.2: two credentials of one kind are malformed, whether or not each is good."""
        gate = make(projects=ag.StaticProjects({"shop": {"secret": APP_SECRET}}))
        token = ("x-project-token", mercury.project_token())

        assert "credentials_malformed" == refusal(gate, token, *PROJECT, policy=ag.is_project).code
        assert gate.admit(view(*PROJECT), ag.is_project)
        assert gate.admit(view(token), ag.is_project)

    def test_without_a_directory(self, make: Callable[..., Face]) -> None:
        """A gate that knows project tokens alone refuses every app id."""
        assert "project_invalid" == refusal(make(), *PROJECT, policy=ag.is_project).code

    def test_where_nobody_issues_them(self, colour: str, mercury: FakeMercury) -> None:
        """Law 2.3: a header that means nothing here is left alone."""
        gate = face(colour, ag.GateConfig(projects=ag.StaticProjects({"shop": {"secret": APP_SECRET}})))
        token = ("x-project-token", mercury.project_token())

        assert "credentials_missing" == refusal(gate, token, policy=ag.is_project).code
        assert gate.admit(view(token, *PROJECT), ag.is_project)
        gate.close()

    def test_what_a_source_is_asked(
        self, make: Callable[..., Face], colour: str, mercury: FakeMercury
    ) -> None:
        """Law 5.1: the token by its id, and the version of its secret; a yes is one answer for all."""
        source = store(colour, answer=True)
        gate = make(revocation=source)
        token = mercury.project_token(token_id="t-1", secret_version=2)

        assert "project_invalid" == refusal(gate, ("x-project-token", token), policy=ag.is_project).code
        assert 1 == source.asked

    def test_what_it_varies_with(self, make: Callable[..., Face]) -> None:
        """Law 1.7: a response names the header as well."""
        expected = ("X-App-Id", "X-App-Secret", "X-Project-Token")
        assert expected == make().gate.headers_read(ag.is_project)

    def test_whose_refusals_they_are(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """Law 10.1: events name the issuer, of bad tokens and of keys that cannot be had alike."""
        told: list[Any] = []
        gate = make(on_event=told.append)
        gate.admit(view(("x-project-token", mercury.project_token())), ag.is_project)
        refusal(gate, ("x-project-token", mercury.project_token(expires_in=-1)), policy=ag.is_project)
        mercury.outage()
        refusal(
            make(on_event=told.append), ("x-project-token", mercury.project_token()), policy=ag.is_project
        )

        refused = [event for event in told if isinstance(event, Decided) and event.outcome != "granted"]
        assert [("mercury", "token_expired"), ("mercury", "keys_unavailable")] == [
            (event.issuer, event.code) for event in refused
        ]

    def test_its_keys_are_its_own(
        self, make: Callable[..., Face], mercury: FakeMercury, clock: ManualClock
    ) -> None:
        """Keys of project tokens rotate like others."""
        gate = make()
        gate.admit(view(("x-project-token", mercury.project_token())), ag.is_project)
        mercury.project_keys.rotate(keep_old=False)
        clock.advance(20)

        assert gate.admit(view(("x-project-token", mercury.project_token())), ag.is_project)
        assert 0 == mercury.refused


class TestTogether:
    def test_of_one_project(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """Law 6.8: a user and a project of one tenant."""
        headers = (bearer(mercury.user_token()), ("x-project-token", mercury.project_token()))
        admission = make().admit(view(*headers), ag.is_user & ag.is_project)

        assert admission.user.tenant == admission.project.id

    def test_of_two(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """Law 6.8: on by default in this profile, and switchable."""
        other = mercury.add_project()
        served = {"tenants": [other.uuid, mercury.nexus_id]}
        headers = (bearer(mercury.user_token(other)), ("x-project-token", mercury.project_token()))
        both = ag.is_user & ag.is_project

        assert "tenant_mismatch" == refusal(make(issuer=served), *headers, policy=both).code
        assert make(issuer={**served, "tenant_matches_project": False}).admit(view(*headers), both)


class TestRevoking:
    @pytest.mark.parametrize("how", ["revoke_token", "revoke_session", "revoke_key"])
    def test_a_tenant_in_another_spelling(
        self, make: Callable[..., Face], mercury: FakeMercury, how: str
    ) -> None:
        """Law 5.6: an entry that no token could match would look like a revocation and be none."""
        gate = make(revocation=ag.MemoryRevocation())
        with pytest.raises(ValueError, match="is a UUID in lower case"):
            gate.revoke(how, "x-1", tenant=mercury.nexus_id.upper())
        gate.revoke(how, "x-1", tenant=mercury.nexus_id)

    def test_a_key_of_one_tenant(self, make: Callable[..., Face], mercury: FakeMercury) -> None:
        """Law 5.2: what it verified is refused, and what another tenant's key of that name did is not."""
        one, other = (mercury.add_project(kid="shared").uuid for _ in range(2))
        gate = make(issuer={"tenants": [one, other]}, revocation=ag.MemoryRevocation())
        gate.revoke("revoke_key", mercury.keys(one).kid, tenant=one)

        assert "token_revoked" == refusal(gate, bearer(mercury.user_token(one))).code
        assert gate.admit(view(bearer(mercury.user_token(other))), ag.is_user)


class TestTenantOfOnesOwn:
    @pytest.mark.parametrize(
        ("claims", "code"),
        [
            ({}, "ok"),
            ({"org": None}, "token_claim"),
            ({"org": "x"}, "token_claim"),
            ({"org": {}}, "token_claim"),
        ],
    )
    def test_what_leads_nowhere_is_no_fallback(
        self, make: Callable[..., Face], mercury: FakeMercury, claims: dict[str, Any], code: str
    ) -> None:
        """Law 3.12: the fallback is for tokens that say nothing, also where the claim is inside of another."""
        gate, token = make(issuer={"tenant": "org.project"}), bearer(mercury.user_token(**claims))

        if code == "ok":
            assert mercury.nexus_id == gate.admit(view(token), ag.is_user).user.tenant
        else:
            assert code == refusal(gate, token).code


class TestMistakes:
    def test_a_name_that_stands_for_its_project_tokens(self, mercury: FakeMercury) -> None:
        """Law 1.6: two key sets of one name would be looked after as one."""
        mine = ag.Issuer.mercury(
            mercury.url, signing_secret="s", audience="a", fallback_tenant=mercury.nexus_id
        )
        other = ag.Issuer.oidc("https://id.test", audience="a", name="mercury (projects)")
        config = ag.GateConfig(issuers=[mine, other], service_id="orders", shared_subjects=True)
        with pytest.raises(ag.ConfigurationError, match=r"2 are named 'mercury \(projects\)'"):
            ag.Gate(config)

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"signing_secret": ""}, "signing_secret: is empty"),
            ({"signing_secret": "   "}, "signing_secret: is empty"),
            ({"base_url": "https://mercury.test/"}, "base_url: ends with a slash"),
            ({"base_url": "https://mercury.test/a/../b"}, "base_url: holds a dot segment"),
            ({"base_url": "https://mercury.test?a=b"}, "base_url: holds a query"),
            ({"base_url": "http://mercury.test"}, "base_url: .* is not https"),
            ({"base_url": ""}, "base_url: .* is not an absolute URL"),
            ({"fallback_tenant": None}, "tenants: name the projects"),
            ({"fallback_tenant": "NEXUS"}, "tenants: each is a UUID"),
            ({"fallback_tenant": "NEXUS", "tenants": NEXUS}, "fallback_tenant: is no UUID"),
            ({"fallback_tenant": [NEXUS]}, "fallback_tenant: is no UUID"),
            ({"audience": ()}, "audience: name the audience"),
        ],
    )
    def test_each_is_said(self, changes: dict[str, Any], sentence: str) -> None:
        """Law 1.6: nothing starts."""
        given = {
            "base_url": "https://mercury.test",
            "signing_secret": "s3cret-that-is-shared",
            "audience": "a",
            "fallback_tenant": NEXUS,
            **changes,
        }
        base_url = given.pop("base_url")
        with pytest.raises(ag.ConfigurationError, match=sentence) as caught:
            ag.Gate(ag.GateConfig(issuers=[ag.Issuer.mercury(base_url, **given)]))

        assert "s3cret" not in str(caught.value)

    def test_this_service_is_named(self, mercury: FakeMercury) -> None:
        """Law 1.6: without its name a project token for any other service would do."""
        given: dict[str, Any] = {"signing_secret": mercury.secret, "audience": "a"}
        issuer = ag.Issuer.mercury(mercury.url, fallback_tenant=mercury.nexus_id, **given)
        with pytest.raises(ag.ConfigurationError, match="service_id: project tokens name the services"):
            ag.Gate(ag.GateConfig(issuers=[issuer]))

        projects = ag.RemoteProjects(
            mercury.url, signing_secret=mercury.secret, service_id=mercury.service_id
        )
        ag.Gate(ag.GateConfig(issuers=[issuer], projects=projects)).close()

    def test_an_option_that_is_none_is_left_out(self, mercury: FakeMercury) -> None:
        """A setting that nobody made leaves the profile as strict as it is: no leeway, and tenants that agree."""
        given: dict[str, Any] = {"signing_secret": mercury.secret, "audience": "a"}
        nothing: dict[str, Any] = dict.fromkeys(Options.__annotations__)
        plain, left_out = (
            ag.Issuer.mercury(mercury.url, fallback_tenant=mercury.nexus_id, **given, **options)
            for options in ({}, nothing)
        )

        assert plain == left_out

    def test_nothing_shows_the_secret(self, mercury: FakeMercury) -> None:
        """Law 2.5: no repr of the issuer does."""
        issuer = ag.Issuer.mercury(
            mercury.url,
            signing_secret="s3cret-that-is-shared",
            audience="a",
            fallback_tenant=mercury.nexus_id,
        )

        assert "s3cret" not in repr(issuer)
