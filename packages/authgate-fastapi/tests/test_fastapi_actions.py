"""Actions that a user confirms, in FastAPI."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from authgate_core import AsyncGate, GateConfig, Issuer, action, is_user
from authgate_core.testing import FakeAuthService
from authgate_fastapi import AuthGate, requires


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

    return app


class TestActions:
    def test_confirmed(self, app: FastAPI, service: FakeAuthService) -> None:
        """The token of the action lets in one request, and the next is asked to confirm anew."""
        client = TestClient(app, headers={"Authorization": f"Bearer {service.token('u1')}"})
        confirmed = {"X-Action-Token": service.action_token("delete_order", "u1")}

        first, second = (client.delete("/orders/7", headers=confirmed) for _ in range(2))

        assert (200, 401) == (first.status_code, second.status_code)
        assert "X-Action-Token" in first.headers["Vary"]

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
