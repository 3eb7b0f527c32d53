"""Tokens that are bound to keys, on a real server: DPoP proofs of requests and of sockets (Law 3.15)."""

from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, WebSocket
from starlette.types import ASGIApp, Receive, Scope, Send
from websockets.sync.client import connect

import authgate_core as ag
from authgate_core.testing import FakeIssuer, ProofKey
from authgate_fastapi import AuthGate, AuthMiddleware, CurrentUser, OptionalUser

BASE = "https://api.example.com"


class Adding:
    """Middleware that adds a header, and so makes another request of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            scope = {**scope, "headers": [*scope["headers"], (b"x-request-id", b"7")]}
        await self._app(scope, receive, send)


@pytest.fixture
def config(issuer: FakeIssuer) -> ag.GateConfig:
    """A gate whose tokens are bound to keys, and that asks for nonces."""
    trusted = ag.Issuer.static(
        issuer.jwks(),
        issuer=issuer.url,
        audience=issuer.audience,
        confirmation="dpop",
        require_confirmation=True,
    )
    return ag.GateConfig(issuers=[trusted], dpop=ag.DPoP(BASE, nonce_secret=ag.Secret("n" * 32)))


@pytest.fixture
def app(config: ag.GateConfig) -> FastAPI:
    """Guards in several places, and between them middleware that changes the request."""
    app = FastAPI()
    app.add_middleware(Adding)
    app.add_middleware(AuthMiddleware)
    AuthGate(app, config=config)

    @app.get("/me/{name}")
    async def me(user: CurrentUser, again: OptionalUser, name: str) -> dict[str, Any]:
        return {"id": user.id, "again": again == user, "name": name}

    @app.websocket("/echo")
    async def echo(websocket: WebSocket, user: CurrentUser) -> None:
        await websocket.accept()
        while True:
            await websocket.send_text(f"{user.id}: {await websocket.receive_text()}")

    return app


class TestOnTheWire:
    """Asked by real clients of a real server."""

    def nonce(self, url: str) -> str:
        """The nonce that the server asks for."""
        key = ProofKey()
        token = self.issuer.token("u1", cnf=key.confirmation)
        answer = httpx2.get(f"{url}/me/x", headers=key.headers("GET", f"{BASE}/me/x", token))
        assert (401, "proof_nonce_required") == (answer.status_code, answer.json()["code"])
        assert 'error="use_dpop_nonce"' in answer.headers["www-authenticate"]
        return answer.headers["dpop-nonce"]

    @pytest.fixture(autouse=True)
    def _known(self, issuer: FakeIssuer) -> None:
        self.issuer = issuer

    @pytest.mark.parametrize("path", ["/me/x", "/me/a%20b", "/me/caf%C3%A9?q=1"])
    def test_a_request(self, served: Any, path: str) -> None:
        """One proof for all guards of a request, and for no second one."""
        key, nonce = ProofKey(), self.nonce(served.url)
        token = self.issuer.token("u1", cnf=key.confirmation)
        headers = key.headers("GET", f"{BASE}{path}", token, nonce=nonce)
        answer = httpx2.get(f"{served.url}{path}", headers=headers)
        assert (200, "u1", True) == (answer.status_code, answer.json()["id"], answer.json()["again"])
        assert "dpop" in answer.headers["vary"].lower()
        again = httpx2.get(f"{served.url}{path}", headers=headers)
        assert (401, "proof_invalid") == (again.status_code, again.json()["code"])

    def test_the_token_alone(self, served: Any) -> None:
        """Law 1.1: the challenge asks for a proof, and names no scheme without one."""
        token = self.issuer.token("u1", cnf=ProofKey().confirmation)
        answer = httpx2.get(f"{served.url}/me/x", headers={"Authorization": f"Bearer {token}"})
        assert (401, "token_invalid") == (answer.status_code, answer.json()["code"])
        assert answer.headers["www-authenticate"].startswith("DPoP ")
        assert "Bearer" not in answer.headers["www-authenticate"]

    def test_a_socket(self, served: Any) -> None:
        """A handshake is a GET, and what it has shown holds while the socket is open (Law 5.13)."""
        key, nonce = ProofKey(), self.nonce(served.url)
        token = self.issuer.token("u1", cnf=key.confirmation)
        headers = key.headers("GET", f"{BASE}/echo", token, nonce=nonce)
        with connect(f"{served.url.replace('http', 'ws')}/echo", additional_headers=headers) as socket:
            socket.send("hello")
            assert "u1: hello" == socket.recv(timeout=10)
            with pytest.raises(TimeoutError):
                socket.recv(timeout=2.5)  # it is asked about within two seconds, and stays open
            socket.send("again")
            assert "u1: again" == socket.recv(timeout=10)
