"""What the tokens of an auth service must be, and whom they speak of (contracts of the auth_service profile)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.errors import InvalidClaim
from authgate_core.testing import ABSENT, FakeAuthService, FakeIssuer, ManualClock
from tests.support.gates import Face, bearer, face, view


@pytest.fixture
def clock() -> ManualClock:
    """The one clock of service and gate."""
    return ManualClock()


@pytest.fixture
def service(clock: ManualClock) -> Iterator[FakeAuthService]:
    """An auth service that is served."""
    with FakeAuthService(clock=clock) as served:
        yield served


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    """Both colours."""
    return str(request.param)


@pytest.fixture
def make(colour: str, service: FakeAuthService, clock: ManualClock) -> Iterator[Callable[..., Face]]:
    """Makes gates in front of it."""
    made: list[Face] = []

    def new(*, url: str = service.url, **options: Any) -> Face:
        trusted = ag.Issuer.auth_service(url, audience=service.audience, **options)
        made.append(face(colour, ag.GateConfig(issuers=[trusted]), clock))
        return made[-1]

    yield new
    for gate in made:
        gate.close()


def refusal(gate: Face, token: str) -> ag.AuthgateError:
    """Why the gate does not admit the bearer of a token."""
    with pytest.raises(ag.AuthgateError) as caught:
        gate.admit(view(bearer(token)), ag.is_user | ag.is_service)
    return caught.value


class TestUser:
    def test_who_it_is(self, make: Callable[..., Face], service: FakeAuthService) -> None:
        """A token of the type access is a user's, with its role, its scopes and its email."""
        token = service.token("u1", role="admin", scopes=["orders:read", "orders:write"], email="u1@x.test")

        user = make().admit(view(bearer(token)), ag.is_user).user

        assert ("auth_service", "u1", "u1@x.test") == (user.issuer, user.id, user.email)
        assert (("admin",), ("orders:read", "orders:write")) == (user.roles, user.scopes)
        assert service.claims()["auth_time"] == user.auth_time

    def test_a_role_is_one_name(self, make: Callable[..., Face], service: FakeAuthService) -> None:
        """Law 8.5: no part of a role is a role."""
        user = make().admit(view(bearer(service.token(role="no admin, user"))), ag.is_user).user

        assert ("no admin, user",) == user.roles

    def test_a_separator_can_be_configured(self, make: Callable[..., Face], service: FakeAuthService) -> None:
        """Where a service writes several roles into one claim, its configuration says how."""
        gate = make(separators={"role": "+"})

        assert ("a", "b") == gate.admit(view(bearer(service.token(role="a+b"))), ag.is_user).user.roles

    def test_a_slash_at_the_end_of_the_url_is_none(
        self, make: Callable[..., Face], service: FakeAuthService
    ) -> None:
        """It is no part of the address of the keys."""
        assert "u1" == make(url=f"{service.url}/").verify_token(service.token()).user.id

    def test_it_is_remembered(self, make: Callable[..., Face], service: FakeAuthService) -> None:
        """Law 7.1: the profile judges by the claims alone, so a second look is short and finds the same."""
        gate, token = make(), service.token("u1", role="admin")

        assert gate.verify_token(token).user == gate.verify_token(token).user
        assert ag.Issuer.auth_service(service.url, audience="a").is_repeatable


class TestService:
    def test_who_it_is(self, make: Callable[..., Face], service: FakeAuthService) -> None:
        """Law 3.13: a token of the type m2m is a service's, and its subject is the client."""
        token = service.service_token("billing", scope="orders:read orders:write")

        found = make().admit(view(bearer(token)), ag.is_service & ag.any_client("billing")).service

        assert ("billing", "billing", "billing") == (found.id, found.client_id, found.name)
        assert (("service",), ("orders:read", "orders:write")) == (found.roles, found.scopes)

    def test_is_no_user(self, make: Callable[..., Face], service: FakeAuthService) -> None:
        """It is admitted by no policy that asks for a user."""
        with pytest.raises(ag.AuthorizationError):
            make().admit(view(bearer(service.service_token())), ag.is_user)

    def test_the_client_is_named_without_the_namespace(
        self, make: Callable[..., Face], service: FakeAuthService
    ) -> None:
        """Law 3.14: a namespace is put before ids, and the client is called what its service calls it."""
        found = make(namespace="corp:").verify_token(service.service_token("billing")).service

        assert ("corp:billing", "billing") == (found.id, found.client_id)

    def test_a_user_is_no_client(self, make: Callable[..., Face], service: FakeAuthService) -> None:
        """The subject of a user's token is nobody's client."""
        assert make().verify_token(service.token("u1")).user.client_id is None


