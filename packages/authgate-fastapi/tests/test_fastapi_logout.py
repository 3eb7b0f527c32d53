"""The endpoint that takes logout tokens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

import authgate_core as ag
from authgate_core.testing import FakeIssuer
from authgate_fastapi import AuthGate, CurrentUser, backchannel_logout

EVENT: dict[str, object] = {"http://schemas.openid.net/event/backchannel-logout": {}}


@pytest.fixture(name="fake")
def _fake() -> FakeIssuer:
    return FakeIssuer(url="https://id.test")


@pytest.fixture(name="client")
def _client(fake: FakeIssuer) -> Iterator[TestClient]:
    issuer = ag.Issuer.static(fake.jwks(), issuer=fake.url, audience=fake.audience, logout_clients="web-shop")
    app = FastAPI()
    config = ag.GateConfig(issuers=[issuer], revocation=ag.MemoryRevocation())
    AuthGate(app, config=config, default=ag.is_user)

    @app.get("/me")
    async def me(user: CurrentUser) -> str:
        return user.id

    app.post("/backchannel-logout")(backchannel_logout)
    with TestClient(app) as client:
        yield client


class TestBackchannelLogout:
    def test_a_session_ends(self, client: TestClient, fake: FakeIssuer) -> None:
        """204, and the next request of the session is refused; the default of the application asks nothing of it."""
        headers = {"Authorization": f"Bearer {fake.token('u1', sid='s-1')}"}
        assert 200 == client.get("/me", headers=headers).status_code
        token = fake.token("u1", headers={"typ": "logout+jwt"}, aud="web-shop", events=EVENT, sid="s-1")
        answer = client.post("/backchannel-logout", data={"logout_token": token})
        assert (204, "no-store") == (answer.status_code, answer.headers["Cache-Control"])
        assert 401 == client.get("/me", headers=headers).status_code

    @pytest.mark.parametrize("form", [{}, {"logout_token": "a.b.c"}, {"logout_token": "a" * 400_000}])
    def test_what_is_none(self, client: TestClient, form: dict[str, str]) -> None:
        """400, and nothing about why (section 2.8)."""
        answer = client.post("/backchannel-logout", data=form)
        assert (400, {"error": "invalid_request"}) == (answer.status_code, answer.json())
        assert "no-store" == answer.headers["Cache-Control"]
