"""Tokens that a certified OpenID provider binds to the key of a client: DPoP (RFC 9449), certificates (RFC 8705)."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest

import authgate_core as ag
from authgate_core.testing import ABSENT, ProofKey
from tests.integration.parts.certificates import Identity, self_signed
from tests.integration.parts.provider import AUDIENCE, CLIENT, OpenIdProvider
from tests.support.gates import Face, bearer, face, view

HERE = "https://orders.example.test"
URL = f"{HERE}/orders"
KINDS = ("ES256", "opaque")


@pytest.fixture(params=["sync", "async"])
def gate(request: pytest.FixtureRequest, openid: OpenIdProvider) -> Iterator[Face]:
    """A gate that accepts bound tokens of both ways, verifies JWTs and asks about the others."""
    issuer = ag.Issuer.oidc(
        openid.url,
        audience=AUDIENCE,
        subject="client_id",
        confirmation=["dpop", "mtls"],
        introspection=ag.Introspection(openid.introspection_url, ag.ClientSecret(*CLIENT)),
    )
    made = face(request.param, ag.GateConfig(issuers=[issuer], dpop=ag.DPoP(HERE)))
    yield made
    made.close()


@pytest.fixture(scope="module")
def key() -> ProofKey:
    """The key of a client."""
    return ProofKey()


@pytest.fixture(scope="module")
def certificate() -> Identity:
    """The certificate of a client."""
    return self_signed("billing")


def bound_to(key: ProofKey, openid: OpenIdProvider, kind: str) -> str:
    """A token that is bound to a key, for which the provider asked a proof of it."""
    proof = key.proof("POST", openid.token_url, "", ath=ABSENT)
    return openid.bound_token("billing-dpop", kind, proof=proof)


class TestProofs:
    @pytest.mark.parametrize("kind", KINDS)
    def test_who_holds_the_key_is_admitted(
        self, gate: Face, openid: OpenIdProvider, key: ProofKey, kind: str
    ) -> None:
        """Law 3.15: with a proof for this request."""
        headers = key.headers("GET", URL, bound_to(key, openid, kind))

        assert "billing-dpop" == gate.admit(view(*headers.items()), ag.is_user).user.id

    @pytest.mark.parametrize("kind", KINDS)
    def test_who_stole_the_token_is_refused(
        self, gate: Face, openid: OpenIdProvider, key: ProofKey, kind: str
    ) -> None:
        """Law 3.15: neither with a key of their own, nor without a proof."""
        token = bound_to(key, openid, kind)

        for headers in (ProofKey().headers("GET", URL, token).items(), [bearer(token)]):
            with pytest.raises(ag.AuthenticationError):
                gate.admit(view(*headers), ag.is_user)

    def test_a_proof_is_good_once(self, gate: Face, openid: OpenIdProvider, key: ProofKey) -> None:
        """Law 3.15: the very request that was admitted is refused when it comes again."""
        headers = key.headers("GET", URL, bound_to(key, openid, "ES256"))
        gate.admit(view(*headers.items()), ag.is_user)

        with pytest.raises(ag.AuthenticationError):
            gate.admit(view(*headers.items()), ag.is_user)


class TestCertificates:
    @pytest.mark.parametrize("kind", KINDS)
    def test_only_who_shows_the_certificate_is_admitted(
        self, gate: Face, openid: OpenIdProvider, certificate: Identity, kind: str
    ) -> None:
        """Law 3.15: the one that the token endpoint saw, not another, and not none."""
        token = openid.bound_token("billing-mtls", kind, certificate=certificate.shown())
        shown = ssl.PEM_cert_to_DER_cert(certificate.certificate)
        other = ssl.PEM_cert_to_DER_cert(self_signed("billing").certificate)

        admission = gate.admit(view(bearer(token), certificate=shown), ag.is_user)

        assert "billing-mtls" == admission.user.id
        for wrong in (other, None):
            with pytest.raises(ag.AuthenticationError):
                gate.admit(view(bearer(token), certificate=wrong), ag.is_user)
