"""``require_roles`` and its like."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, WebSocket
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse

import authgate_core as ag
from authgate_fastapi import (
    AuthGate,
    require_admin,
    require_roles,
    require_scopes,
    require_service_roles,
    require_user_roles,
)

Headers = dict[str, str]

USER = {"roles": ["clerk"], "scope": "orders:read orders:write"}
SERVICE = {**USER, "gty": "client-credentials"}
ADMIN = {"roles": ["admin"]}

ASKED: list[tuple[Any, dict[str, Any], int]] = [
    (require_roles("clerk", "admin"), USER, 200),
    (require_roles("clerk", "admin"), SERVICE, 200),
    (require_roles("admin"), USER, 403),
    (require_user_roles("clerk", "admin"), USER, 200),
    (require_user_roles("clerk"), SERVICE, 403),
    (require_user_roles("admin"), USER, 403),
    (require_service_roles("clerk", "admin"), SERVICE, 200),
    (require_service_roles("clerk"), USER, 403),
    (require_service_roles("admin"), SERVICE, 403),
    (require_scopes("orders:read", "orders:write"), USER, 200),
    (require_scopes("orders:read", "orders:delete"), USER, 403),
    (require_scopes("orders:read"), SERVICE, 403),
    (require_admin, ADMIN, 200),
    (require_admin, {**ADMIN, "gty": "client-credentials"}, 200),
    (require_admin, USER, 403),
]


class TestWhoIsLetIn:
    @pytest.mark.parametrize(("guard", "shape", "status"), ASKED)
    def test_by_guard(
        self,
        app: FastAPI,
        client: TestClient,
        bearer: Callable[..., Headers],
        guard: Any,
        shape: dict[str, Any],
        status: int,
    ) -> None:
        """It gives the principal; without a token it is 401, whoever would be allowed."""

        @app.get("/")
        def route(who: Annotated[Any, Depends(guard)]) -> str:
            return str(who.id)

        answer = client.get("/", headers=bearer("w1", **shape))
        assert status == answer.status_code
        assert status == 403 or "w1" == answer.json()
        assert 401 == client.get("/").status_code

    def test_web_sockets(self, app: FastAPI, client: TestClient, bearer: Callable[..., Headers]) -> None:
        """The same for a WebSocket."""

        @app.websocket("/ws")
        async def ws(
            websocket: WebSocket, user: Annotated[ag.User, Depends(require_user_roles("clerk"))]
        ) -> None:
            await websocket.accept()
            await websocket.send_text(user.id)
            await websocket.close()

        with client.websocket_connect("/ws", headers=bearer(**USER)) as socket:
            assert "u1" == socket.receive_text()
        with (
            pytest.raises(WebSocketDenialResponse) as refused,
            client.websocket_connect("/ws", headers=bearer(**ADMIN)),
        ):
            pass
        assert 403 == refused.value.status_code

    def test_the_challenge_names_missing_scopes(
        self, app: FastAPI, client: TestClient, bearer: Callable[..., Headers]
    ) -> None:
        """As any policy does (Law 1.2)."""
        app.get("/", dependencies=[Depends(require_scopes("orders:read", "orders:delete"))])(lambda: None)
        answer = client.get("/", headers=bearer(scope="orders:read"))
        assert ["orders:delete"] == answer.json()["missing"]

    def test_a_hierarchy_counts(self, trusted: ag.Issuer, bearer: Callable[..., Headers]) -> None:
        """Law 8.5: a role that another implies is held."""
        app = FastAPI()
        roles = ag.RoleHierarchy({"admin": ["clerk"]})
        AuthGate(app, config=ag.GateConfig(issuers=[trusted], roles=roles))
        app.get("/", dependencies=[Depends(require_user_roles("clerk"))])(lambda: None)
        with TestClient(app) as client:
            assert 200 == client.get("/", headers=bearer(**ADMIN)).status_code


class TestMisuse:
    """What would let everybody in is found when the route is registered."""

    @pytest.mark.parametrize(
        "asking", [require_roles, require_user_roles, require_service_roles, require_scopes]
    )
    def test_without_names(self, asking: Any) -> None:
        """Not called, called without any, called with what is no name, or used as a decorator."""
        app = FastAPI()
        with pytest.raises(TypeError, match=rf"write Depends\({asking}\('...'\)\)"):
            app.get("/", dependencies=[Depends(asking)])(lambda: None)
        with pytest.raises(TypeError, match=rf"write Depends\({asking}\('...'\)\)"):

            @app.get("/")
            def route(who: Annotated[Any, Depends(asking)]) -> None: ...

        with pytest.raises(TypeError, match=rf"write Depends\({asking}\('...'\)\)"):
            asking()
        with pytest.raises(TypeError, match="texts"):
            asking(["clerk"])

    @pytest.mark.parametrize("guard", [require_roles("clerk"), require_admin])
    def test_bare(self, guard: Any) -> None:
        """Without ``Depends``."""
        app = FastAPI()
        with pytest.raises(TypeError, match="write Depends"):
            app.get("/", dependencies=[guard])(lambda: None)
        with pytest.raises(TypeError, match="write Depends"):

            @app.get("/")
            def route(who: Any = guard) -> None: ...

    def test_repr(self) -> None:
        """Printed as they are written."""
        assert "require_scopes('a', 'b')" == repr(require_scopes("a", "b"))
        assert "require_admin" == repr(require_admin)

    def test_at_start(self, projects: Any) -> None:
        """Law 1.6: a gate that knows no tokens cannot ask for roles."""
        app = FastAPI()
        AuthGate(app, config=ag.GateConfig(projects=projects))
        app.get("/", dependencies=[Depends(require_roles("clerk"))])(lambda: None)
        with pytest.raises(ag.ConfigurationError, match="issuers="), TestClient(app):
            pass
