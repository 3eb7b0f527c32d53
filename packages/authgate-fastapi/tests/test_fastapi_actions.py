"""Actions that a user confirms, in FastAPI."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI, WebSocket
from fastapi.testclient import TestClient

from authgate_core import AsyncGate, GateConfig, Issuer, action, is_user
from authgate_core.testing import FakeAuthService
from authgate_fastapi import AuthGate, AuthMiddleware, requires


@pytest.fixture
def service() -> Iterator[FakeAuthService]:
    """An auth service that is served."""
    with FakeAuthService() as served:
        yield served


@pytest.fixture
def app(service: FakeAuthService) -> FastAPI:
    """An application in front of it."""
    app = FastAPI()
    trusted = Issuer.auth_service(service.url, audience=service.audience)
    AuthGate(app, gate=AsyncGate(GateConfig(issuers=[trusted])))

    @app.delete("/orders/{order}", dependencies=[requires(is_user & action("delete_order"))])
    async def delete(order: int) -> int:
        return order

    @app.websocket("/orders", dependencies=[requires(is_user & action("watch_orders"))])
    async def watch(socket: WebSocket) -> None:
        await socket.accept()
        await asyncio.sleep(1.2)  # within which it is looked at again
        await socket.send_text("still here")
        await socket.close()

    return app


class TestActions:
    def test_confirmed(self, app: FastAPI, service: FakeAuthService) -> None:
        """The token of the action lets in one request, and the next is asked to confirm anew."""
        client = TestClient(app, headers={"Authorization": f"Bearer {service.token('u1')}"})
        confirmed = {"X-Action-Token": service.action_token("delete_order", "u1")}

        first, second = (client.delete("/orders/7", headers=confirmed) for _ in range(2))

        assert (200, 401) == (first.status_code, second.status_code)
        assert "X-Action-Token" in first.headers["Vary"]

    def test_confirmed_for_a_socket(self, app: FastAPI, service: FakeAuthService) -> None:
        """What it has used up when it was opened holds for as long as it stays open."""
        headers = {
            "Authorization": f"Bearer {service.token('u1')}",
            "X-Action-Token": service.action_token("watch_orders", "u1"),
        }
        with TestClient(app).websocket_connect("/orders", headers=headers) as socket:
            assert "still here" == socket.receive_text()

    def test_confirmed_behind_middleware(self, app: FastAPI, service: FakeAuthService) -> None:
        """A request to which middleware adds a header is the same, and its token used up once for all its guards."""

        class Add:
            def __init__(self, app: Any) -> None:
                self.app = app

            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                headers = [*scope["headers"], (b"x-added", b"1")] if scope["type"] == "http" else []
                await self.app({**scope, "headers": headers}, receive, send)

        app.add_middleware(Add)
        app.add_middleware(AuthMiddleware, policy=is_user & action("delete_order"))
        client = TestClient(app, headers={"Authorization": f"Bearer {service.token('u1')}"})
        confirmed = {"X-Action-Token": service.action_token("delete_order", "u1")}

        assert [200, 401] == [client.delete("/orders/7", headers=confirmed).status_code for _ in range(2)]

    def test_not_confirmed_for_another_request(self, app: FastAPI, service: FakeAuthService) -> None:
        """What a request has used up lets in none that its handler sends to another route."""

        class Ahead:
            def __init__(self, app: Any) -> None:
                self.app = app

            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                if scope["type"] == "http" and scope["path"] == "/first":
                    scope = {**scope, "path": "/orders/7", "raw_path": b"/orders/7"}
                await self.app(scope, receive, send)

        app.add_middleware(Ahead)
        app.add_middleware(AuthMiddleware, policy=is_user & action("delete_order"))
        client = TestClient(app, headers={"Authorization": f"Bearer {service.token('u1')}"})
        confirmed = {"X-Action-Token": service.action_token("delete_order", "u1")}

        assert 401 == client.delete("/first", headers=confirmed).status_code

    def test_asked_for(self, app: FastAPI, service: FakeAuthService) -> None:
        """The refusal says what to do in the headers of the service, and by RFC 9470."""
        client = TestClient(app, headers={"Authorization": f"Bearer {service.token('u1')}"})

        response = client.delete("/orders/7")

        assert ("true", "delete_order") == (
            response.headers["X-OTP-Required"],
            response.headers["X-OTP-Action"],
        )
        assert 'error="insufficient_user_authentication"' in response.headers["WWW-Authenticate"]
        assert "delete_order" == response.json()["action"]

    def test_documented(self, app: FastAPI) -> None:
        """OpenAPI asks for both tokens together."""
        document = app.openapi()

        (security,) = document["paths"]["/orders/{order}"]["delete"]["security"]
        assert {"Bearer": [], "ActionToken": []} == security
        assert "x-action-token" == document["components"]["securitySchemes"]["ActionToken"]["name"]
