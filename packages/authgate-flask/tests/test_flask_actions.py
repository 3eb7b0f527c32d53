"""Actions that a user confirms, in Flask."""

from collections.abc import Iterator

import pytest
from flask import Flask

from authgate_core import Gate, GateConfig, Issuer, action, is_user
from authgate_core.testing import FakeAuthService
from authgate_flask import AuthGate, current_user, requires


@pytest.fixture
def service() -> Iterator[FakeAuthService]:
    """An auth service that is served."""
    with FakeAuthService() as served:
        yield served


@pytest.fixture
def app(service: FakeAuthService) -> Iterator[Flask]:
    """An application in front of it, with a guard around a guard."""
    app = Flask("orders")
    with Gate(GateConfig(issuers=[Issuer.auth_service(service.url, audience=service.audience)])) as gate:
        AuthGate(app, gate=gate)

        @app.delete("/orders/<int:order>")
        @requires(is_user & action("delete_order"))
        @requires(action("delete_order"))
        def delete(order: int) -> dict[str, object]:
            return {"order": order, "by": current_user.id}

        yield app


class TestActions:
    def test_confirmed(self, app: Flask, service: FakeAuthService) -> None:
        """Both guards of a request use the token up together, and the next request is asked to confirm anew."""
        headers = {
            "Authorization": f"Bearer {service.token('u1')}",
            "X-Action-Token": service.action_token("delete_order", "u1"),
        }

        first, second = (app.test_client().delete("/orders/7", headers=headers) for _ in range(2))

        assert (200, {"order": 7, "by": "u1"}) == (first.status_code, first.json)
        assert (401, "delete_order") == (second.status_code, second.headers["X-OTP-Action"])
        assert "X-Action-Token" in first.headers["Vary"]
