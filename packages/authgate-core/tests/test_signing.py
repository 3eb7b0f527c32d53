"""Signed requests: what Mercury checks, written down a second time from its contract."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authgate_core.clock import Instant
from authgate_core.request import HttpRequest
from authgate_core.secret import Secret
from authgate_core.signing import RequestSigning

SECRET = "shared by both ends \u00fc"
BASE = "https://mercury.example.com"
NOW = Instant(1_717_171_717.171, 5.0)
KEYS = HttpRequest("GET", f"{BASE}/auth/project/.well-known/jwks.json", (("Accept", "application/json"),))


def signed(request: HttpRequest, now: Instant = NOW) -> HttpRequest:
    """Signed with the secret of these tests."""
    return RequestSigning(Secret(SECRET)).signed(request, now)


def mac(message: str) -> str:
    """What the contract says of a message."""
    return hmac.digest(SECRET.encode(), message.encode(), "sha256").hex()


class TestSignature:
    def test_it_covers_method_path_and_time(self) -> None:
        """The message is method, slash, path and timestamp, with nothing between them."""
        headers = dict(signed(KEYS).headers)

        assert "1717171717171" == headers["X-Timestamp"]
        assert mac("GET/auth/project/.well-known/jwks.json1717171717171") == headers["X-Signature"]

    def test_a_known_answer(self) -> None:
        """Computed with openssl from the contract: a change of the message fails here, whatever else agrees."""
        request = HttpRequest("GET", f"{BASE}/auth/project/.well-known/jwks.json")
        headers = RequestSigning(Secret("secret")).signed(request, NOW).headers

        assert (
            ("X-Timestamp", "1717171717171"),
            ("X-Signature", "39573bbc3cbf57a78af8860d18382c3516ef2959959d7088fd5873971de715c6"),
        ) == headers

    def test_a_body_is_covered_by_its_digest(self) -> None:
        """The digest of a body follows on a line of its own, and is sent as well."""
        headers = dict(signed(HttpRequest("POST", f"{BASE}/auth/projects/verify", body=b"{}")).headers)
        digest = hashlib.sha256(b"{}").hexdigest()

        assert digest == headers["X-Content-SHA256"]
        assert mac(f"POST/auth/projects/verify1717171717171\n{digest}") == headers["X-Signature"]

    def test_without_a_body_no_digest_is_sent(self) -> None:
        """A request without a body has two headers more, and no third."""
        assert ["Accept", "X-Timestamp", "X-Signature"] == [name for name, _ in signed(KEYS).headers]

    @pytest.mark.parametrize(
        ("url", "path"),
        [
            ("https://host", ""),
            ("https://host/", ""),
            ("https://host:8443/base/keys", "base/keys"),
            ("https://host/keys?page=2&x=/y", "keys"),
            ("https://host/keys#part", "keys"),
            ("https://host//keys", "/keys"),
            ("https://host/a%20b/c:d@e", "a%20b/c:d@e"),
            ("https://host/a b/\u00fc/[x]{y}", "a%20b/%C3%BC/[x]%7By%7D"),
        ],
    )
    def test_the_path_is_the_one_that_is_sent(self, url: str, path: str) -> None:
        """No host, port, query or fragment is signed, and one leading slash is left out; escapes stand."""
        sent, _, _ = httpx2.URL(url).raw_path.decode().partition("?")

        assert f"/{path}" == sent
        assert mac(f"GET/{path}1717171717171") == dict(signed(HttpRequest("GET", url)).headers)["X-Signature"]

    @given(wall=st.floats(0.0, 253402300799.0))
    def test_the_timestamp_is_whole_milliseconds(self, wall: float) -> None:
        """Decimal digits only, of the wall clock, and never of a later moment."""
        timestamp = dict(signed(KEYS, Instant(wall, 0.0)).headers)["X-Timestamp"]

        assert timestamp.isdecimal()
        assert 0.0 <= wall * 1000 - int(timestamp) < 1.0

    def test_all_else_of_the_request_stands(self) -> None:
        """Signing adds headers after those that are there, and changes nothing."""
        request = replace(KEYS, method="POST", body=b"x", plain_http=True)
        result = signed(request)

        assert request.headers == result.headers[:1]
        assert request == replace(result, headers=request.headers)


class TestSecret:
    def test_it_is_not_shown(self) -> None:
        """Law 2.5: neither the signing nor what it signed shows the secret."""
        assert SECRET not in f"{RequestSigning(Secret(SECRET))!r} {signed(KEYS)!r}"

    @pytest.mark.parametrize("empty", ["", " ", "\t\n"])
    def test_an_empty_one_is_a_configuration_error(self, empty: str) -> None:
        """Anyone could sign with it: told with the name of the setting and what to write."""
        assert [
            "signing_secret: is empty; give the secret that Mercury shares with its services"
        ] == RequestSigning(Secret(empty)).problems()

    def test_what_is_no_secret_is_one_too(self) -> None:
        """A wrong type is told by name and never by value."""
        wrong: Any = SECRET
        (problem,) = RequestSigning(wrong).problems()

        assert "signing_secret: a str is no secret; give a text, or a Secret" == problem

    def test_any_other_is_none(self) -> None:
        """How long it is, is for Mercury to say."""
        assert [] == RequestSigning(Secret("x")).problems()
