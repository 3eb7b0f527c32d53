"""``as_user`` and its like through an application (Law 9.6): only the verification of credentials is left out."""

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Depends, FastAPI, WebSocket
from fastapi.testclient import TestClient

import authgate_core as ag
from authgate_core import any_role, is_project, is_user
from authgate_core.testing import as_project, as_service, as_user, async_gate_for_tests
from authgate_fastapi import (
    AuthGate,
    CurrentAdmission,
    CurrentProject,
    CurrentService,
    CurrentUser,
    OptionalUser,
    fastapi_combined_auth,
    public,
    require_scopes,
    requires,
)


@pytest.fixture
def gate(config: ag.GateConfig) -> Iterator[ag.AsyncGate]:
    """A gate for tests."""
    gate = async_gate_for_tests(config)
    yield gate
    asyncio.run(gate.aclose())


@pytest.fixture
def app(gate: ag.AsyncGate) -> FastAPI:
    """An application with guards of every kind, on sync endpoints, and a default."""
    app = FastAPI()
    AuthGate(app, gate=gate, default=is_user)
    add_by_the_way(app)

    @app.get("/user")
    def user(user: CurrentUser) -> ag.User:
        return user

    @app.get("/service")
    def service(service: CurrentService) -> str:
        return service.id

    @app.get("/project")
    def project(project: CurrentProject) -> str:
        return project.id

    @app.get("/both")
    def both(who: Annotated[dict[str, Any], Depends(fastapi_combined_auth)]) -> list[str]:
        return [who["user"].id, who["project"].id]

    @app.get("/scopes")
    def scopes(user: Annotated[ag.User, Depends(require_scopes("orders:read"))]) -> str:
        return user.id

    @app.get("/decides", dependencies=[requires(is_user | is_project)])
    def decides(admission: CurrentAdmission) -> bool:
        admission.require(is_user)
        return admission.allows(any_role("admin"))

    @app.websocket("/ws")
    async def ws(websocket: WebSocket, user: CurrentUser) -> None:
        await websocket.accept()
        await websocket.send_text(user.id)
        await websocket.close()

    return app


def add_by_the_way(app: FastAPI) -> None:
    """Endpoints that let somebody in without asking for anybody."""

    @app.get("/optional")
    def optional(user: OptionalUser) -> str:
        return user.id if user else "stranger"

    @app.get("/default")
    def default() -> str:
        return "in"

    @app.get("/open")
    @public
    def opened() -> str:
        return "open"


class TestStandIns:
    def test_a_user(self, client: TestClient) -> None:
        """Every guard that asks for a user finds this one, and nobody before or after."""
        assert 401 == client.get("/user").status_code
        with as_user("ann", roles=["admin"], scopes=["orders:read"], email="ann@example.com"):
            user = client.get("/user").json()
            assert ("ann", "ann@example.com", ["admin"]) == (user["id"], user["email"], user["roles"])
            answers = [client.get(path).json() for path in ("/scopes", "/decides", "/optional", "/default")]
            assert ["ann", True, "ann", "in"] == answers
            assert 403 == client.get("/service").status_code
        assert [401, 401] == [client.get(path).status_code for path in ("/user", "/default")]
        assert "stranger" == client.get("/optional").json()

    def test_policies_still_decide(self, client: TestClient) -> None:
        """Without the scope it is 403; a decision in an endpoint counts as well."""
        with as_user("ann"):
            assert 403 == client.get("/scopes").status_code
            assert client.get("/decides").json() is False
        with as_project("shop"):
            assert 401 == client.get("/decides").status_code

    def test_others(self, client: TestClient) -> None:
        """Services and projects, and several together."""
        with as_service("billing"):
            assert "billing" == client.get("/service").json()
            assert 403 == client.get("/default").status_code
        with as_user("ann"), as_project("shop"):
            assert "shop" == client.get("/project").json()
            assert ["ann", "shop"] == client.get("/both").json()

    def test_revocation_still_counts(self, client: TestClient, counter: Any) -> None:
        """It is asked at every request."""
        with as_user("ann"):
            assert 200 == client.get("/user").status_code
            counter.revoked = True
            answer = client.get("/user")
            assert (401, "token_invalid") == (answer.status_code, answer.json()["code"])

    def test_web_sockets(self, client: TestClient) -> None:
        """The same for a WebSocket."""
        with as_user("ann"), client.websocket_connect("/ws") as socket:
            assert "ann" == socket.receive_text()

    def test_a_real_server(self, served: Any) -> None:
        """In a thread of its own, where requests are real."""
        with httpx2.Client(base_url=served.url) as browser:
            with as_user("ann"):
                assert "ann" == browser.get("/user").json()["id"]
                assert "ann" == browser.get("/optional").json()
            assert 401 == browser.get("/user").status_code

    def test_only_in_a_gate_for_tests(self, config: ag.GateConfig) -> None:
        """Law 9.6: any other gate knows nothing of them."""
        app = FastAPI()
        AuthGate(app, config=config, default=is_user)
        app.get("/")(lambda: "in")
        with TestClient(app) as client, as_user("ann"):
            assert 401 == client.get("/").status_code
