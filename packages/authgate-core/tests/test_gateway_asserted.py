"""Behind a gateway that hands on a token of its own: it is verified like any token, and nothing else is anybody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.gateways import Gateway
from authgate_core.issuer import StaticKeys
from authgate_core.testing import FakeIssuer, ManualClock
from authgate_core.testing.shapes import ABSENT
from authgate_core.testing.tokens import TokenMint

HEADER = "X-Example-Assertion"


@pytest.fixture
def clock() -> ManualClock:
    """Time that the test moves."""
    return ManualClock()


@pytest.fixture
def issuer(clock: ManualClock) -> Iterator[FakeIssuer]:
    """Signs what the gateway hands on, and publishes its keys over real HTTP."""
    with FakeIssuer(audience="orders", clock=clock) as issuer:
        yield issuer


@pytest.fixture
def gate(issuer: FakeIssuer, clock: ManualClock) -> Iterator[ag.Gate]:
    """A gate behind such a gateway, wherever that is."""
    trusted = ag.Issuer.jwks(issuer.jwks_url, issuer=issuer.url, audience="orders", name="example")
    with ag.Gate(ag.GateConfig(gateway=Gateway.asserted(HEADER, trusted)), clock=clock) as gate:
        yield gate


def view(headers: Any, **options: Any) -> ag.RequestView:
    """A request."""
    return ag.RequestView("GET", "/orders", headers, **options)


class TestAssertions:
    @pytest.mark.parametrize("folds", [True, False])
    def test_the_bearer_is_admitted(self, gate: ag.Gate, issuer: FakeIssuer, folds: bool) -> None:
        """From anywhere, by any server: the signature covers all that is said (Laws 2.7, 2.8)."""
        admission = gate.admit(view({HEADER: issuer.token(sub="u1")}, folds_names=folds), ag.is_user)

        assert ("u1", "example") == (admission.user.id, admission.user.issuer)

    def test_a_second_time_from_memory(self, gate: ag.Gate, issuer: FakeIssuer) -> None:
        """As any token (Law 7.1), and still not from where other tokens come."""
        token = issuer.token(sub="u1")
        for _ in range(3):
            assert gate.admit(view({HEADER: token}), ag.is_user)
            with pytest.raises(ag.MissingCredentials):
                gate.admit(view({"Authorization": f"Bearer {token}"}), ag.is_user)

    def test_a_subprotocol_is_nobody(self, gate: ag.Gate, issuer: FakeIssuer) -> None:
        """A browser writes those itself."""
        offered = (f"authgate.bearer.{issuer.token(sub='u1')}",)
        with pytest.raises(ag.MissingCredentials):
            gate.admit(view({}, subprotocols=offered), ag.is_user)

    @pytest.mark.parametrize("value", ["", "a b", "a.b.c,d.e.f", "\x00", "x" * 20_000])
    def test_what_can_be_read_in_two_ways_is_malformed(self, gate: ag.Gate, value: str) -> None:
        """Law 2.2."""
        with pytest.raises(ag.MalformedCredentials):
            gate.admit(view({HEADER: value}), ag.is_user)

    def test_two_of_them_are_malformed(self, gate: ag.Gate, issuer: FakeIssuer) -> None:
        """Though they are the same."""
        token = issuer.token(sub="u1")
        with pytest.raises(ag.MalformedCredentials):
            gate.admit(view([(HEADER, token), (HEADER, token)]), ag.is_user)

    def test_a_token_of_another_audience_is_refused(self, gate: ag.Gate, issuer: FakeIssuer) -> None:
        """Another application behind the same gateway."""
        with pytest.raises(ag.InvalidClaim):
            gate.admit(view({HEADER: issuer.token(sub="u1", aud="carts")}), ag.is_user)

    def test_an_expired_one_is_refused(self, gate: ag.Gate, issuer: FakeIssuer, clock: ManualClock) -> None:
        """Whoever kept it."""
        token = issuer.token(sub="u1")
        clock.advance(7200.0)
        with pytest.raises(ag.TokenExpired):
            gate.admit(view({HEADER: token}), ag.is_user)

    def test_one_of_a_stranger_is_refused(self, gate: ag.Gate, clock: ManualClock) -> None:
        """With keys of its own."""
        with FakeIssuer(audience="orders", clock=clock) as stranger, pytest.raises(ag.UnknownIssuer):
            gate.admit(view({HEADER: stranger.token(sub="u1")}), ag.is_user)

    def test_the_answer_depends_on_that_header(self, gate: ag.Gate) -> None:
        """Law 1.7."""
        assert (HEADER.lower(),) == gate.headers_read(ag.is_user)

    def test_peers_are_asked_for_where_they_are_given(self, issuer: FakeIssuer, clock: ManualClock) -> None:
        """Besides."""
        trusted = ag.Issuer.static(issuer.jwks(), issuer=issuer.url, audience="orders")
        config = ag.GateConfig(gateway=Gateway.asserted(HEADER, trusted, peers=["10.0.0.0/8"]))
        with ag.Gate(config, clock=clock) as gate:
            assert gate.admit(view({HEADER: issuer.token(sub="u1")}, peer="10.0.0.1"), ag.is_user)
            with pytest.raises(ag.UntrustedGateway):
                gate.admit(view({HEADER: issuer.token(sub="u1")}, peer="127.0.0.1"), ag.is_user)

    def test_whose_token_it_is_has_to_be_said(self) -> None:
        """By an Issuer (Law 1.6)."""
        with pytest.raises(ag.ConfigurationError, match="issuer: give Issuer"):
            ag.Gate(ag.GateConfig(gateway=Gateway.asserted(HEADER, "https://id.example.com")))  # type: ignore[arg-type]  # wrong on purpose

    @pytest.mark.parametrize(
        ("gateway", "said"),
        [
            (
                Gateway.cloudflare_access("https://team.cloudflareaccess.com", audience="a"),
                "team: write its name",
            ),
            (Gateway.cloudflare_access("team.cloudflareaccess.com", audience="a"), "team: write its name"),
            (Gateway.pomerium("https://orders.example.com"), "host: write the host alone"),
        ],
    )
    def test_a_name_is_no_url(self, gateway: Gateway, said: str) -> None:
        """Law 1.6: otherwise keys would be asked for at a host that nobody has named."""
        with pytest.raises(ag.ConfigurationError, match=f"gateway: {said}"):
            ag.Gate(ag.GateConfig(gateway=gateway))


PRESETS = {
    "iap": (Gateway.iap(audience="/projects/1/apps/a"), "X-Goog-IAP-JWT-Assertion", "ES256"),
    "cloudflare_access": (
        Gateway.cloudflare_access("team", audience="tag"),
        "Cf-Access-Jwt-Assertion",
        "RS256",
    ),
    "pomerium": (Gateway.pomerium("orders.example.com"), "X-Pomerium-Jwt-Assertion", "ES256"),
}
CLAIMS: dict[str, dict[str, Any]] = {
    "iap": {
        "iss": "https://cloud.google.com/iap",
        "aud": "/projects/1/apps/a",
        "sub": "accounts.google.com:1",
        "email": "ann@example.com",
    },
    "cloudflare_access": {
        "iss": "https://team.cloudflareaccess.com",
        "aud": ["tag"],
        "sub": "7335d417",
        "type": "app",
        "email": "ann@example.com",
    },
    "pomerium": {
        "iss": "orders.example.com",
        "aud": "orders.example.com",
        "sub": "ann",
        "groups": ["admins"],
        "jti": "j1",
    },
}


def preset(name: str, clock: ManualClock) -> tuple[ag.Gate, str, TokenMint]:
    """A gate behind the gateway of a preset, with keys that the test has instead of the published ones."""
    gateway, header, alg = PRESETS[name]
    mint = TokenMint("https://nowhere.example", algorithm=alg, clock=clock)
    assert gateway.issuer is not None
    issuer = replace(gateway.issuer, trust=StaticKeys(mint.jwks()))
    return ag.Gate(ag.GateConfig(gateway=replace(gateway, issuer=issuer)), clock=clock), header, mint


class TestSettings:
    @pytest.mark.parametrize("header", ["", "X Jwt", "X-Jwt:", "é", 7, None])
    def test_a_name_that_no_header_has_is_said_when_the_gate_is_built(
        self, issuer: FakeIssuer, header: Any
    ) -> None:
        """Law 1.6."""
        trusted = ag.Issuer.static(issuer.jwks(), issuer=issuer.url, audience=issuer.audience)
        for whose in (trusted, None):
            with pytest.raises(ag.ConfigurationError, match="gateway: header: write the name"):
                ag.Gate(ag.GateConfig(gateway=Gateway.asserted(header, whose)))  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("name", list(PRESETS))
class TestPresets:
    def signed(self, name: str, mint: TokenMint, **changes: Any) -> str:
        """A token as the gateway would make it, but for the changes."""
        return mint.token(headers={"typ": "JWT"}, **{"jti": ABSENT, **CLAIMS[name], **changes})

    def test_a_user_is_admitted(self, name: str, clock: ManualClock) -> None:
        """By the claims that the gateway writes."""
        gate, header, mint = preset(name, clock)
        with gate:
            user = gate.admit(view({header: self.signed(name, mint)}), ag.is_user).user

        assert (CLAIMS[name]["sub"], name) == (user.id, user.issuer)
        assert (("admins",) if name == "pomerium" else ()) == user.roles

    @pytest.mark.parametrize(
        "changes",
        [
            {"iss": "https://evil.example"},
            {"aud": "another"},
            {"sub": ""},
            {"exp": 1},
            {"type": "org"},
            {"iat": 4_000_000_000},
        ],
    )
    def test_what_is_of_something_else_is_refused(
        self, name: str, clock: ManualClock, changes: dict[str, Any]
    ) -> None:
        """Another team, application, kind of token or time; a service of Cloudflare's has no subject."""
        gate, header, mint = preset(name, clock)
        with gate, pytest.raises(ag.InvalidToken):
            gate.admit(view({header: self.signed(name, mint, **changes)}), ag.is_user)

    def test_what_its_plain_headers_say_is_nobody(self, name: str, clock: ManualClock) -> None:
        """Beside the token, gateways write who calls without a signature."""
        gate, _, _ = preset(name, clock)
        plain = {
            "X-Goog-Authenticated-User-Id": "accounts.google.com:1",
            "Cf-Access-Authenticated-User-Email": "ann@example.com",
            "X-Pomerium-Claim-Email": "ann@example.com",
        }
        with gate, pytest.raises(ag.MissingCredentials):
            gate.admit(view(plain), ag.is_user)

    def test_its_keys_are_fetched_from_the_gateway(self, name: str, clock: ManualClock) -> None:
        """By https, from an address that nothing in a token chooses."""
        gateway, _, _ = PRESETS[name]

        assert gateway.issuer is not None
        assert [] == list(gateway.problems())
        assert str(gateway.issuer.trust).startswith("JwksUrl(url='https://")
