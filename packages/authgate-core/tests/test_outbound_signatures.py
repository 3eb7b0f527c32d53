"""Requests that a service signs: as Mercury checks them, and as RFC 9421 says."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import importlib.util
import json
from collections.abc import Iterator
from typing import Any

import httpx
import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from jwt.algorithms import OKPAlgorithm

import authgate_core as ag
from authgate_core.outbound import MessageSignatureAuth, SharedSecretAuth, TokenWithheld
from authgate_core.testing import ManualClock
from authgate_core.testing.server import Asked
from tests.support.gateways import USER
from tests.support.outbound import Callee, calling

SECRET = "a secret that both of them share"
KEYS: dict[str, Any] = {
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "ecdsa-p256-sha256": ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-p384-sha384": ec.generate_private_key(ec.SECP384R1()),
    "rsa-pss-sha512": rsa.generate_private_key(65537, 2048),
}
PATHS = [
    "/",
    "/orders",
    "/a%20b/%C3%BC",
    "/a b/ü",
    "/x/../y",
    "/~a!$&'()*+,;=:@",
    '/"<>`{}|',
    "/orders?q=1&q=%2F",
]


@pytest.fixture(name="callee")
def _callee() -> Iterator[Callee]:
    with calling() as callee:
        yield callee


def send(library: Any, auth: object, method: str, url: str, **more: Any) -> int:
    """Send a request without async."""
    with library.Client(auth=auth, trust_env=False, verify=False) as http:
        status: int = http.request(method, url, **more).status_code
        return status


def send_async(library: Any, auth: object, method: str, url: str, **more: Any) -> int:
    """Send it with async."""

    async def scenario() -> int:
        async with library.AsyncClient(auth=auth, trust_env=False, verify=False) as http:
            status: int = (await http.request(method, url, **more)).status_code
            return status

    return asyncio.run(scenario())


def pem(key: Any) -> bytes:
    """A private key."""
    encoded: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return encoded


class TestSharedSecrets:
    @pytest.mark.parametrize("library", [httpx2, httpx])
    @pytest.mark.parametrize("path", PATHS)
    def test_what_is_signed_is_what_arrives(self, callee: Callee, library: Any, path: str) -> None:
        """The method, the path as it is sent, and the time in milliseconds."""
        clock = ManualClock()
        auth = SharedSecretAuth(SECRET, hosts=callee.url, clock=clock)
        send(library, auth, "GET", callee.url + path)
        (asked,) = callee.asked
        stamp = str(int(clock.now().wall * 1000))
        expected = hmac.digest(SECRET.encode(), f"GET{asked.path}{stamp}".encode(), "sha256").hex()
        assert (stamp, expected) == (asked.headers["x-timestamp"], asked.headers["x-signature"])
        assert "x-content-sha256" not in asked.headers

    @pytest.mark.parametrize("call", [send, send_async])
    @pytest.mark.parametrize("library", [httpx2, httpx])
    def test_a_body_is_signed_by_its_digest(self, callee: Callee, library: Any, call: Any) -> None:
        """Also one that is a stream of parts."""
        auth = SharedSecretAuth(ag.Secret(SECRET), hosts=[callee.url])
        for more in ({"json": {"a": 1}}, {"files": {"f": ("n", b"content")}}):
            call(library, auth, "POST", f"{callee.url}/verify", **more)
        for asked in callee.asked:
            digest = hashlib.sha256(asked.body).hexdigest()
            message = f"POST/verify{asked.headers['x-timestamp']}\n{digest}"
            expected = hmac.digest(SECRET.encode(), message.encode(), "sha256").hex()
            assert (digest, expected) == (asked.headers["x-content-sha256"], asked.headers["x-signature"])

    def test_for_no_other_origin(self, callee: Callee) -> None:
        """Law 11.1."""
        auth = SharedSecretAuth(SECRET, hosts="mercury.example.com")
        with pytest.raises(TokenWithheld):
            send(httpx2, auth, "GET", callee.url)
        assert [] == callee.asked

    @pytest.mark.parametrize("secret", ["", " ", 7])
    def test_a_secret_that_is_none(self, secret: Any) -> None:
        """Law 1.6."""
        with pytest.raises(ag.ConfigurationError, match="signing_secret"):
            SharedSecretAuth(secret, hosts="mercury.example.com")


class TestMessageSignatures:
    def _admitted(self, asked: Asked, keys: Any, origin: str, **options: Any) -> ag.Admission:
        """Whom a gate admits that stands where the request arrived."""
        gateway = ag.Gateway.signed(keys, origin=origin, **options)
        target = f"{asked.path}?{asked.query}" if asked.query else asked.path
        request = ag.RequestView(asked.method, target, asked.headers, body=lambda: asked.body)
        with ag.Gate(ag.GateConfig(gateway=gateway)) as gate:
            return gate.admit(request, ag.is_user)

    @pytest.mark.parametrize("call", [send, send_async])
    @pytest.mark.parametrize("library", [httpx2, httpx])
    @pytest.mark.parametrize("body", [b"", b'{"a": 1}'])
    def test_a_gate_verifies_them(self, callee: Callee, library: Any, call: Any, body: bytes) -> None:
        """Method, address, body and the headers that were named; in both colours."""
        key = ag.Secret(SECRET)
        auth = MessageSignatureAuth(key, keyid="k1", hosts=callee.url, headers=USER)
        call(library, auth, "POST", f"{callee.url}/a%20b?x=1&y=%2F", content=body, headers=USER)
        (asked,) = callee.asked
        assert "u1" == self._admitted(asked, {"k1": key}, callee.url).user.id

    @pytest.mark.parametrize("algorithm", KEYS)
    def test_each_key_has_the_algorithm_of_its_type(self, callee: Callee, algorithm: str) -> None:
        """And says so in the signature."""
        key = KEYS[algorithm]
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        auth = MessageSignatureAuth(pem(key), keyid="k1", hosts=callee.url, headers=USER)
        send(httpx2, auth, "GET", f"{callee.url}/orders", headers=USER)
        (asked,) = callee.asked
        assert f'alg="{algorithm}"' in asked.headers["signature-input"]
        assert "u1" == self._admitted(asked, {"k1": public}, callee.url).user.id

    def test_one_header_by_its_name(self, callee: Callee) -> None:
        """A text is one name, and not as many as it has letters."""
        auth = MessageSignatureAuth(ag.Secret(SECRET), keyid="k1", hosts=callee.url, headers="X-Order")
        send(httpx2, auth, "GET", callee.url, headers={"X-Order": "7", "a": "1", "x": "2"})
        assert '("@method" "@target-uri" "x-order")' in callee.asked[0].headers["signature-input"]

    def test_a_key_as_a_jwk(self, callee: Callee) -> None:
        """Alike."""
        jwk = json.loads(OKPAlgorithm.to_jwk(KEYS["ed25519"]))
        auth = MessageSignatureAuth(jwk, keyid="k1", hosts=callee.url)
        send(httpx2, auth, "GET", callee.url)
        assert 'alg="ed25519"' in callee.asked[0].headers["signature-input"]

    def test_what_it_says_of_itself(self, callee: Callee) -> None:
        """When it was made and until when it is good, what it is for, and a nonce that is new each time."""
        clock = ManualClock()
        auth = MessageSignatureAuth(
            ag.Secret(SECRET), keyid="k1", hosts=callee.url, tag="orders", lifetime=30, clock=clock
        )
        for _ in range(2):
            send(httpx2, auth, "GET", callee.url, headers={"Authorization": "Bearer t"})
        first, second = (asked.headers["signature-input"] for asked in callee.asked)
        created = int(clock.now().wall)
        assert 'authgate=("@method" "@target-uri" "authorization")' in first
        for part in (f";created={created}", f";expires={created + 30}", ';keyid="k1"', ';tag="orders"'):
            assert part in first
        assert first != second

    def test_a_digest_that_is_there(self, callee: Callee) -> None:
        """It is kept where it is true, and the request is not sent where it is not."""
        auth = MessageSignatureAuth(ag.Secret(SECRET), keyid="k1", hosts=callee.url)
        digest = base64.b64encode(hashlib.sha512(b"body").digest()).decode()
        told = {"Content-Digest": f"sha-512=:{digest}:"}
        send(httpx2, auth, "POST", callee.url, content=b"body", headers=told)
        assert told["Content-Digest"] == callee.asked[0].headers["content-digest"]
        with pytest.raises(Exception, match=r"[Dd]igest"):
            send(httpx2, auth, "POST", callee.url, content=b"other", headers=told)
        assert 1 == len(callee.asked)

    def test_for_no_other_origin(self, callee: Callee) -> None:
        """Law 11.1."""
        auth = MessageSignatureAuth(ag.Secret(SECRET), keyid="k1", hosts="https://api.example.com")
        with pytest.raises(TokenWithheld):
            send(httpx2, auth, "GET", callee.url)

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"key": ag.Secret("short")}, "key: is shorter than 32 bytes"),
            ({"key": "a text that is no key at all, long as it is"}, "key: is neither a Secret nor"),
            ({"key": {"kty": "oct", "k": "c2VjcmV0"}}, "key: is neither a Secret nor"),
            ({"key": pem(rsa.generate_private_key(65537, 1024))}, "key: is neither a Secret nor"),
            ({"keyid": ""}, "keyid: "),
            ({"keyid": "ü"}, "keyid: "),
            ({"tag": None}, "tag: "),
            ({"lifetime": 0}, "lifetime: 0"),
            ({"lifetime": True}, "lifetime: True"),
            ({"lifetime": 301}, "at most 300"),
            ({"hosts": "http://api.example.com"}, "hosts: "),
            ({"headers": None}, "headers: "),
            ({"headers": ["date", 5]}, "headers: "),
        ],
    )
    def test_what_is_wrong_is_said_at_once(self, given: dict[str, Any], said: str) -> None:
        """Law 1.6; and no key is shown (Law 2.5)."""
        right: dict[str, Any] = {"key": ag.Secret(SECRET), "keyid": "k1", "hosts": "api.example.com"}
        with pytest.raises(ag.ConfigurationError) as caught:
            MessageSignatureAuth(**{**right, **given})
        assert said in str(caught.value)
        assert "c2VjcmV0" not in str(caught.value)

    def test_without_the_library(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is an extra, and its name is said."""
        monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
        with pytest.raises(ag.ConfigurationError, match=r"authgate-core\[gateway\]"):
            MessageSignatureAuth(ag.Secret(SECRET), keyid="k1", hosts="api.example.com")
