"""Tokens in cookies, in FastAPI (Law 2.9)."""

from dataclasses import replace

import pytest
from fastapi import FastAPI, WebSocket
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from authgate_core import AsyncGate, Cookies, GateConfig, is_user
from authgate_core.testing import FakeIssuer
from authgate_fastapi import AuthGate, CurrentUser, requires

PAGE = "https://app.example.com"


@pytest.fixture
def app(config: GateConfig) -> FastAPI:
    """An application that reads cookies."""
    app = FastAPI()
    AuthGate(app, gate=AsyncGate(replace(config, cookies=Cookies(origins=(PAGE,)))))

    @app.get("/orders")
    async def orders(user: CurrentUser) -> dict[str, str]:
        return {"id": user.id}

    @app.post("/orders")
    async def order(user: CurrentUser) -> dict[str, str]:
        return {"id": user.id}

    @app.websocket("/live", dependencies=[requires(is_user)])
    async def live(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("open")
        await socket.close()

    return app


@pytest.fixture
def client(app: FastAPI, issuer: FakeIssuer) -> TestClient:
    """A browser that is logged in."""
    cookies = {"__Host-auth_access": issuer.token("u1"), "__Host-auth_csrf": "c1"}
    return TestClient(app, base_url="https://testserver", cookies=cookies)


class TestRequests:
    def test_reading(self, client: TestClient) -> None:
        """The cookie says who the user is, and caches are told so (Law 1.7)."""
        response = client.get("/orders")

        assert (200, {"id": "u1"}) == (response.status_code, response.json())
        assert "Cookie" in response.headers["Vary"]

    def test_changing(self, client: TestClient) -> None:
        """A POST repeats the CSRF value, or is refused."""
        confirmed = client.post("/orders", headers={"X-CSRF-Token": "c1"})
        forged = client.post("/orders", headers={"Origin": PAGE})

        assert (200, 403) == (confirmed.status_code, forged.status_code)
        assert forged.json()["code"] == "cross_site"

    def test_beside_a_header(self, client: TestClient, issuer: FakeIssuer) -> None:
        """Two tokens are malformed."""
        bearer = {"Authorization": f"Bearer {issuer.token('u2')}"}

        assert client.get("/orders", headers=bearer).status_code == 400


class TestSockets:
    def test_of_our_page(self, client: TestClient) -> None:
        """A page whose origin is listed opens it."""
        with client.websocket_connect("/live", headers={"Origin": PAGE}) as socket:
            assert socket.receive_text() == "open"

    @pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"X-CSRF-Token": "c1"}])
    def test_of_another(self, client: TestClient, headers: dict[str, str]) -> None:
        """Any other is refused before it is open, and no handler runs (Law 1.9)."""
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/live", headers=headers):
            pass


class TestDocument:
    def test_how_a_token_may_come(self, app: FastAPI) -> None:
        """OpenAPI names the cookie beside the header, and the value that is to be repeated."""
        document = app.openapi()
        cookie = document["components"]["securitySchemes"]["Cookie"]

        assert document["paths"]["/orders"]["get"]["security"] == [{"Bearer": []}, {"Cookie": []}]
        assert ("cookie", "__Host-auth_access") == (cookie["in"], cookie["name"])
        assert "X-CSRF-Token" in cookie["description"]

    def test_where_no_cookie_counts(self, config: GateConfig) -> None:
        """It names none."""
        app = FastAPI()
        AuthGate(app, gate=AsyncGate(config))
        app.get("/orders", dependencies=[requires(is_user)])(lambda: None)

        assert app.openapi()["paths"]["/orders"]["get"]["security"] == [{"Bearer": []}]
