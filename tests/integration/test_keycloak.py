"""authgate behind a real Keycloak, whose tokens it verifies, or asks Keycloak about."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import authgate_core as ag
from tests.integration.parts.keycloak import AUDIENCE, SECRETS, Keycloak
from tests.support.gates import Face, bearer, face, view

READER = f"{AUDIENCE}:reader"
WRITER = f"{AUDIENCE}:writer"


def issuer(keycloak: Keycloak, how: str) -> ag.Issuer:
    """The realm, by whose keys tokens are verified here, or which is asked about each."""
    client = ag.ClientSecret(AUDIENCE, SECRETS[AUDIENCE]) if how == "asked" else None
    return ag.Issuer.keycloak(keycloak.realm, audience=AUDIENCE, introspect=client)


@pytest.fixture(params=["sync", "async"])
def gate(request: pytest.FixtureRequest, running_keycloak: Keycloak) -> Iterator[Face]:
    """A gate that verifies tokens itself."""
    made = face(request.param, ag.GateConfig(issuers=[issuer(running_keycloak, "verified")]))
    yield made
    made.close()


@pytest.fixture(params=["verified", "asked"])
def either(request: pytest.FixtureRequest, running_keycloak: Keycloak) -> Iterator[Face]:
    """A gate of either kind."""
    made = face("async", ag.GateConfig(issuers=[issuer(running_keycloak, request.param)]))
    yield made
    made.close()


class TestUsers:
    def test_a_user_has_the_roles_of_realm_and_client(self, either: Face, running_keycloak: Keycloak) -> None:
        """Law 8.1: a user by the password grant passes what asks for a role of the realm and one of the client."""
        request = view(bearer(running_keycloak.user_token("ada")))

        user = either.admit(request, ag.any_role("customer") & ag.any_role(READER)).user

        assert "ada" == user.claims["preferred_username"]

    def test_a_role_that_the_user_lacks_is_refused(self, either: Face, running_keycloak: Keycloak) -> None:
        """Law 8.1: with 403."""
        with pytest.raises(ag.AuthorizationError):
            either.admit(view(bearer(running_keycloak.user_token("grace"))), ag.any_role(READER))

    def test_a_token_without_the_audience_is_refused(
        self, either: Face, running_keycloak: Keycloak, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Law 3.6: a client without an audience mapper gets tokens that open nothing; the log says what is missing.

        Keycloak calls them inactive when a client asks about them that they are not for.
        """
        with pytest.raises(ag.InvalidToken):
            either.admit(view(bearer(running_keycloak.user_token("grace", "old-web"))), ag.is_user)

        assert "mapper of the type Audience" in caplog.text

    def test_a_user_who_signs_in_on_the_page_is_admitted(
        self, either: Face, running_keycloak: Keycloak
    ) -> None:
        """Law 3.4: by an authorization code with PKCE, whose token names the session."""
        user = either.admit(view(bearer(running_keycloak.code_token("ada"))), ag.any_role("customer")).user

        assert ("shop-web", True) == (user.claims["azp"], bool(user.claims["sid"]))


class TestServices:
    def test_a_service_account_is_a_service(self, either: Face, running_keycloak: Keycloak) -> None:
        """Law 3.13: and has the roles that its client was given."""
        request = view(bearer(running_keycloak.service_token()))

        assert either.admit(request, ag.is_service & ag.any_role(WRITER)).service

    def test_a_user_who_took_the_name_of_an_account_is_no_service(
        self, either: Face, running_keycloak: Keycloak
    ) -> None:
        """Law 3.13: whoever registers may call themselves like the account that a client does not have."""
        name = "service-account-shop-web"
        password = {"type": "password", "value": f"{name}-password", "temporary": False}
        told = {"firstName": "A", "lastName": "B", "email": "taken@example.com", "emailVerified": True}
        if not running_keycloak.admin("GET", f"/users?exact=true&username={name}"):
            account = {"username": name, "enabled": True, "credentials": [password], **told}
            running_keycloak.admin("POST", "/users", account)
        request = view(bearer(running_keycloak.user_token(name)))

        assert name == either.admit(request, ag.is_user).user.claims["preferred_username"]
        with pytest.raises(ag.AuthorizationError):
            either.admit(request, ag.is_service)

    def test_a_service_account_without_a_role_is_refused(
        self, either: Face, running_keycloak: Keycloak
    ) -> None:
        """Law 8.1: what its client was not given it does not have."""
        with pytest.raises(ag.AuthorizationError):
            either.admit(view(bearer(running_keycloak.service_token())), ag.any_role(READER))


class TestRotation:
    def test_new_keys_are_followed_and_old_ones_end(self, gate: Face, running_keycloak: Keycloak) -> None:
        """Laws 4.3 and 4.5: a new key verifies at once, and the old one until the realm withdraws it."""
        old = running_keycloak.user_token("ada")
        gate.admit(view(bearer(old)), ag.is_user)
        (before,) = running_keycloak.signing_keys()

        after = running_keycloak.add_signing_key()
        new = running_keycloak.user_token("ada")

        assert (
            gate.admit(view(bearer(new)), ag.is_user).user == gate.admit(view(bearer(old)), ag.is_user).user
        )
        running_keycloak.admin("DELETE", f"/components/{before}")
        running_keycloak.add_signing_key(replacing=after)
        gate.admit(view(bearer(running_keycloak.user_token("ada"))), ag.is_user)
        with pytest.raises(ag.InvalidToken):
            gate.admit(view(bearer(old)), ag.is_user)


class TestEnvironment:
    def test_a_service_of_the_older_client_starts_with_its_variables(
        self, running_keycloak: Keycloak
    ) -> None:
        """Law 8.1: Keycloak is asked about tokens, and an admin has every role, as ever."""
        settings = {
            "AUTHGATE_PROFILE": "keycloak",
            "AUTH_MODE": "direct_keycloak",
            "KEYCLOAK_REALM_URL": running_keycloak.realm,
            "KEYCLOAK_CLIENT_ID": AUDIENCE,
            "KEYCLOAK_CLIENT_SECRET": SECRETS[AUDIENCE],
            "TOKEN_CACHE_TTL": "10",
        }
        with ag.Gate(ag.GateConfig.from_mapping(settings)) as gate:
            user = gate.admit(
                view(bearer(running_keycloak.user_token("grace"))), ag.any_role("supplier")
            ).user

        assert "grace" == user.claims["preferred_username"]
