"""The old names of the auth service's SDK."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

from authgate_core import AsyncGate, ConfigurationError, GateConfig, Issuer
from authgate_core.testing import FakeAuthService
from authgate_fastapi import AuthGate
from authgate_fastapi.compat.auth_sdk import (
    get_current_user,
    require_action_token,
    require_fresh_auth,
    require_role,
)


@pytest.fixture
def service() -> Iterator[FakeAuthService]:
    """An auth service that is served."""
    with FakeAuthService(audience="orders-api") as served:
        yield served


@pytest.fixture
def app(service: FakeAuthService) -> FastAPI:
    """An application whose imports alone have changed, behind a gate."""
    app = FastAPI()
    AuthGate(
        app, gate=AsyncGate(GateConfig(issuers=[Issuer.auth_service(service.url, audience="orders-api")]))
    )
    erase = require_action_token("erase", auth_base_url=f"{service.url}/", expected_audience=["orders-api"])

    either, lately = require_role("admin", "service"), require_fresh_auth(300)

    @app.get("/me")
    async def me(user: Any = Depends(get_current_user)) -> Any:
        return user

    @app.get("/admin")
    async def admin(user: Any = Depends(either)) -> Any:
        return user["role"]

    @app.post("/erase")
    async def erase_all(user: Any = Depends(erase)) -> Any:
        return user["user_id"]

    @app.post("/fresh")
    async def fresh(user: Any = Depends(lately)) -> Any:
        return user["user_id"]

    return app


def asked(app: FastAPI, method: str, path: str, token: str, **headers: str) -> Any:
    """What is answered to the bearer of a token."""
    named = {
        "Authorization": f"Bearer {token}",
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    return TestClient(app).request(method, path, headers=named)


class TestIdentities:
    def test_a_user(self, app: FastAPI, service: FakeAuthService) -> None:
        """The dict that the SDK gave, member by member."""
        token = service.token("u1", role="admin", scopes=["a"], email="u1@x.test", auth_time=1_700_000_000)

        assert asked(app, "GET", "/me", token).json() == {
            "type": "user",
            "user_id": "u1",
            "email": "u1@x.test",
            "email_verified": True,
            "email_otp_enabled": False,
            "role": "admin",
            "scopes": ["a"],
            "auth_time": 1_700_000_000,
        }

    def test_a_program(self, app: FastAPI, service: FakeAuthService) -> None:
        """The same of a program."""
        token = service.service_token("billing", scope="a b")

        assert asked(app, "GET", "/me", token).json() == {
            "type": "service",
            "client_id": "billing",
            "role": "service",
            "scopes": ["a", "b"],
            "email": None,
        }

    def test_nobody(self, app: FastAPI) -> None:
        """401."""
        assert TestClient(app).get("/me").status_code == 401


class TestGuards:
    def test_roles(self, app: FastAPI, service: FakeAuthService) -> None:
        """One of the roles will do, of a user or of a program."""
        assert asked(app, "GET", "/admin", service.token(role="admin")).json() == "admin"
        assert asked(app, "GET", "/admin", service.service_token()).json() == "service"
        assert asked(app, "GET", "/admin", service.token(role="user")).status_code == 403

    def test_an_action(self, app: FastAPI, service: FakeAuthService) -> None:
        """The token of the action lets in, and without one the headers say what to do."""
        confirmed = service.action_token("erase", "u1")

        assert asked(app, "POST", "/erase", service.token("u1"), X_Action_Token=confirmed).json() == "u1"
        refused = asked(app, "POST", "/erase", service.token("u1"))
        assert (refused.status_code, refused.headers["X-OTP-Action"]) == (401, "erase")
        assert asked(app, "POST", "/erase", service.service_token()).status_code == 403

    def test_a_fresh_login(self, app: FastAPI, service: FakeAuthService) -> None:
        """A login of a while ago is not enough, and the header says so."""
        assert asked(app, "POST", "/fresh", service.token("u1")).json() == "u1"
        refused = asked(app, "POST", "/fresh", service.token("u1", auth_time=1_700_000_000))
        assert (refused.status_code, refused.headers["X-Reauth-Required"]) == (401, "true")

    @pytest.mark.parametrize(
        "options", [{"auth_base_url": "https://other.example.com"}, {"expected_audience": "carts-api"}]
    )
    def test_an_action_of_another_service(self, app: FastAPI, options: dict[str, str]) -> None:
        """Law 1.6: what the gate does not check is a configuration error, and never passes."""
        app.post("/wrong", dependencies=[Depends(require_action_token("erase", **options))])(lambda: None)

        with pytest.raises(ConfigurationError, match="require_action_token"):
            TestClient(app).post("/wrong")
