"""Opaque tokens of a certified OpenID provider, which is asked about them (RFC 7662), as each kind of client."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

import authgate_core as ag
from tests.integration.parts.provider import AUDIENCE, CLIENT, OpenIdProvider
from tests.support.gates import Face, bearer, face, view

BY_CLIENT = {"client_id": "billing"}

CLIENTS: dict[str, Callable[[OpenIdProvider], ag.ClientSecret | ag.PrivateKeyJwt]] = {
    "basic": lambda _: ag.ClientSecret(*CLIENT),
    "post": lambda _: ag.ClientSecret("orders-api-post", "orders-api-post-secret-for-tests-alone", "post"),
    "private_key_jwt": lambda openid: ag.PrivateKeyJwt(
        "orders-api-jwt", openid.api_key, algorithm="ES256", kid="orders-api-2026"
    ),
}


def issuer(
    openid: OpenIdProvider,
    client: ag.ClientSecret | ag.PrivateKeyJwt,
    *,
    signed: bool = False,
    jwts: bool = False,
) -> ag.Issuer:
    """The provider, asked about opaque tokens."""
    introspection = ag.Introspection(openid.introspection_url, client, signed=signed, jwts=jwts)
    return ag.Issuer.oidc(
        openid.url,
        audience=AUDIENCE,
        introspection=introspection,
        subject="client_id",
        service_when=BY_CLIENT,
    )


@pytest.fixture(params=["sync", "async"])
def gate_of(request: pytest.FixtureRequest) -> Iterator[Callable[[ag.Issuer], Face]]:
    """Makes gates of one colour, and closes them."""
    made: list[Face] = []

    def make(issuer: ag.Issuer) -> Face:
        made.append(face(request.param, ag.GateConfig(issuers=[issuer])))
        return made[-1]

    yield make
    for gate in made:
        gate.close()


class TestAsked:
    @pytest.mark.parametrize("signed", [False, True], ids=["JSON", "JWT"])
    @pytest.mark.parametrize("client", CLIENTS)
    def test_an_active_token_is_admitted(
        self, gate_of: Callable[[ag.Issuer], Face], openid: OpenIdProvider, client: str, signed: bool
    ) -> None:
        """Law 7.4: as a client with a secret in the header or the form, or with a key; JSON or signed (RFC 9701)."""
        gate = gate_of(issuer(openid, CLIENTS[client](openid), signed=signed))

        service = gate.admit(view(bearer(openid.token("opaque"))), ag.all_scopes("orders:read")).service

        assert ("billing", ("orders:read",)) == (service.id, service.scopes)

    def test_a_withdrawn_token_is_refused(
        self, gate_of: Callable[[ag.Issuer], Face], openid: OpenIdProvider
    ) -> None:
        """Law 7.4: what the provider calls inactive is no longer good."""
        gate, token = gate_of(issuer(openid, CLIENTS["basic"](openid))), openid.token("opaque")
        openid.revoke(token)

        with pytest.raises(ag.TokenInactive):
            gate.admit(view(bearer(token)), ag.is_service)

    def test_jwts_are_verified_beside_it(
        self, gate_of: Callable[[ag.Issuer], Face], openid: OpenIdProvider
    ) -> None:
        """Law 7.4: the provider introspects none of its JWTs, and the same gate verifies them itself."""
        gate = gate_of(issuer(openid, CLIENTS["basic"](openid)))

        ids = [
            gate.admit(view(bearer(openid.token(kind))), ag.is_service).service.id
            for kind in ("opaque", "PS256")
        ]

        assert ["billing", "billing"] == ids


class TestMistakes:
    def test_a_wrong_secret_is_an_outage(
        self, gate_of: Callable[[ag.Issuer], Face], openid: OpenIdProvider
    ) -> None:
        """Law 7.4: our own credentials are refused, which says nothing of the token."""
        gate = gate_of(issuer(openid, ag.ClientSecret("orders-api", "another-secret-of-some-length")))

        with pytest.raises(ag.AuthUnavailable, match="credentials"):
            gate.admit(view(bearer(openid.token("opaque"))), ag.is_service)

    def test_to_ask_about_jwts_is_a_mistake_of_ours(
        self, gate_of: Callable[[ag.Issuer], Face], openid: OpenIdProvider
    ) -> None:
        """Law 7.4: the provider's 400 unsupported_token_type is no word on the token; the log says what to change."""
        gate = gate_of(issuer(openid, CLIENTS["basic"](openid), jwts=True))

        with pytest.raises(ag.AuthUnavailable, match="jwts=True"):
            gate.admit(view(bearer(openid.token("RS256"))), ag.is_service)
