"""How this service says who it is: a secret in one of two places, or an assertion that its key signs."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from jwt.algorithms import RSAAlgorithm

from authgate_core.clients import ClientSecret, PrivateKeyJwt, form_request
from authgate_core.clock import Instant
from authgate_core.jose.keys import UnusableKeys, private_key

NOW = Instant(1_700_000_000.5, 100.0)
URL = "https://id.test/introspect"


def pem(key: Any, lock: KeySerializationEncryption | None = None) -> str:
    """A private key as PEM."""
    encoded: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock or NoEncryption())
    return encoded.decode()


RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED = ed25519.Ed25519PrivateKey.generate()
EC = ec.generate_private_key(ec.SECP256R1())


def asked(client: ClientSecret | PrivateKeyJwt) -> tuple[dict[str, str], dict[str, str]]:
    """The form and the headers of a request of this client."""
    request = form_request(URL, {"token": "t"}, client, audience="https://id.test", now=NOW, nonce="n-1")
    form = {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}
    return form, dict(request.headers)


class TestSecrets:
    def test_in_the_header(self) -> None:
        """RFC 6749 section 2.3.1: both encoded as in a form, so that a colon in either is none."""
        form, headers = asked(ClientSecret("an id", "a:b%"))
        assert {"token": "t"} == form
        assert "Basic " + base64.b64encode(b"an+id:a%3Ab%25").decode() == headers["authorization"]
        assert "application/x-www-form-urlencoded" == headers["content-type"]

    def test_in_the_form(self) -> None:
        """And nowhere else."""
        form, headers = asked(ClientSecret("an id", "a:b%", "post"))
        assert {"token": "t", "client_id": "an id", "client_secret": "a:b%"} == form
        assert "authorization" not in headers


class TestAssertions:
    @pytest.mark.parametrize(
        ("algorithm", "key"),
        [("RS256", RSA), ("PS256", RSA), ("ES256", EC), ("EdDSA", ED)],
    )
    def test_what_it_says(self, algorithm: str, key: Any) -> None:
        """OpenID Connect Core section 9: who it is, for whom, for a minute, and never twice the same."""
        form, headers = asked(PrivateKeyJwt("orders", pem(key), algorithm, kid="k-1"))
        assert "authorization" not in headers
        assert "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" == form["client_assertion_type"]
        options: Any = {"verify_exp": False}
        claims = jwt.decode(
            form["client_assertion"],
            key.public_key(),
            [algorithm],
            audience="https://id.test",
            options=options,
        )
        assert {
            "iss": "orders",
            "sub": "orders",
            "aud": "https://id.test",
            "jti": "n-1",
            "iat": 1_700_000_000,
            "exp": 1_700_000_060,
        } == claims
        header = jwt.get_unverified_header(form["client_assertion"])
        assert {"alg": algorithm, "typ": "JWT", "kid": "k-1"} == header

    def test_without_a_kid_and_for_another_audience(self) -> None:
        """As some servers want the URL of their endpoint."""
        form, _ = asked(PrivateKeyJwt("orders", pem(RSA).encode(), audience=URL))
        payload = form["client_assertion"].split(".")[1]
        assert URL == json.loads(base64.urlsafe_b64decode(payload + "=="))["aud"]
        assert "kid" not in jwt.get_unverified_header(form["client_assertion"])

    def test_a_jwk(self) -> None:
        """Is a key as well."""
        jwk = json.loads(RSAAlgorithm.to_jwk(RSA))
        form, _ = asked(PrivateKeyJwt("orders", jwk))
        options: Any = {"verify_exp": False, "verify_aud": False}
        assert jwt.decode(form["client_assertion"], RSA.public_key(), ["RS256"], options=options)

    def test_nothing_is_signed_without_a_key(self) -> None:
        """A gate is not built then."""
        with pytest.raises(ValueError, match="no private key in PEM"):
            asked(PrivateKeyJwt("orders", "nothing"))


class TestKeys:
    @pytest.mark.parametrize(
        ("material", "algorithm", "why"),
        [
            (pem(RSA), "ES256", "of another type"),
            (pem(EC), "RS256", "of another type"),
            (pem(EC), "ES384", "of another type"),
            (pem(RSA, BestAvailableEncryption(b"word")), "RS256", "without a password"),
            (pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)), "RS256", "has 1024 bits"),
            (pem(dsa.generate_private_key(2048)), "RS256", "no private key of RSA"),
            (json.loads(RSAAlgorithm.to_jwk(RSA.public_key())), "RS256", "no private key of RSA"),
            ({"kty": "oct", "k": "AAAA"}, "RS256", "no JWK"),
            ("", "RS256", "without a password"),
            (pem(RSA), "HS256", "no algorithm"),
            (pem(RSA), "none", "no algorithm"),
        ],
    )
    def test_what_is_no_use(self, material: Any, algorithm: str, why: str) -> None:
        """Is refused with a sentence that shows nothing of it."""
        with pytest.raises(UnusableKeys, match=why) as caught:
            private_key(material, algorithm)
        assert "BEGIN" not in str(caught.value)

    def test_it_shows_nothing(self) -> None:
        """Law 2.5."""
        assert "PrivateKey(algorithm='RS256')" == repr(private_key(pem(RSA), "RS256"))
