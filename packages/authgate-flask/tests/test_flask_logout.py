"""The view that takes logout tokens."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

import authgate_core as ag
from authgate_core.testing import FakeIssuer
from authgate_flask import AuthGate, backchannel_logout, requires

EVENT: dict[str, object] = {"http://schemas.openid.net/event/backchannel-logout": {}}


@pytest.fixture(name="fake")
def _fake() -> FakeIssuer:
    return FakeIssuer(url="https://id.test")


@pytest.fixture(name="client")
def _client(fake: FakeIssuer) -> FlaskClient:
    issuer = ag.Issuer.static(fake.jwks(), issuer=fake.url, audience=fake.audience, logout_clients="web-shop")
    app = Flask(__name__)
    config = ag.GateConfig(issuers=[issuer], revocation=ag.MemoryRevocation())
    AuthGate(app, config=config, default=ag.is_user)

    @app.get("/me")
    @requires(ag.is_user)
    def me() -> str:
        return "here"

    app.post("/backchannel-logout")(backchannel_logout)
    return app.test_client()


class TestBackchannelLogout:
    def test_a_session_ends(self, client: FlaskClient, fake: FakeIssuer) -> None:
        """204, and the next request of the session is refused; the default of the application asks nothing of it."""
        headers = {"Authorization": f"Bearer {fake.token('u1', sid='s-1')}"}
        assert 200 == client.get("/me", headers=headers).status_code
        token = fake.token("u1", headers={"typ": "logout+jwt"}, aud="web-shop", events=EVENT, sid="s-1")
        answer = client.post("/backchannel-logout", data={"logout_token": token})
        assert (204, "no-store") == (answer.status_code, answer.headers["Cache-Control"])
        assert 401 == client.get("/me", headers=headers).status_code

    @pytest.mark.parametrize("form", [{}, {"logout_token": "a.b.c"}, {"logout_token": "a" * 40_000}])
    def test_what_is_none(self, client: FlaskClient, form: dict[str, str]) -> None:
        """400, and nothing about why (section 2.8)."""
        answer = client.post("/backchannel-logout", data=form)
        assert (400, {"error": "invalid_request"}) == (answer.status_code, answer.json)
        assert "no-store" == answer.headers["Cache-Control"]
