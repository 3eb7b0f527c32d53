"""The pages about providers: every snippet builds a gate that does what the page says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.testing import FakeIssuer

PAGES = Path(__file__).parents[2] / "docs" / "how-to"


def snippets(page: str) -> list[str]:
    """The Python of a page."""
    found: list[str] = re.findall(r"```python\n(.*?)```", (PAGES / page).read_text(), re.DOTALL)
    return found


def pasted(snippet: str, url: str, example: str) -> dict[str, Any]:
    """What the names of a snippet are after it ran, with a real issuer in the place of the example's."""
    names: dict[str, Any] = {"__name__": "pasted"}
    exec(compile(snippet.replace(example, url), "snippet", "exec"), names)
    return names


@pytest.fixture(name="issuer")
def _issuer() -> Iterator[FakeIssuer]:
    with FakeIssuer(audience="orders-api") as issuer:
        issuer.desk.clients["orders-api"] = "the-secret-of-that-client"
        yield issuer


class TestOpenIdProvider:
    """docs/how-to/openid-provider.md."""

    def pasted(self, number: int, issuer: FakeIssuer) -> Any:
        """The gate of a snippet."""
        return pasted(snippets("openid-provider.md")[number], issuer.url, "https://id.example.com")["gate"]

    def test_jwts(self, issuer: FakeIssuer) -> None:
        """The first."""
        with self.pasted(0, issuer) as gate:
            assert "u1" == gate.verify_token(issuer.token("u1")).user.id

    def test_opaque_tokens(self, issuer: FakeIssuer) -> None:
        """The second: both, in one gate."""
        with self.pasted(1, issuer) as gate:
            assert "u1" == gate.verify_token(issuer.opaque_token("u1")).user.id
            assert "u2" == gate.verify_token(issuer.token("u2")).user.id

    def test_a_key_and_signed_answers(self, issuer: FakeIssuer) -> None:
        """The third: the endpoint has never seen the key of the page, which says that it was asked with it."""
        with self.pasted(2, issuer) as gate, pytest.raises(ag.EndpointRefused):
            gate.verify_token(issuer.opaque_token("u1"))

    def test_sessions_that_end(self, issuer: FakeIssuer) -> None:
        """The fourth: what the provider says has ended is refused."""
        app = pasted(snippets("openid-provider.md")[3], issuer.url, "https://id.example.com")["app"]
        event: dict[str, object] = {"http://schemas.openid.net/event/backchannel-logout": {}}
        token = issuer.token(headers={"typ": "logout+jwt"}, aud="web-shop", events=event, sid="s-1")
        answer = app.test_client().post("/backchannel-logout", data={"logout_token": token})
        assert 204 == answer.status_code
        gate = app.extensions["authgate"].gate
        with gate, pytest.raises(ag.TokenRevoked):
            gate.verify_token(issuer.token(sid="s-1"))


class TestKeycloak:
    """docs/how-to/keycloak.md."""

    REALM = "https://id.example.com/realms/shop"

    @pytest.mark.parametrize("number", [0, 2])
    def test_a_gate(self, issuer: FakeIssuer, number: int) -> None:
        """Is built, for the tokens of the realm."""
        with pasted(snippets("keycloak.md")[number], issuer.url, self.REALM)["gate"] as gate:
            (realm,) = gate.config.issuers
            assert ("keycloak", issuer.url, number == 2) == (
                realm.name,
                realm.issuer,
                realm.introspection is not None,
            )

    def test_a_policy(self, issuer: FakeIssuer) -> None:
        """Roles of clients have the client in front."""
        policy = pasted(snippets("keycloak.md")[1], issuer.url, self.REALM)["may_manage"]
        realm = ag.Issuer.static(issuer.jwks(), issuer=issuer.url, audience="orders-api")
        with ag.Gate(ag.GateConfig(issuers=[realm])) as gate:
            assert gate.verify_token(issuer.token(roles=["orders:manager"]), policy).user.roles