class TestRefused:
    @pytest.mark.parametrize("claim", ["jti", "iat", "exp", "sub", "type", "aud", "role"])
    def test_a_claim_that_every_token_has(
        self, make: Callable[..., Face], service: FakeAuthService, claim: str
    ) -> None:
        """A token without it was not made by this service."""
        absent: dict[str, Any] = {claim: ABSENT}

        error = refusal(make(), service.token(**absent))

        assert isinstance(error, InvalidClaim)
        assert claim == error.claim

    @pytest.mark.parametrize(
        "kind", ["refresh", "action_token", "id", "", "M2M", "Access", None, 1, ["access"]]
    )
    def test_tokens_of_another_type(
        self, make: Callable[..., Face], service: FakeAuthService, kind: object
    ) -> None:
        """Law 3.8: a refresh or action token, or one of a type that the service does not write, opens nothing."""
        error = refusal(make(), service.token(type=kind))

        assert isinstance(error, InvalidClaim)
        assert "type" == error.claim

    @pytest.mark.parametrize("role", ["admin", "user", "", ["service"], None])
    def test_a_program_with_another_role(
        self, make: Callable[..., Face], service: FakeAuthService, role: object
    ) -> None:
        """Tokens of the type m2m have the role service; one that has not is nobody's."""
        assert isinstance(refusal(make(), service.service_token(role=role)), InvalidClaim)

    @pytest.mark.parametrize("iss", ["", "https://auth.test", None])
    def test_a_token_with_an_issuer(
        self, make: Callable[..., Face], service: FakeAuthService, iss: object
    ) -> None:
        """Law 3.5: no token of this service has an ``iss``, be it empty."""
        assert isinstance(refusal(make(), service.token(iss=iss)), ag.InvalidToken)

    def test_a_token_that_names_no_key(self, make: Callable[..., Face], service: FakeAuthService) -> None:
        """The header names the key, also where there is one key only."""
        error = refusal(make(), service.token(kid=ABSENT))

        assert isinstance(error, InvalidClaim)
        assert "kid header" == error.claim

    def test_another_audience(self, make: Callable[..., Face], service: FakeAuthService) -> None:
        """Law 3.6."""
        error = refusal(make(), service.token(aud="another-api"))

        assert isinstance(error, InvalidClaim)
        assert "aud" == error.claim

    def test_another_algorithm(self, make: Callable[..., Face], service: FakeAuthService) -> None:
        """The service signs with RS256; what its key could do besides does not count."""
        assert isinstance(refusal(make(), service.token(algorithm="PS256")), ag.InvalidToken)

    def test_what_the_configuration_requires_besides(
        self, make: Callable[..., Face], service: FakeAuthService
    ) -> None:
        """Claims that an application requires add to those of the profile."""
        gate = make(required_claims=["department"])

        assert "u1" == gate.verify_token(service.token("u1", department="x")).user.id
        assert "department: is missing" == refusal(gate, service.token()).reason
        assert "jti: is missing" == refusal(gate, service.token(department="x", jti=ABSENT)).reason


class TestSetUp:
    @pytest.mark.parametrize("url", ["", "auth.example.com", None, 7, "http://auth.example.com"])
    def test_an_address_that_is_none(self, url: Any) -> None:
        """Law 1.6: it is said when the gate is built."""
        with pytest.raises(ag.ConfigurationError, match="jwks_url"):
            ag.Gate(ag.GateConfig(issuers=[ag.Issuer.auth_service(url, audience="a")]))

    def test_two_without_an_issuer(self) -> None:
        """Law 3.5: a token could not tell them apart."""
        issuers = [ag.Issuer.auth_service(f"https://{name}.test", audience="a", name=name) for name in "ab"]

        with pytest.raises(ag.ConfigurationError, match="2 have issuer=None"):
            ag.Gate(ag.GateConfig(issuers=issuers, shared_subjects=True))

    def test_beside_a_provider(self, service: FakeAuthService, clock: ManualClock) -> None:
        """Law 3.5: who issued a token is told by its ``iss``, or by there being none."""
        with FakeIssuer(clock=clock) as provider:
            issuers = [
                ag.Issuer.auth_service(service.url, audience=service.audience),
                ag.Issuer.oidc(provider.url, audience=provider.audience, name="id"),
            ]
            with ag.Gate(ag.GateConfig(issuers=issuers, shared_subjects=True), clock=clock) as gate:
                assert "auth_service" == gate.verify_token(service.token()).user.issuer
                assert "id" == gate.verify_token(provider.token()).user.issuer
