"""What ``authgate_core.testing`` asserts, on a real app."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, WebSocket
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from authgate_core import AsyncGate, GateConfig, any_role, is_user
from authgate_core.testing import (
    FakeIssuer,
    as_nobody,
    as_user,
    assert_all_routes_guarded,
    assert_denied,
    async_gate_for_tests,
)
from authgate_fastapi import AuthGate, CurrentAdmission, CurrentUser, public, requires


@pytest.fixture
def gate(config: GateConfig) -> Iterator[AsyncGate]:
    """A gate for tests."""
    gate = async_gate_for_tests(config)
    yield gate
    asyncio.run(gate.aclose())


@pytest.fixture
def app(gate: AsyncGate) -> FastAPI:
    """An app of which nothing was forgotten."""
    app = FastAPI(openapi_url=None)
    AuthGate(app, gate=gate)

    @app.get("/orders")
    def orders(user: CurrentUser) -> str:
        return user.id

    @app.get("/health")
    @public
    def health() -> str:
        return "in"

    @app.websocket("/prices", dependencies=[requires(is_user)])
    async def prices(websocket: WebSocket, admission: CurrentAdmission) -> None:
        await websocket.accept()
        await websocket.receive_text()
        admission.require(any_role("admin"))

    return app


class TestDenied:
    """``assert_denied``."""

    def test_responses(self, client: TestClient) -> None:
        """Of Starlette's client."""
        assert_denied(client.get("/orders"), 401, code="credentials_missing")
        with as_user("ann"):
            with as_nobody():
                assert_denied(client.get("/orders"), 401)
            with pytest.raises(AssertionError, match='got 200 "ann"'):
                assert_denied(client.get("/orders"))

    def test_handshakes(self, client: TestClient) -> None:
        """What the client raises where a WebSocket is refused: before it was accepted, and after."""
        with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect("/prices"):
            pass
        assert_denied(refused.value, 401)
        with as_user("ann"), client.websocket_connect("/prices") as socket:
            socket.send_text("go on")
            with pytest.raises(WebSocketDisconnect) as closed:
                socket.receive_text()
        assert_denied(closed.value, 403)

    def test_a_real_server(self, served: Any) -> None:
        """What ``websockets`` raises there."""
        url = served.url.replace("http", "ws") + "/prices"
        with pytest.raises(InvalidStatus) as refused, connect(url):
            pass
        assert_denied(refused.value, 401, code="credentials_missing")
        with as_user("ann"), connect(url) as socket:
            socket.send("go on")
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv()
        assert_denied(closed.value, 403)

    def test_hostile_tokens(self, client: TestClient, issuer: FakeIssuer) -> None:
        """A sample, each refused where its honest twin is let in; twins that are about to expire aside."""
        for attack in issuer.attacks()[::25]:
            if attack.is_presentable and attack.kind != "date":
                assert_denied(client.get("/orders", headers={"Authorization": f"Bearer {attack.token}"}), 401)
                twin = client.get("/orders", headers={"Authorization": f"Bearer {attack.twin}"})
                assert 200 == twin.status_code, str(attack)


class TestAllRoutesGuarded:
    """``assert_all_routes_guarded``."""

    def test_of_a_closed_app(self, app: FastAPI) -> None:
        """It says nothing, with a list of what is public or without."""
        assert_all_routes_guarded(app)
        assert_all_routes_guarded(app, public={"/health"})

    def test_a_forgotten_web_socket(self, app: FastAPI) -> None:
        """It is named, in a router as well, beside a route of the same path that is guarded."""
        router = APIRouter()

        @router.websocket("/orders")
        async def forgotten(websocket: WebSocket) -> None:
            await websocket.accept()

        app.include_router(router)
        for public_paths in (None, {"/health"}):
            with pytest.raises(AssertionError, match=r"\Aanybody may use websocket /orders \(UNGUARDED\)"):
                assert_all_routes_guarded(app, public=public_paths)

    def test_pages_that_fastapi_adds(self, gate: AsyncGate) -> None:
        """They are open, until they are closed or named."""
        app = FastAPI()
        AuthGate(app, gate=gate)
        with pytest.raises(AssertionError, match="anybody may use GET /docs"):
            assert_all_routes_guarded(app)
        assert_all_routes_guarded(app, public={"/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json"})
