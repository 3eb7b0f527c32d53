"""authgate behind a certified OpenID provider."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import authgate_core as ag
from tests.integration.parts.provider import ALGORITHMS, AUDIENCE, OpenIdProvider
from tests.support.gates import Face, bearer, face, view

BY_CLIENT = {"sub": "billing"}


@pytest.fixture(params=["sync", "async"])
def gate(request: pytest.FixtureRequest, openid: OpenIdProvider) -> Iterator[Face]:
    """A gate that knows nothing of the provider but its address."""
    issuer = ag.Issuer.oidc(openid.url, audience=AUDIENCE, service_when=BY_CLIENT, require_at_jwt=True)
    made = face(request.param, ag.GateConfig(issuers=[issuer]))
    yield made
    made.close()


def admitted(gate: Face, token: str, policy: ag.Policy = ag.is_service) -> ag.Admission:
    """What a gate admits a token as."""
    return gate.admit(view(bearer(token)), policy)


class TestTokens:
    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    def test_each_algorithm_of_the_provider_is_verified(
        self, gate: Face, openid: OpenIdProvider, algorithm: str
    ) -> None:
        """Law 3.2: the keys that discovery leads to verify what the provider signs with each of them."""
        service = admitted(gate, openid.token(algorithm)).service

        assert ("billing", ("orders:read",)) == (service.id, service.scopes)

    def test_a_scope_that_was_not_granted_is_missing(self, gate: Face, openid: OpenIdProvider) -> None:
        """Law 8.1: what the provider did not grant is refused with 403, and the scope is named."""
        with pytest.raises(ag.InsufficientScope) as refused:
            admitted(gate, openid.token("ES256"), ag.all_scopes("orders:write"))

        assert 403 == refused.value.status

    def test_a_changed_token_is_refused(self, gate: Face, openid: OpenIdProvider) -> None:
        """Law 3.1: a token of the provider with another payload has no signature of the provider."""
        head, _, signature = openid.token("RS256").split(".")
        _, other, _ = openid.token("RS256", "orders:write").split(".")

        with pytest.raises(ag.BadSignature):
            admitted(gate, f"{head}.{other}.{signature}")

    def test_a_token_for_another_service_is_refused(self, openid: OpenIdProvider) -> None:
        """Law 3.6: what was issued for the orders API opens no other."""
        issuer = ag.Issuer.oidc(openid.url, audience="invoices-api")
        with ag.Gate(ag.GateConfig(issuers=[issuer])) as other, pytest.raises(ag.InvalidClaim):
            other.verify_token(openid.token("RS256"))


class TestRotation:
    def test_new_keys_are_found_without_waiting(self, gate: Face, openid: OpenIdProvider) -> None:
        """Law 4.5: the first token that names a new key is admitted, and those of the old one still are."""
        old = openid.token("RS256")
        admitted(gate, old)

        openid.rotate(keep_old=True)

        assert "billing" == admitted(gate, openid.token("RS256")).service.id
        assert "billing" == admitted(gate, old).service.id

    def test_a_key_that_was_withdrawn_verifies_nothing(self, gate: Face, openid: OpenIdProvider) -> None:
        """Law 4.3: once new keys have been fetched, a token of a key that is gone is refused."""
        old = openid.token("RS256")
        admitted(gate, openid.token("ES256"))

        openid.rotate(keep_old=False)
        admitted(gate, openid.token("RS256"))

        with pytest.raises(ag.InvalidToken):
            admitted(gate, old)
