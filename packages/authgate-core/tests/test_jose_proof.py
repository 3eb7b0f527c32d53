"""Reading DPoP proofs: form, key and signature (RFC 9449 sections 4.2 and 4.3)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from authgate_core.errors import InvalidProof
from authgate_core.jose.compact import Limits
from authgate_core.jose.keys import UnusableKeys, key_from_jwk, thumbprint
from authgate_core.jose.proof import PROOF_ALGORITHMS, read_proof
from authgate_core.testing import ABSENT, FakeIssuer, ProofKey, SigningKey
from authgate_core.testing.keys import lease_key
from authgate_core.testing.shapes import encode_segment

URL = "https://api.example.com/orders"
LIMITS = Limits()
# RFC 7638 section 3.1, and RFC 8037 appendix A.3.
RSA = {
    "kty": "RSA",
    "n": (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs"
        "tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5ha"
        "jrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    ),
    "e": "AQAB",
}
OKP = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}


@pytest.fixture(name="key", scope="module")
def _key() -> ProofKey:
    return ProofKey()


def refused(text: str) -> str:
    """Why it is no proof."""
    with pytest.raises(InvalidProof) as caught:
        read_proof(text, LIMITS)
    return caught.value.reason


class TestThumbprints:
    @pytest.mark.parametrize(
        ("jwk", "expected"),
        [
            (RSA, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
            ({**RSA, "kid": "2011-04-29", "alg": "RS256"}, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
            (OKP, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
        ],
    )
    def test_are_those_of_the_standards(self, jwk: dict[str, str], expected: str) -> None:
        """RFC 7638 section 3.1 and RFC 8037 appendix A.3: what is no part of the key does not count."""
        assert expected == thumbprint(jwk)


class TestReading:
    @pytest.mark.parametrize("algorithm", [*sorted(PROOF_ALGORITHMS), "Ed25519"])
    def test_every_asymmetric_algorithm(self, algorithm: str) -> None:
        """RFC 9449 section 4.2: whatever key a client has."""
        key = ProofKey(algorithm)
        proof = read_proof(key.proof("GET", URL, "token", jti="j1", iat=7.5, nonce="n"), LIMITS)
        assert (key.confirmation["jkt"], "j1", "GET", URL, 7.5, "n") == (
            proof.jkt,
            proof.jti,
            proof.method,
            proof.url,
            proof.issued_at,
            proof.nonce,
        )
        assert encode_segment(hashlib.sha256(b"token").digest()) == proof.token_hash

    def test_it_is_not_shown_whole(self, key: ProofKey) -> None:
        """Law 2.5: its name and its URL are the request's business."""
        proof = read_proof(key.proof("GET", URL, "token"), LIMITS)
        assert f"Proof(of {proof.jkt[:8]!r})" == repr(proof)

    @pytest.mark.parametrize("text", ["", "x", "a.b", "a.b.c", "a.b.c.d.e", "." * 3, "\xe9.\xe9.\xe9"])
    def test_what_is_no_token(self, text: str) -> None:
        """Law 3.11: whatever arrives in its place is refused as a proof."""
        assert refused(text).startswith("the proof cannot be read: ")

    @pytest.mark.parametrize("typ", [ABSENT, "JWT", "at+jwt", "dpop"])
    def test_another_type(self, key: ProofKey, typ: object) -> None:
        """RFC 9449 section 4.3, 4: no other token is a proof."""
        assert "typ is not dpop+jwt" in refused(key.proof("GET", URL, "t", header={"typ": typ}))

    def test_the_type_is_a_media_type(self, key: ProofKey) -> None:
        """RFC 7515 section 4.1.9: compared without regard to case."""
        read_proof(key.proof("GET", URL, "t", header={"typ": "DPoP+JWT"}), LIMITS)

    @pytest.mark.parametrize("alg", ["none", "HS256", "ES256K", "ES384"])
    def test_an_algorithm_that_the_key_has_not(self, key: ProofKey, alg: str) -> None:
        """RFC 9449 section 4.3, 5: asymmetric, known, and that of the key."""
        assert refused(key.proof("GET", URL, "t", header={"alg": alg}))

    @pytest.mark.parametrize(
        ("jwk", "said"),
        [
            (ABSENT, "has no key"),
            (None, "has no key"),
            ("x", "has no key"),
            ({}, "is of a type"),
            ({"kty": "oct", "k": "c2VjcmV0"}, "is symmetric"),
            ({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, "is not a valid EC key"),
        ],
    )
    def test_no_usable_key(self, key: ProofKey, jwk: object, said: str) -> None:
        """RFC 9449 section 4.3, 6: a public key, in the header."""
        assert said in refused(key.proof("GET", URL, "t", header={"jwk": jwk}))

    def test_a_private_key(self, key: ProofKey) -> None:
        """RFC 9449 section 4.3, 7: whoever has seen the proof would hold the key."""
        assert "is private" in refused(key.proof("GET", URL, "t", header={"jwk": {**key.jwk, "d": "AA"}}))

    def test_the_signature_of_another_key(self, key: ProofKey) -> None:
        """RFC 9449 section 4.3, 6: made by whoever holds the key."""
        stranger = ProofKey()
        assert "signature" in refused(stranger.proof("GET", URL, "t", header={"jwk": key.jwk}))

    def test_a_changed_payload(self, key: ProofKey) -> None:
        """The signature covers all of it."""
        header, _, signature = key.proof("GET", URL, "t").split(".")
        assert refused(f"{header}.{encode_segment(b'{}')}.{signature}")

    @pytest.mark.parametrize("name", ["jti", "htm", "htu", "ath"])
    @pytest.mark.parametrize("value", [ABSENT, None, "", 7, ["x"]])
    def test_a_missing_claim(self, key: ProofKey, name: str, value: object) -> None:
        """RFC 9449 section 4.3, 3: each is there, and a text."""
        claims: dict[str, Any] = {name: value}
        assert f"has no {name}" in refused(key.proof("GET", URL, "t", **claims))

    @pytest.mark.parametrize("value", [ABSENT, None, True, "7", -1, 253402300800])
    def test_no_date(self, key: ProofKey, value: object) -> None:
        """Law 3.7: a number of seconds."""
        assert "no iat" in refused(key.proof("GET", URL, "t", iat=value))

    @pytest.mark.parametrize("moment", [0, 253402300799])
    def test_the_ends_of_time(self, key: ProofKey, moment: float) -> None:
        """Law 3.7: from 1970 to the end of the year 9999; whether it is recent is for the flow."""
        assert moment == read_proof(key.proof("GET", URL, "t", iat=moment), LIMITS).issued_at

    def test_a_nonce_that_is_no_text(self, key: ProofKey) -> None:
        """RFC 9449 section 4.2: a text, where it is there."""
        assert "nonce" in refused(key.proof("GET", URL, "t", nonce=7))

    def test_an_extension(self, key: ProofKey) -> None:
        """Law 3.3: what it asks for would not be done."""
        assert refused(key.proof("GET", URL, "t", header={"crit": ["x"], "x": 1}))

    def test_an_access_token(self) -> None:
        """A token of an issuer whose header holds a key is none (Law 3.3)."""
        assert refused(FakeIssuer(url="https://id.test").token("u1"))

    def test_sizes(self, key: ProofKey) -> None:
        """Law 2.4: bounded before any work."""
        with pytest.raises(InvalidProof, match="more than 20"):
            read_proof(key.proof("GET", URL, "t"), Limits(token=20))


class TestKeys:
    def test_of_a_jwk(self) -> None:
        """One key, read as those of a key set are."""
        signing: SigningKey = lease_key(self, "k1", "ES256")
        key = key_from_jwk(json.loads(json.dumps(signing.jwk())), PROOF_ALGORITHMS)
        assert key.verifies("ES256", b"message", signing.sign(b"message", "ES256"))

    def test_of_none(self) -> None:
        """It says why, in words that hold nothing of the key."""
        with pytest.raises(UnusableKeys, match="is symmetric"):
            key_from_jwk({"kty": "oct", "k": "c2VjcmV0"}, PROOF_ALGORITHMS)
