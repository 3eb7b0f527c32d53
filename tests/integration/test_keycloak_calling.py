"""Calling other services with tokens of a real Keycloak: in one's own name, and for whoever has called."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

import authgate_core as ag
from authgate_core.outbound import ClientSecret, ServiceClient, relay
from tests.integration.parts.keycloak import AUDIENCE, SECRETS, Keycloak
from tests.support.gates import bearer, view
from tests.support.outbound import Callee, calling


@pytest.fixture(name="callee")
def _callee() -> Iterator[Callee]:
    with calling() as callee:
        yield callee


def client_of(keycloak: Keycloak, client_id: str) -> ServiceClient:
    """A client of the realm, found by discovery."""
    return ServiceClient(keycloak.realm, credential=ClientSecret(client_id, SECRETS[client_id]))


def admitted(keycloak: Keycloak, callee: Callee, audience: str) -> ag.Admission:
    """Whom a gate for an audience admits by the token that the callee was shown last."""
    issuer = ag.Issuer.keycloak(keycloak.realm, audience=audience)
    with ag.Gate(ag.GateConfig(issuers=[issuer])) as gate:
        return gate.verify_token(str(callee.shown[-1]).removeprefix("Bearer "))


def called(auth: httpx2.Auth, callee: Callee) -> int:
    """Call the callee."""
    with httpx2.Client(auth=auth, trust_env=False) as http:
        return http.get(callee.url).status_code


class TestCalling:
    def test_in_ones_own_name(self, running_keycloak: Keycloak, callee: Callee) -> None:
        """Law 11.1: by the service account of the client, once for two calls."""
        auth = client_of(running_keycloak, "billing").auth(audience=AUDIENCE, hosts=callee.url)

        assert [200, 200] == [called(auth, callee) for _ in range(2)]
        assert 1 == len(set(callee.shown))
        assert "billing" == admitted(running_keycloak, callee, AUDIENCE).service.client_id

    def test_for_whoever_has_called(self, running_keycloak: Keycloak, callee: Callee) -> None:
        """RFC 8693: the user's token for this API is exchanged for one that the next API takes."""
        keycloak = running_keycloak
        issuer = ag.Issuer.keycloak(keycloak.realm, audience=AUDIENCE)
        with ag.Gate(ag.GateConfig(issuers=[issuer])) as gate:
            admission = gate.admit(view(bearer(keycloak.user_token("ada"))), ag.is_user)
        auth = client_of(keycloak, AUDIENCE).on_behalf_of(admission, audience="billing", hosts=callee.url)

        called(auth, callee)

        user = admitted(keycloak, callee, "billing").user
        assert (admission.user.id, AUDIENCE) == (user.id, user.client_id)

    def test_an_audience_that_it_may_not_have(self, running_keycloak: Keycloak) -> None:
        """Law 1.6: the realm says no, and that is this service's own affair."""
        keycloak = running_keycloak
        issuer = ag.Issuer.keycloak(keycloak.realm, audience=AUDIENCE)
        with ag.Gate(ag.GateConfig(issuers=[issuer])) as gate:
            admission = gate.admit(view(bearer(keycloak.user_token("ada"))), ag.is_user)
        auth = client_of(keycloak, AUDIENCE).on_behalf_of(
            admission, audience="nobody", hosts="api.example.test"
        )

        with pytest.raises(ag.EndpointRefused):
            auth.header()

    def test_relay(self, running_keycloak: Keycloak, callee: Callee) -> None:
        """Law 11.1: the user's own token goes on."""
        keycloak, token = running_keycloak, running_keycloak.user_token("ada")
        issuer = ag.Issuer.keycloak(keycloak.realm, audience=AUDIENCE)
        with ag.Gate(ag.GateConfig(issuers=[issuer])) as gate:
            auth = relay(gate.admit(view(bearer(token)), ag.is_user), hosts=callee.url)

        called(auth, callee)

        assert [f"Bearer {token}"] == callee.shown

    def test_a_login_that_is_over(self, running_keycloak: Keycloak, callee: Callee) -> None:
        """Law 1.5: a refresh token gives new tokens until the session ends, which is no outage."""
        keycloak = running_keycloak
        form = {"grant_type": "password", "username": "ada", "password": "ada-password"}
        answer = keycloak.client.post(
            f"{keycloak.realm}/protocol/openid-connect/token", auth=("billing", SECRETS["billing"]), data=form
        )
        refresh_token: str = answer.json()["refresh_token"]
        client = client_of(keycloak, "billing")

        assert 200 == called(client.renewing(refresh_token, hosts=callee.url), callee)

        keycloak.log_out("ada")
        with pytest.raises(ag.TokenInactive):
            client.renewing(refresh_token, scopes="openid", hosts=callee.url).header()
