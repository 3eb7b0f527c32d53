"""Keycloak, asked about each token (RFC 7662), so that what it ends is over at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import authgate_core as ag
from tests.integration.parts.keycloak import AUDIENCE, SECRETS, Keycloak
from tests.support.gates import Face, bearer, face, view


@pytest.fixture(params=["sync", "async"])
def gate(request: pytest.FixtureRequest, running_keycloak: Keycloak) -> Iterator[Face]:
    """A gate that asks about every token, and remembers no answer."""
    client = ag.ClientSecret(AUDIENCE, SECRETS[AUDIENCE])
    introspection = ag.Introspection(running_keycloak.introspection_url, client, jwts=True, remember=0)
    issuer = ag.Issuer.keycloak(running_keycloak.realm, audience=AUDIENCE, introspection=introspection)
    made = face(request.param, ag.GateConfig(issuers=[issuer]))
    yield made
    made.close()


class TestWhatEnds:
    def test_a_session_that_ended_is_over(self, gate: Face, running_keycloak: Keycloak) -> None:
        """Law 7.4: the token has minutes to go still, and is refused once its user was logged out."""
        token = running_keycloak.code_token("grace")
        gate.admit(view(bearer(token)), ag.is_user)

        running_keycloak.log_out("grace")

        with pytest.raises(ag.TokenInactive):
            gate.admit(view(bearer(token)), ag.is_user)

    def test_a_disabled_realm_admits_nobody(self, gate: Face, running_keycloak: Keycloak) -> None:
        """Law 1.5: the realm says nothing of tokens then, and a realm that says nothing is an outage."""
        token = running_keycloak.user_token("ada")
        gate.admit(view(bearer(token)), ag.is_user)
        running_keycloak.admin("PUT", "", {"enabled": False})
        try:
            with pytest.raises(ag.AuthUnavailable):
                gate.admit(view(bearer(token)), ag.is_user)
        finally:
            running_keycloak.admin("PUT", "", {"enabled": True})

        assert gate.admit(view(bearer(token)), ag.is_user).user
