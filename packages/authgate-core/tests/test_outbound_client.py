"""How a service client is configured, and whom it acts for (Laws 1.6, 2.7, 4.9)."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

import authgate_core as ag
from authgate_core.effects import Endpoint
from authgate_core.outbound import (
    ClientCertificate,
    ClientSecret,
    PrivateKeyJWT,
    PrivateKeyJwt,
    ServiceClient,
    relay,
)
from authgate_core.outbound.caller import caller_of, check_chain
from authgate_core.request import Memo
from authgate_core.testing import FakeIssuer
from authgate_core.testing.shapes import encode_segment
from tests.support.gates import bearer, view
from tests.support.outbound import CLIENT, SECRET, issuing

URL = "https://id.example.com"
BILLING = "billing.example.com"
ACTOR = {"sub": "web"}
TOKENS = Endpoint("id (tokens)", f"{URL}/token")


@pytest.fixture(name="issuer")
def _issuer() -> Iterator[FakeIssuer]:
    with issuing() as issuer:
        yield issuer


def _problems(url: str = URL, **given: Any) -> str:
    with pytest.raises(ag.ConfigurationError) as caught:
        ServiceClient(url, **given)
    return str(caught.value)


class TestConfiguration:
    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"credential": 7}, "credential: give a ClientSecret"),
            ({"credential": None}, "credential: give a ClientSecret"),
            ({"credential": "secret"}, "client_id is empty"),
            ({"credential": "", "client_id": "orders"}, "the secret is empty"),
            ({"credential": ClientSecret("a", "s"), "client_id": "b"}, "that of the credential is 'a'"),
            ({"credential": PrivateKeyJwt("a", "no key")}, "client: the key"),
            ({"credential": ClientSecret("a", "s"), "token_url": "http://id.example.com/t"}, "token_url: "),
            ({"credential": ClientSecret("a", "s"), "timeout": 6}, "timeout: 6 is not"),
            ({"credential": ClientSecret("a", "s"), "timeout": True}, "timeout: True is not"),
            ({"credential": ClientCertificate("", "no.pem")}, "client_id is empty"),
            ({"credential": ClientCertificate("a", "no.pem")}, "certificate: cannot be used"),
        ],
    )
    def test_what_is_wrong_is_said_at_once(self, given: dict[str, Any], said: str) -> None:
        """Before anything is asked."""
        assert said in _problems(**given)

    def test_all_of_it_in_one_message(self) -> None:
        """With the name of each setting, and no secret."""
        said = _problems("http://id.example.com", credential=ClientSecret("", "s3cr3t"), token_url="x")
        assert all(name in said for name in ("issuer_url: ", "client_id", "token_url: "))
        assert "s3cr3t" not in said

    @pytest.mark.parametrize("token", ["", ag.Secret(""), None, 7, "half \ud800", "two\nlines"])
    def test_a_refresh_token_that_is_none(self, token: Any) -> None:
        """It would be asked with each time, and refused."""
        client = ServiceClient(URL, credential=ClientSecret("a", "s"))
        with pytest.raises(ag.ConfigurationError, match="refresh_token: is empty"):
            client.renewing(token, hosts=BILLING)

    @pytest.mark.parametrize(
        ("wanted", "said"),
        [
            ({"hosts": 5}, "hosts: name the origins"),
            ({"hosts": []}, "hosts: name the origins"),
            ({"hosts": [BILLING, 5]}, "hosts: name the origins"),
            ({"hosts": ["ftp://billing.example.com"]}, "is no https origin"),
            ({"hosts": ["https://*.example.com"]}, "is no https origin"),
            ({"scopes": None}, "scopes: give them"),
            ({"scopes": ["a", 5]}, "scopes: give them"),
            ({"scopes": ["a b"]}, "scopes: give them"),
            ({"scopes": "half\ud800"}, "scopes: give them"),
            ({"audience": 5}, "audience: is no text"),
            ({"audience": "half \ud800"}, "audience: is no text"),
            ({"resource": b"urn:x"}, "resource: is no text"),
        ],
    )
    def test_what_no_token_can_be_asked_for(self, wanted: dict[str, Any], said: str) -> None:
        """Law 1.6: it is said where it is configured, not by the first call that goes out."""
        client = ServiceClient(URL, credential=ClientSecret("a", "s"))
        with pytest.raises(ag.ConfigurationError, match=said):
            client.auth(**{"hosts": BILLING, **wanted})

    def test_it_says_nothing_of_an_option_that_there_is_not(self) -> None:
        """Credentials never go over plain http, and no ``allow_http`` of a client could change that (Law 4.9)."""
        with pytest.raises(ag.ConfigurationError) as caught:
            ServiceClient("http://id.example.com", credential=ClientSecret("a", "s"))
        assert ("issuer_url: 'http://id.example.com' is not https; use https",) == tuple(
            caught.value.problems
        )

    @pytest.mark.parametrize("scopes", ["b a", ["a", "b"], ("b", "a", "a"), {"a", "b"}, iter("ab")])
    def test_scopes_in_any_shape(self, scopes: Any) -> None:
        """One text, or texts of any number: each once, in order."""
        client = ServiceClient(URL, credential=ClientSecret("a", "s"))
        assert "scopes=('a', 'b')" in repr(client.auth(hosts=BILLING, scopes=scopes))

    @pytest.mark.parametrize("secret", [SECRET, ag.Secret(SECRET)])
    def test_a_secret_alone(self, issuer: FakeIssuer, secret: str | ag.Secret) -> None:
        """With the name of the client beside it."""
        client = ServiceClient(issuer.url, client_id=CLIENT, credential=secret)
        assert client.auth(audience="billing", hosts=BILLING).header() == f"Bearer {issuer.grants.issued[0]}"

    def test_a_key_that_signs(self, issuer: FakeIssuer) -> None:
        """RFC 7523, under either spelling of its name."""
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        issuer.desk.clients["signer"] = public.decode()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        credential = PrivateKeyJWT("signer", pem, algorithm="ES256")
        client = ServiceClient(issuer.url, credential=credential)
        client.auth(audience="billing", hosts=BILLING).header()
        client.auth(audience="stock", hosts=BILLING).header()
        assert 2 == len(issuer.grants.issued)

    def test_where_tokens_are_may_be_given(self, issuer: FakeIssuer) -> None:
        """Then no document is asked for."""
        client = ServiceClient(
            issuer.url, credential=ClientSecret(CLIENT, SECRET), token_url=issuer.token_url
        )
        client.auth(audience="billing", hosts=BILLING).header()
        assert {"/token": 1} == issuer.hits

    def test_whoever_watches_is_told(self, issuer: FakeIssuer, caplog: pytest.LogCaptureFixture) -> None:
        """What only a person can mend is an alarm, in the log as well; it holds no secret."""
        events: list[Any] = []
        credential = ClientSecret(CLIENT, "wrong-secret")
        client = ServiceClient(issuer.url, credential=credential, on_event=events.append)
        with pytest.raises(ag.EndpointRefused):
            client.auth(audience="billing", hosts=BILLING).header()
        assert [("token_refused", True)] == [(event.code, event.alarm) for event in events]
        assert [logging.ERROR] == [record.levelno for record in caplog.records]
        assert "wrong-secret" not in caplog.text


class TestCallers:
    """Acting for a caller takes a token that a gate has verified, of this very request."""

    @pytest.fixture(name="gate")
    def _gate(self, issuer: FakeIssuer) -> Iterator[ag.Gate]:
        with ag.Gate(ag.GateConfig(issuers=[ag.Issuer.oidc(issuer.url, audience=CLIENT)])) as gate:
            yield gate

    @pytest.mark.parametrize("memo", [None, Memo()])
    def test_whose_token_was_verified(self, gate: ag.Gate, issuer: FakeIssuer, memo: Memo | None) -> None:
        """Whether or not an adapter keeps what the request was found to be."""
        token = issuer.token("u1", act={"sub": "web"}, roles=["a"])
        caller = caller_of(gate.admit(view(bearer(token), memo=memo), ag.is_user))
        assert token == caller.subject.reveal()
        assert {"sub": "web"} == caller.actor
        assert caller.ends is not None

    def test_a_service_that_calls(self, issuer: FakeIssuer) -> None:
        """It may be acted for as well, and its chain goes on."""
        services = ag.Issuer.oidc(issuer.url, audience=CLIENT, service_when=lambda _: True)
        with ag.Gate(ag.GateConfig(issuers=[services])) as gate:
            token = issuer.token("job", act={"sub": "web"})
            caller = caller_of(gate.admit(view(bearer(token)), ag.is_service))
        assert (token, {"sub": "web"}) == (caller.subject.reveal(), caller.actor)

    def test_a_token_in_a_cookie(self, issuer: FakeIssuer) -> None:
        """Wherever a browser keeps it: it is the one that was verified."""
        cookies = ag.Cookies(
            access="__Host-access", csrf="__Host-csrf", origins=("https://shop.example.com",)
        )
        config = ag.GateConfig(issuers=[ag.Issuer.oidc(issuer.url, audience=CLIENT)], cookies=cookies)
        token = issuer.token("u1")
        with ag.Gate(config) as gate:
            request = view(("Cookie", f"__Host-access={token}"), memo=Memo())
            assert token == caller_of(gate.admit(request, ag.is_user)).subject.reveal()

    def test_the_token_that_this_gate_has_verified(self, gate: ag.Gate, issuer: FakeIssuer) -> None:
        """Law 2.6: not one that the same user has shown another gate of the same request."""
        cookies = ag.Cookies(
            access="__Host-access", csrf="__Host-csrf", origins=("https://shop.example.com",)
        )
        config = ag.GateConfig(issuers=[ag.Issuer.oidc(issuer.url, audience="web")], cookies=cookies)
        memo = Memo()
        shown, kept = issuer.token("u1"), issuer.token("u1", aud="web")
        with ag.Gate(config) as pages:
            page = pages.admit(view(("Cookie", f"__Host-access={kept}"), memo=memo), ag.is_user)
            call = gate.admit(view(bearer(shown), memo=memo), ag.is_user)
        assert [kept, shown] == [caller_of(admission).subject.reveal() for admission in (page, call)]

    def test_another_token_beside_is_not_taken_for_it(self, gate: ag.Gate, issuer: FakeIssuer) -> None:
        """Law 2.7: what stands in a header that the gate has not read was not verified."""
        admission = gate.admit(view(bearer(issuer.token("u1"))), ag.is_user)
        for other in (issuer.token("u1"), issuer.token("u2"), "opaque", "e30.e30.e30", "e30.!!.e30"):
            forged = ag.Admission(admission.principals, None, view(bearer(other)), admission.moment)
            with pytest.raises(ag.NotAdmitted):
                caller_of(forged)

    def test_nobody_with_a_token(self, gate: ag.Gate, issuer: FakeIssuer) -> None:
        """A bug of the handler's, which says what is missing."""
        verified = gate.verify_token(issuer.token("u1"))
        nobody = ag.Admission()
        by_key = ag.Admission((ag.ApiKey(id="k"),), None, view())
        by_gateway = ag.Admission((ag.User(id="u1", issuer="kong", source="gateway"),), None, view())
        for admission in (verified, nobody, by_key, by_gateway):
            with pytest.raises(ag.NotAdmitted, match="no Bearer token"):
                relay(admission, hosts=BILLING)


