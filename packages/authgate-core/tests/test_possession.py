"""How possession of a key is configured, and what it is compared by: DPoP, nonces, URLs."""

from __future__ import annotations

from typing import Any

import pytest

import authgate_core as ag
from authgate_core.clock import Instant
from authgate_core.possession import Confirmation, DPoP, Nonces, target
from authgate_core.testing import FakeIssuer

NOW = Instant(1_800_000_000.5, 7.0)
SECRET = ag.Secret("n" * 32)


class TestTargets:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("https://api.example.com/a?x=1#y", "https://api.example.com/a"),
            ("HTTPS://API.example.com:443/a", "https://api.example.com/a"),
            ("http://api.example.com:80", "http://api.example.com/"),
            ("https://api.example.com/%7Ea%2fb", "https://api.example.com/~a%2Fb"),
            ("https://[::1]:8443/a", "https://[::1]:8443/a"),
        ],
    )
    def test_two_spellings_of_one(self, one: str, other: str) -> None:
        """RFC 9449 section 4.3, with RFC 3986 sections 6.2.2 and 6.2.3: they are one URL."""
        assert target(one) == target(other) is not None

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("https://api.example.com/a", "https://api.example.com/A"),
            ("https://api.example.com/a", "https://api.example.com/a/"),
            ("https://api.example.com/a", "http://api.example.com/a"),
            ("https://api.example.com/a", "https://api.example.com:8443/a"),
            ("https://api.example.com/a%2Fb", "https://api.example.com/a/b"),
            ("https://api.example.com/a%3Fb", "https://api.example.com/a?b"),
        ],
    )
    def test_two_urls(self, one: str, other: str) -> None:
        """What may mean another resource is another."""
        assert target(one) != target(other)

    @pytest.mark.parametrize(
        ("path", "seen"),
        [
            ("/a%40b.c", "/a@b.c"),
            ("/a%2Cb%21", "/a,b!"),
            ("/a%2fb", "/a/b"),
            ("/%C3%A9", "/%C3%A9"),
            ("/100%25", "/100%25"),
            ("/a%3Fb%23", "/a%3Fb%23"),
            ("", "/"),
        ],
    )
    def test_what_wsgi_decodes(self, path: str, seen: str) -> None:
        """PEP 3333: whoever sees the path sees it decoded, and encodes it anew."""
        assert f"https://a.example{seen}" == target(f"https://a.example{path}", decodes=True)

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "/a",
            "api.example.com/a",
            "ftp://a/b",
            "https:///a",
            "https://u@a/b",
            "https://a:x/",
            "https://[/",
        ],
    )
    def test_no_url(self, url: str) -> None:
        """Nothing is equal to what is no absolute URL."""
        assert target(url) is None


class TestNonces:
    def test_are_known_again(self) -> None:
        """For five minutes, also in another process that has the secret."""
        nonce = Nonces(SECRET).make(NOW)
        for seconds in (0, 299, -299):
            assert Nonces(SECRET).knows(nonce, NOW.plus(seconds))

    def test_grow_old(self) -> None:
        """RFC 9449 section 9: or a proof could be made long before it is used."""
        nonce = Nonces(SECRET).make(NOW)
        assert not Nonces(SECRET).knows(nonce, NOW.plus(300.0))
        assert not Nonces(SECRET).knows(nonce, NOW.plus(-302.0))

    def test_are_made_by_nobody_else(self) -> None:
        """What was not made with the secret is no nonce, whatever it looks like."""
        nonce = Nonces(SECRET).make(NOW)
        assert not Nonces(ag.Secret("o" * 32)).knows(nonce, NOW)
        changed = ("A" if nonce[0] != "A" else "B") + nonce[1:]
        for text in ("", "x", nonce[:-1], nonce + "A", changed, "=" * 32, "\u00e9" * 32, "?" * 32):
            assert not Nonces(SECRET).knows(text, NOW)


class TestConfirmations:
    def test_are_read_of_claims(self) -> None:
        """RFC 9449 section 6.1 and RFC 8705 section 3.1."""
        assert Confirmation("a", "b") == Confirmation.of({"cnf": {"jkt": "a", "x5t#S256": "b"}})
        assert Confirmation() == Confirmation.of({})


class TestProblems:
    """Law 1.6: what is wrong is said when the gate is built."""

    @pytest.fixture
    def issuer(self) -> FakeIssuer:
        """An issuer with keys."""
        return FakeIssuer(url="https://id.test")

    def problems(self, issuer: FakeIssuer, *, dpop: Any = None, **options: Any) -> list[str]:
        """What is wrong with a gate of this issuer."""
        trusted = ag.Issuer.static(
            issuer.jwks(), issuer=issuer.url, audience=issuer.audience, name="id", **options
        )
        return list(ag.GateConfig(issuers=[trusted], dpop=dpop).problems("sync"))

    @pytest.mark.parametrize("confirmation", ["dpop", ["dpop", "mtls"]])
    def test_nothing(self, issuer: FakeIssuer, confirmation: Any) -> None:
        """An issuer whose tokens are bound, and what proofs are held against."""
        dpop = DPoP("https://api.example.com", window=30, nonce_secret=SECRET)
        assert [] == self.problems(issuer, dpop=dpop, confirmation=confirmation, require_confirmation=True)

    def test_certificates_need_no_more(self, issuer: FakeIssuer) -> None:
        """What there is to compare with comes from the server."""
        assert [] == self.problems(issuer, confirmation="mtls")

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"confirmation": "dpop"}, "needs dpop=DPoP"),
            ({"dpop": DPoP("https://a.example")}, "no issuer has tokens that need proofs"),
            ({"dpop": "https://a.example", "confirmation": "dpop"}, 'give DPoP("https://host")'),
            (
                {"dpop": DPoP("http://a.example"), "confirmation": "dpop"},
                "dpop: url: 'http://a.example' is not https",
            ),
            ({"dpop": DPoP("https://a.example/?b"), "confirmation": "dpop"}, "query"),
            ({"dpop": DPoP("https://a.example", window=0), "confirmation": "dpop"}, "window: 0"),
            ({"dpop": DPoP("https://a.example", window=301.0), "confirmation": "dpop"}, "window: 301.0"),
            ({"dpop": DPoP("https://a.example", window=True), "confirmation": "dpop"}, "window: True"),
            (
                {"dpop": DPoP("https://a.example", nonce_secret=ag.Secret("n" * 31)), "confirmation": "dpop"},
                "nonce_secret",
            ),
            ({"confirmation": "tls"}, "confirmation: ['tls']: write 'dpop', 'mtls' or both"),
            ({"require_confirmation": True}, "require_confirmation: needs confirmation="),
        ],
    )
    def test_one_sentence(self, issuer: FakeIssuer, given: dict[str, Any], said: str) -> None:
        """With the name of the setting, and what to write instead."""
        (problem,) = self.problems(issuer, **given)
        assert said in problem

    def test_a_secret_is_not_shown(self) -> None:
        """Law 2.5: nor is a text in its place."""
        wrong: Any = "n" * 40
        (problem,) = DPoP("https://a.example", nonce_secret=wrong).problems()
        assert "nnn" not in problem
        assert "nnn" not in repr(DPoP("https://a.example", nonce_secret=SECRET))
