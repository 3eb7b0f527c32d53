"""Logout tokens of OpenID providers: what they must be, and what they end (Back-Channel Logout 1.0)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

import authgate_core as ag
from authgate_core.gate.logouts import LARGEST_FORM, logout_token_in
from authgate_core.testing import ABSENT, FakeIssuer, ManualClock
from tests.support.gates import Face, face, trusted

EVENT: dict[str, object] = {"http://schemas.openid.net/event/backchannel-logout": {}}
Make = Callable[..., Face]


@pytest.fixture(name="fake")
def _fake() -> FakeIssuer:
    return FakeIssuer(url="https://id.test", clock=ManualClock())


@pytest.fixture(name="make", params=["sync", "async"])
def _make(fake: FakeIssuer, request: pytest.FixtureRequest) -> Iterator[Make]:
    made: list[Face] = []

    def make(*, revocation: object = ag.MemoryRevocation(), **options: Any) -> Face:
        issuer = trusted(fake, **{"logout_clients": ["web-shop"], **options})
        config: dict[str, Any] = {"issuers": [issuer], "revocation": revocation}
        made.append(face(request.param, ag.GateConfig(**config), fake._clock))
        return made[-1]

    yield make
    for gate in made:
        gate.close()


def logout_token(fake: FakeIssuer, *, headers: dict[str, object] | None = None, **claims: object) -> str:
    """A logout token as the specification has it."""
    plain: dict[str, Any] = {"aud": "web-shop", "events": EVENT, "sid": "s-1", **claims}
    sub = plain.pop("sub", "u1")
    return fake.token(sub, headers={"typ": "logout+jwt", **(headers or {})}, expires_in=120, **plain)


def is_refused(gate: Face, token: str) -> bool:
    """Whether a token was revoked."""
    try:
        gate.verify_token(token)
    except ag.TokenRevoked:
        return True
    return False


class TestWhatEnds:
    def test_a_session(self, make: Make, fake: FakeIssuer) -> None:
        """Where one is named, that alone, for whomever and however long."""
        gate = make()
        ended, other, later = fake.token(sid="s-1"), fake.token(sid="s-2"), fake.token("u2", sid="s-1")
        assert not is_refused(gate, ended)
        gate.revoke("log_out", logout_token(fake))
        assert [True, False, True] == [is_refused(gate, token) for token in (ended, other, later)]

    def test_everything_of_a_subject(self, make: Make, fake: FakeIssuer) -> None:
        """Where none is: what was issued by then, and nothing that is issued after it."""
        gate = make()
        ended, other = fake.token("u1", sid="s-1"), fake.token("u2", sid="s-2")
        gate.revoke("log_out", logout_token(fake, sid=ABSENT))
        fake._clock.advance(2.0)  # type: ignore[attr-defined]  # a test moves it
        fresh = fake.token("u1", sid="s-3")
        assert [True, False, False] == [is_refused(gate, token) for token in (ended, other, fresh)]

    def test_shown_twice(self, make: Make, fake: FakeIssuer) -> None:
        """It ends no session that began since."""
        gate = make()
        token = logout_token(fake, sid=ABSENT)
        gate.revoke("log_out", token)
        fake._clock.advance(5.0)  # type: ignore[attr-defined]  # as above
        fresh = fake.token("u1")
        gate.revoke("log_out", token)
        assert not is_refused(gate, fresh)

    def test_a_subject_with_a_namespace(self, make: Make, fake: FakeIssuer) -> None:
        """Law 3.14: it is the mapped id that ends."""
        gate = make(namespace="shop:")
        gate.revoke("log_out", logout_token(fake, sid=ABSENT))
        assert is_refused(gate, fake.token("u1"))

    def test_ids_that_are_not_in_sub(self, make: Make, fake: FakeIssuer) -> None:
        """Nobody knows whose they are, so it is not taken for done."""
        with pytest.raises(ag.InvalidClaim, match="the ids of this issuer are not in sub"):
            make(subject="uid").revoke("log_out", logout_token(fake, sid=ABSENT))

    def test_in_a_tenant(self, make: Make, fake: FakeIssuer) -> None:
        """Law 5.9: a session belongs to one."""
        gate = make(tenant="org", tenants=["t1"])
        token = fake.token(sid="s-1", org="t1")
        gate.revoke("log_out", logout_token(fake, org="t1"))
        assert is_refused(gate, token)
        with pytest.raises(ag.InvalidClaim, match="tenant"):
            gate.revoke("log_out", logout_token(fake, org="t2"))

    def test_a_store_that_is_down(self, make: Make, fake: FakeIssuer) -> None:
        """Law 5.6: it was not written, and so it is said."""
        with pytest.raises(ag.RevocationUnavailable):
            make(revocation=ag.RedisRevocation("redis://127.0.0.1:1/0")).revoke("log_out", logout_token(fake))


class TestWhatItMustBe:
    @pytest.mark.parametrize(
        "change",
        [
            {"iss": "https://other.test"},
            {"aud": "other"},
            {"aud": ABSENT},
            {"aud": [7]},
            {"events": ABSENT},
            {"events": {}},
            {"events": []},
            {"events": {"http://schemas.openid.net/event/backchannel-logout": "yes"}},
            {"nonce": "n"},
            {"jti": ABSENT},
            {"iat": ABSENT},
            {"iat": True},
            {"iat": 253402300799},
            {"exp": "soon"},
            {"exp": 10**400},
            {"sid": 7},
            {"sid": ""},
            {"sub": 7},
            {"sid": ABSENT, "sub": ABSENT},
            {"sid": "s" * 256},
        ],
    )
    def test_claims(self, make: Make, fake: FakeIssuer, change: dict[str, Any]) -> None:
        """Sections 2.4 and 2.6: what is missing, or says something else, ends nothing."""
        gate, token = make(), fake.token(sid="s-1")
        with pytest.raises(ag.InvalidToken):
            gate.revoke("log_out", logout_token(fake, **change))
        assert not is_refused(gate, token)

    @pytest.mark.parametrize(
        "headers",
        [{"typ": "at+jwt"}, {"typ": "dpop+jwt"}, {"alg": "none"}, {"alg": "HS256"}, {"kid": "unknown"}],
    )
    def test_headers(self, make: Make, fake: FakeIssuer, headers: dict[str, object]) -> None:
        """No other token is taken for one."""
        with pytest.raises(ag.InvalidToken):
            make().revoke("log_out", logout_token(fake, headers=headers))

    @pytest.mark.parametrize("headers", [{"typ": "JWT"}, {"typ": ABSENT}, {"typ": "application/logout+jwt"}])
    def test_headers_of_older_servers(self, make: Make, fake: FakeIssuer, headers: dict[str, object]) -> None:
        """As Keycloak writes them."""
        gate, token = make(), fake.token(sid="s-1")
        gate.revoke("log_out", logout_token(fake, headers=headers, typ="Logout", aud=["web-shop", "x"]))
        assert is_refused(gate, token)

    def test_a_forgery(self, make: Make, fake: FakeIssuer) -> None:
        """Nobody but the issuer logs anybody out."""
        head, _, _ = logout_token(fake).rpartition(".")
        with pytest.raises(ag.BadSignature):
            make().revoke("log_out", f"{head}.{logout_token(fake, sid='s-9').rpartition('.')[2]}")

    def test_an_access_token(self, make: Make, fake: FakeIssuer) -> None:
        """Is none, and a logout token is no access token (Law 3.8)."""
        with pytest.raises(ag.InvalidToken):
            make().revoke("log_out", fake.token(sid="s-1", aud="web-shop"))
        with pytest.raises(ag.InvalidToken):
            make().verify_token(logout_token(fake, aud=fake.audience, headers={"typ": "JWT"}))

    @pytest.mark.parametrize("exp", [{}, {"exp": ABSENT}])
    def test_age(self, make: Make, fake: FakeIssuer, exp: dict[str, Any]) -> None:
        """Two minutes, also where it does not say so."""
        token = logout_token(fake, **exp)
        fake._clock.advance(151.0)  # type: ignore[attr-defined]  # as above
        with pytest.raises(ag.TokenExpired):
            make().revoke("log_out", token)

    def test_nobody_listens(self, make: Make, fake: FakeIssuer) -> None:
        """Where no client is named."""
        with pytest.raises(ag.InvalidClaim, match="no client's logouts"):
            make(logout_clients=[]).revoke("log_out", logout_token(fake))


class TestConfiguration:
    def test_a_store_is_needed(self, fake: FakeIssuer) -> None:
        """Law 1.6: one that can be written to."""
        foreign = ag.RedisRevocation("redis://127.0.0.1:1/0", layout="mercury")
        for source in (None, foreign):
            config = ag.GateConfig(issuers=[trusted(fake, logout_clients="web")], revocation=source)
            with pytest.raises(ag.ConfigurationError, match="logout_clients: needs a revocation source"):
                ag.Gate(config)

    def test_a_name_is_needed(self, fake: FakeIssuer) -> None:
        """A logout token says whose it is."""
        issuer = trusted(fake, issuer=None, logout_clients="web")
        with pytest.raises(ag.ConfigurationError, match="this one has issuer=None"):
            ag.Gate(ag.GateConfig(issuers=[issuer], revocation=ag.MemoryRevocation()))


class TestForms:
    """The form that a token comes in (section 2.5)."""

    FORM = "application/x-www-form-urlencoded"

    def test_the_token(self) -> None:
        """One, whatever stands beside it."""
        body = urlencode({"logout_token": "a.b.c", "other": "x"}).encode()
        assert "a.b.c" == logout_token_in(body, f"{self.FORM}; charset=utf-8")

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            (b"", FORM),
            (b"logout_token=", FORM),
            (b"logout_token=a&logout_token=b", FORM),
            (b"other=a", FORM),
            (b"logout_token=\xff", FORM),
            (b"&".join([b"a=b"] * 17), FORM),
            (b"logout_token=" + b"a" * LARGEST_FORM, FORM),
            (b"logout_token=a", "application/json"),
            (b"logout_token=a", None),
        ],
    )
    def test_others(self, body: bytes, content_type: str | None) -> None:
        """Are refused unread."""
        with pytest.raises(ag.MalformedToken):
            logout_token_in(body, content_type)