class TestChains:
    """RFC 8693 section 4.1: whoever has acted before is in the new token."""

    def _token(self, **claims: Any) -> str:
        parts = ({"alg": "none"}, {"sub": "u1", **claims})
        return ".".join([*(encode_segment(json.dumps(part).encode()) for part in parts), ""])

    @pytest.mark.parametrize(
        "act", [{"sub": "web"}, {"sub": "x", "act": {"sub": "y", "act": {"sub": "web"}}}]
    )
    def test_it_is_kept(self, act: object) -> None:
        """Wherever in the chain."""
        check_chain(self._token(act=act), ACTOR, TOKENS)

    @pytest.mark.parametrize(
        "claims", [{}, {"act": {"sub": "x"}}, {"act": "web"}, {"act": {"sub": "x", "act": 1}}]
    )
    def test_it_is_lost(self, claims: Any) -> None:
        """Then the token is not used: whoever is called could not see who acts."""
        with pytest.raises(ag.EndpointRefused, match="who has acted"):
            check_chain(self._token(**claims), ACTOR, TOKENS)

    @pytest.mark.parametrize("token", ["opaque", "e30.", "e30.*.x", "e30.e30.e30.e30.e30"])
    def test_tokens_that_only_the_issuer_reads(self, token: str) -> None:
        """They keep the chain where nobody else sees it."""
        check_chain(token, ACTOR, TOKENS)

    def test_nobody_acted_before(self) -> None:
        """Then nothing is asked of the token."""
        check_chain(self._token(), None, TOKENS)
