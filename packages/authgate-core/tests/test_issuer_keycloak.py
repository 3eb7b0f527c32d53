"""A realm of Keycloak as an issuer: whose token it is, which roles it has, and what its endpoint says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.testing import ABSENT, FakeIssuer, ManualClock
from tests.support.gates import Face, face

REALM = "https://id.test/realms/shop"
Make = Callable[..., Face]
BOTH = ag.is_user | ag.is_service


class FakeRealm(FakeIssuer):
    """A realm, as far as an API sees one, at the addresses of Keycloak."""

    def _truth(self, asked: Any) -> Any:
        below = {
            "/protocol/openid-connect/certs": "/jwks",
            "/protocol/openid-connect/token/introspect": "/introspect",
        }
        for path, ours in below.items():
            if asked.path.endswith(path):
                return super()._truth(type(asked)(asked.method, ours, asked.query, asked.headers, asked.body))
        return super()._truth(asked)

    def realm_token(self, **claims: object) -> str:
        """A token as Keycloak writes one."""
        plain: dict[str, object] = {
            "typ": "Bearer",
            "azp": "web-shop",
            "sid": "s-1",
            "preferred_username": "ada",
            "email": "ada@example.com",
            "scope": "openid orders:read",
            "realm_access": {"roles": ["buyer"]},
            "resource_access": {"orders": {"roles": ["manager"]}, "account": {"roles": ["view-profile"]}},
        }
        whole: dict[str, Any] = {**plain, **claims}
        return self.token("u1", headers={"typ": "JWT"}, **whole)


@pytest.fixture(name="realm")
def _realm() -> Iterator[FakeRealm]:
    with FakeRealm(audience="orders-api", clock=ManualClock()) as realm:
        realm.desk.clients["orders-api"] = "s3cret"
        yield realm


@pytest.fixture(name="make", params=["sync", "async"])
def _make(realm: FakeRealm, request: pytest.FixtureRequest) -> Iterator[Make]:
    made: list[Face] = []

    def make(**options: Any) -> Face:
        issuer = ag.Issuer.keycloak(realm.url, **{"audience": realm.audience, **options})
        made.append(face(request.param, ag.GateConfig(issuers=[issuer]), realm._clock))
        return made[-1]

    yield make
    for gate in made:
        gate.close()


class TestUsers:
    def test_who_they_are(self, make: Make, realm: FakeRealm) -> None:
        """Contracts 2: name, session, scopes, and the roles of the realm and of each client."""
        user = make().verify_token(realm.realm_token()).user
        assert ("u1", "ada", "ada@example.com", "s-1") == (
            user.id,
            user.username,
            user.email,
            user.session_id,
        )
        assert ("buyer", "orders:manager", "account:view-profile") == user.roles
        assert ("openid", "orders:read") == user.scopes
        assert ("keycloak", "web-shop") == (user.issuer, user.client_id)
        assert 1 == realm.hits["/protocol/openid-connect/certs"]

    def test_without_roles(self, make: Make, realm: FakeRealm) -> None:
        """A token may have none of either."""
        token = realm.realm_token(realm_access=ABSENT, resource_access=ABSENT)
        assert () == make().verify_token(token).user.roles

    @pytest.mark.parametrize(
        "access",
        ["all", ["a"], {"a": ["b"]}, {"a": {"roles": "b"}}, {"a": {"roles": [1]}}, {"a": {"roles": [""]}}],
    )
    def test_roles_that_cannot_be_read(self, make: Make, realm: FakeRealm, access: object) -> None:
        """Law 3.9: a bad token, not one without roles."""
        with pytest.raises(ag.InvalidClaim, match="resource_access"):
            make().verify_token(realm.realm_token(resource_access=access))

    def test_roles_that_it_may_not_assert(self, make: Make, realm: FakeRealm) -> None:
        """Law 3.14: those of clients included."""
        gate = make(grants={"roles": ["buyer", "orders:manager"]})
        assert ("buyer", "orders:manager") == gate.verify_token(realm.realm_token()).user.roles

    def test_other_tokens_of_the_realm(self, make: Make, realm: FakeRealm) -> None:
        """Law 3.8: by what the payload says of its kind."""
        for typ in ("Refresh", "ID", "Offline", "Logout"):
            with pytest.raises(ag.InvalidClaim, match="typ"):
                make().verify_token(realm.realm_token(typ=typ))

    @pytest.mark.parametrize("aud", [ABSENT, "account", ["account", "billing"]])
    def test_a_missing_mapper_is_named(self, make: Make, realm: FakeRealm, aud: object) -> None:
        """Issue 6: without an audience mapper no token is for this API, and the reason says what is missing."""
        with pytest.raises(ag.InvalidClaim, match="a mapper of the type Audience"):
            make().verify_token(realm.realm_token(aud=aud))

    def test_parties(self, make: Make, realm: FakeRealm) -> None:
        """``azp`` says which client of the realm got the token."""
        gate = make(audience="account", authorized_parties=["web-shop"])
        assert "u1" == gate.verify_token(realm.realm_token(aud="account")).user.id
        with pytest.raises(ag.InvalidClaim, match="azp"):
            gate.verify_token(realm.realm_token(aud="account", azp="other"))


def account(realm: FakeRealm, client: str = "Billing", **claims: object) -> str:
    """The token of a service account, whose name Keycloak writes in lower case."""
    own = {"client_id": client, "azp": client, "preferred_username": f"service-account-{client.lower()}"}
    return realm.realm_token(**{**own, "sid": ABSENT, "email": ABSENT, **claims})


def account_claims(realm: FakeRealm, **claims: object) -> dict[str, Any]:
    """What introspection says of the account ``Billing``, or of a user with such a name."""
    own = {"client_id": "Billing", "azp": "Billing", "preferred_username": "service-account-billing"}
    return {**realm.claims("u1"), "typ": "Bearer", "token_type": "Bearer", **own, **claims}


class TestServices:
    def test_a_service_account(self, make: Make, realm: FakeRealm) -> None:
        """Is a service, and no user (Law 3.13)."""
        admission = make().verify_token(account(realm), ag.is_service)
        assert ("Billing", "Billing") == (admission.service.client_id, admission.service.name)
        assert admission.get(ag.User) is None

    @pytest.mark.parametrize(
        "claims",
        [
            {"preferred_username": "ada"},
            {"preferred_username": "service-account-other"},
            {"preferred_username": ABSENT},
            {"preferred_username": 7},
            {"client_id": ABSENT},
            {"client_id": ["Billing"]},
        ],
    )
    def test_nobody_else(self, make: Make, realm: FakeRealm, claims: dict[str, Any]) -> None:
        """Law 3.13: nothing that is missing makes a service of a user."""
        assert make().verify_token(account(realm, **claims)).get(ag.Service) is None

    def test_those_that_are_named(self, make: Make, realm: FakeRealm) -> None:
        """Where a list says which."""
        gate = make(service_clients=["Billing"])
        assert gate.verify_token(account(realm)).get(ag.Service) is not None
        assert gate.verify_token(account(realm, "other")).get(ag.Service) is None

    @pytest.mark.parametrize(
        ("rule", "claims"),
        [
            ("role", {"realm_access": {"roles": ["service"]}}),
            ("role", {"realm_access": {"roles": ["buyer", "service-account"]}}),
            ("type", {"typ": "service"}),
            ("type", {"token_type": "service"}),
            ("claims", {"client_id": "x", "preferred_username": ABSENT, "email": ABSENT}),
        ],
    )
    def test_older_rules(self, make: Make, realm: FakeRealm, rule: str, claims: dict[str, object]) -> None:
        """Each has to be switched on."""
        assert make(service_by=[rule]).verify_token(realm.realm_token(**claims)).get(ag.Service) is not None
        assert make(service_by=[rule]).verify_token(realm.realm_token()).get(ag.Service) is None
        if rule == "type":
            with pytest.raises(ag.InvalidClaim):
                make().verify_token(realm.realm_token(**claims))
        else:
            assert make().verify_token(realm.realm_token(**claims)).get(ag.Service) is None


class TestIntrospection:
    def test_each_token_is_asked_about(self, make: Make, realm: FakeRealm) -> None:
        """A session that ended is seen; no key is fetched."""
        gate = make(introspect=ag.ClientSecret("orders-api", "s3cret"))
        token, other = realm.realm_token(), realm.realm_token()
        said = {**realm.claims("u1"), "typ": "Bearer", "token_type": "Bearer", "client_id": "web-shop"}
        realm.desk.know(token, {**said, "realm_access": {"roles": ["buyer"]}, "username": "ada"})
        assert ("u1", ("buyer",)) == (gate.verify_token(token).user.id, gate.verify_token(token).user.roles)
        with pytest.raises(ag.TokenInactive):
            gate.verify_token(other)
        assert {"/protocol/openid-connect/token/introspect": 2} == dict(realm.hits)

    @pytest.mark.parametrize(
        "told", [{}, {"sid": "s-1", "clientHost": "10.0.0.7"}, {"sid": "s-1", "clientAddress": "10.0.0.7"}]
    )
    def test_a_service_account(self, make: Make, realm: FakeRealm, told: dict[str, Any]) -> None:
        """A client that logged in for itself has no session, or Keycloak says from where it did."""
        gate = make(introspect=ag.ClientSecret("orders-api", "s3cret"))
        token = account(realm)
        realm.desk.know(token, account_claims(realm, **told))

        assert "Billing" == gate.verify_token(token, ag.is_service).service.client_id

    @pytest.mark.parametrize(
        "told",
        [
            {"sid": "s-1"},
            {"session_state": "s-1"},
            {"sid": None, "clientHost": None},
            {"sid": "s-1", "clientAddress": ["10.0.0.7"]},
        ],
    )
    def test_a_user_who_took_the_name_of_an_account(
        self, make: Make, realm: FakeRealm, told: dict[str, Any]
    ) -> None:
        """Law 3.13: what introspection says has client_id of users too, so that and a name make no service."""
        gate = make(introspect=ag.ClientSecret("orders-api", "s3cret"))
        token = account(realm)
        realm.desk.know(token, account_claims(realm, username="service-account-billing", **told))

        assert gate.verify_token(token).get(ag.Service) is None
        with pytest.raises(ag.AuthorizationError):
            gate.verify_token(token, ag.is_service)

    def test_a_missing_mapper_may_be_why(self, make: Make, realm: FakeRealm) -> None:
        """Keycloak says of a token that is not for the client that asks what it says of one that has ended."""
        gate = make(introspect=ag.ClientSecret("orders-api", "s3cret"))
        with pytest.raises(
            ag.TokenInactive, match=r"not active, or not for this client.*mapper of the type Audience"
        ):
            gate.verify_token(realm.realm_token())

    def test_a_token_of_another_realm(self, make: Make, realm: FakeRealm) -> None:
        """Is nobody's business."""
        with pytest.raises(ag.UnknownIssuer):
            make(introspect=ag.ClientSecret("a", "b")).verify_token(realm.realm_token(iss=REALM))
        assert 0 == realm.hits.total()


class TestProblems:
    @pytest.mark.parametrize(
        ("url", "options", "said"),
        [
            (f"{REALM}/", {}, "realm_url: ends with a slash"),
            ("http://id.example.com/realms/a", {}, "is not https"),
            (REALM, {"audience": "account"}, "name the clients whose tokens are meant"),
            (REALM, {"audience": ["account", "a"]}, "name the clients whose tokens are meant"),
            (REALM, {"service_by": ["guess"]}, "service_by: 'guess' is none of"),
            (REALM, {"introspect": ag.ClientSecret("a", "")}, "the secret is empty"),
        ],
    )
    def test_mistakes(self, url: str, options: dict[str, Any], said: str) -> None:
        """Law 1.6."""
        issuer = ag.Issuer.keycloak(url, **{"audience": "orders-api", **options})
        with pytest.raises(ag.ConfigurationError, match=said):
            ag.Gate(ag.GateConfig(issuers=[issuer]))
