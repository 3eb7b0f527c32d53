"""What whoever has installed authgate-fastapi gets: run against the built wheel as well, where nothing else is."""

from importlib.metadata import requires as requirements
from importlib.metadata import version
from importlib.resources import files

import pytest
from fastapi import FastAPI, WebSocket
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse

import authgate_core as ag
import authgate_fastapi
from authgate_core.testing import FakeIssuer
from authgate_fastapi import AuthGate, CurrentUser


class TestInstalled:
    def test_an_application_is_guarded(self) -> None:
        """From a token on the wire to the user in an endpoint, by request and by WebSocket."""
        with FakeIssuer(audience="orders-api") as issuer:
            app = FastAPI()
            trusted = ag.Issuer.oidc(issuer.url, audience="orders-api")
            AuthGate(app, config=ag.GateConfig(issuers=[trusted]))

            @app.get("/me")
            async def me(user: CurrentUser) -> str:
                return user.id

            @app.websocket("/feed")
            async def feed(websocket: WebSocket, user: CurrentUser) -> None:
                await websocket.accept()
                await websocket.send_json(user.id)
                await websocket.close()

            token = {"Authorization": f"Bearer {issuer.token('u1')}"}
            with TestClient(app) as client:
                answer = client.get("/me", headers=token)
                assert (200, "u1") == (answer.status_code, answer.json())
                assert 401 == client.get("/me").status_code
                with client.websocket_connect("/feed", headers=token) as socket:
                    assert "u1" == socket.receive_json()
                with pytest.raises(WebSocketDenialResponse), client.websocket_connect("/feed"):
                    pass

    def test_types_and_the_core_of_its_version_came_along(self) -> None:
        """Packages of one version belong together."""
        assert files(authgate_fastapi).joinpath("py.typed").is_file()
        assert f"authgate-core=={version('authgate-fastapi')}" in (requirements("authgate-fastapi") or [])
