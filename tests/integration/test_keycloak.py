"""authgate behind a real Keycloak."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import authgate_core as ag
from tests.integration.parts.keycloak import AUDIENCE, Keycloak
from tests.support.gates import Face, bearer, face, view

ROLES = ("realm_access.roles", f"resource_access.{AUDIENCE}.roles")


def is_service_account(claims: Mapping[str, Any]) -> bool:
    """Whether claims are those of a service account, as Keycloak names it."""
    return claims.get("preferred_username") == f"service-account-{claims.get('client_id')}"


@pytest.fixture(params=["sync", "async"])
def gate(request: pytest.FixtureRequest, running_keycloak: Keycloak) -> Iterator[Face]:
    """A gate that believes the realm."""
    issuer = ag.Issuer.oidc(
        running_keycloak.realm, audience=AUDIENCE, roles=ROLES, service_when=is_service_account, pure=True
    )
    made = face(request.param, ag.GateConfig(issuers=[issuer]))
    yield made
    made.close()


class TestUsers:
    def test_a_user_has_the_roles_of_realm_and_client(self, gate: Face, running_keycloak: Keycloak) -> None:
        """Law 8.1: a user by the password grant passes what asks for a role of the realm and one of the client."""
        request = view(bearer(running_keycloak.user_token("ada")))

        user = gate.admit(request, ag.any_role("customer") & ag.any_role("reader")).user

        assert "ada" == user.claims["preferred_username"]

    def test_a_role_that_the_user_lacks_is_refused(self, gate: Face, running_keycloak: Keycloak) -> None:
        """Law 8.1: with 403."""
        with pytest.raises(ag.AuthorizationError):
            gate.admit(view(bearer(running_keycloak.user_token("grace"))), ag.any_role("reader"))

    def test_a_token_without_the_audience_is_refused(self, gate: Face, running_keycloak: Keycloak) -> None:
        """Law 3.6: the client has no audience mapper, and the user no role of this service that would stand for it."""
        with pytest.raises(ag.InvalidClaim):
            gate.admit(view(bearer(running_keycloak.user_token("grace", "old-web"))), ag.is_user)

    def test_a_user_who_signs_in_on_the_page_is_admitted(
        self, gate: Face, running_keycloak: Keycloak
    ) -> None:
        """Law 3.4: by an authorization code with PKCE, whose token names the session."""
        user = gate.admit(view(bearer(running_keycloak.code_token("ada"))), ag.any_role("customer")).user

        assert ("shop-web", True) == (user.claims["azp"], bool(user.claims["sid"]))


class TestServices:
    def test_a_service_account_is_a_service(self, gate: Face, running_keycloak: Keycloak) -> None:
        """Law 3.13: and has the roles that its client was given."""
        request = view(bearer(running_keycloak.service_token()))

        assert gate.admit(request, ag.is_service & ag.any_role("writer")).service

    def test_a_service_account_without_a_role_is_refused(
        self, gate: Face, running_keycloak: Keycloak
    ) -> None:
        """Law 8.1: what its client was not given it does not have."""
        with pytest.raises(ag.AuthorizationError):
            gate.admit(view(bearer(running_keycloak.service_token())), ag.any_role("reader"))


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
