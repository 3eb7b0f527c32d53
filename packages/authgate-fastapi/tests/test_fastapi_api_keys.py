"""API keys in FastAPI: dependencies, the middleware, sockets and the document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Request, WebSocket
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse

import authgate_core as ag
from authgate_core.api_keys import mint_key
from authgate_fastapi import (
    AuthGate,
    AuthMiddleware,
    CurrentApiKey,
    CurrentPrincipal,
    get_current_api_key,
    requires,
)

KEY = mint_key()
SENT = {"X-API-Key": KEY.key.reveal()}


@pytest.fixture
def app() -> FastAPI:
    """An application whose gate knows one key and nothing else."""
    keys = ag.ApiKeys.static({KEY.id: {"secret_hash": KEY.secret_hash, "owner_id": "u1", "scopes": ["a"]}})
    app = FastAPI()
    AuthGate(app, config=ag.GateConfig(api_keys=keys))

    @app.get("/key")
    async def key(key: CurrentApiKey) -> dict[str, Any]:
        return key.to_dict()

    @app.get("/anyone")
    async def anyone(principal: CurrentPrincipal) -> dict[str, str]:
        return {"id": principal.id}

    @app.get("/depends", dependencies=[requires(ag.is_api_key & ag.all_scopes("a"))])
    def depends(key: Annotated[ag.ApiKey, Depends(get_current_api_key)]) -> dict[str, str | None]:
        return {"owner": key.owner_id}

    @app.get("/model")
    async def model(key: CurrentApiKey) -> ag.ApiKey:
        return key

    @app.websocket("/socket")
    async def socket(websocket: WebSocket, key: CurrentApiKey) -> None:
        await websocket.accept()
        await websocket.send_text(key.id)

    return app


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """Asks it."""
    with TestClient(app) as client:
        yield client


class TestDependencies:
    @pytest.mark.parametrize("path", ["/key", "/model"])
    def test_a_key_is_what_it_shows(self, client: TestClient, path: str) -> None:
        """An endpoint has the key, and a response shows its public fields."""
        shown = client.get(path, headers=SENT).json()
        assert (KEY.id, "u1", f"key_{KEY.id}", ["a"]) == (
            shown["id"],
            shown["owner_id"],
            shown["prefix"],
            shown["scopes"],
        )

    def test_in_either_form(self, client: TestClient) -> None:
        """The alias and the callable are one dependency."""
        assert {"owner": "u1"} == client.get("/depends", headers=SENT).json()
        assert {"id": KEY.id} == client.get("/anyone", headers=SENT).json()

    def test_without_one(self, client: TestClient) -> None:
        """Law 1.1: the challenge names the scheme of keys."""
        answer = client.get("/key")
        assert (401, 'ApiKey realm="api"') == (answer.status_code, answer.headers["www-authenticate"])

    def test_a_socket(self, client: TestClient) -> None:
        """A handshake is admitted by a key like a request, and refused like one."""
        with client.websocket_connect("/socket", headers=SENT) as socket:
            assert KEY.id == socket.receive_text()
        with pytest.raises(WebSocketDenialResponse) as caught, client.websocket_connect("/socket"):
            raise AssertionError("it was let in")
        assert 401 == caught.value.status_code


class TestMiddleware:
    def test_it_shows_the_key(self, app: FastAPI) -> None:
        """Handlers find the key where they find users and projects."""
        app.add_middleware(AuthMiddleware)

        @app.get("/state")
        async def state(request: Request) -> dict[str, Any]:
            found = request.state
            return {"user": found.user, "api_key": found.api_key and found.api_key.id}

        with TestClient(app) as client:
            assert {"user": None, "api_key": KEY.id} == client.get("/state", headers=SENT).json()
            assert 401 == client.get("/state").status_code


class TestDocument:
    def test_a_key_is_a_scheme_of_its_own(self, app: FastAPI) -> None:
        """Law 8.4: what a route asks for stands in the document, once for its header."""
        document = app.openapi()
        assert [{"ApiKey": []}] == document["paths"]["/key"]["get"]["security"]
        scheme = document["components"]["securitySchemes"]["ApiKey"]
        assert ("apiKey", "header", "x-api-key") == (scheme["type"], scheme["in"], scheme["name"])

    def test_a_response_may_be_a_key(self, app: FastAPI) -> None:
        """The schema says that an end is a number, and that there may be none."""
        schema = app.openapi()["components"]["schemas"]["ApiKey"]["properties"]
        assert {"anyOf": [{"type": "number"}, {"type": "null"}]} == schema["expires_at"]
