"""WebSockets that stay open on a real server, with a real client and in real time (Law 5.13)."""

import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, WebSocket
from starlette.websockets import WebSocketDisconnect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

import authgate_core as ag
from authgate_core.testing import FakeIssuer
from authgate_fastapi import AuthMiddleware, CurrentGate, CurrentUser

Headers = dict[str, str]


@pytest.fixture
def config(issuer: FakeIssuer, projects: ag.StaticProjects) -> ag.GateConfig:
    """A gate with revocation of its own, and no leeway."""
    trusted = ag.Issuer.static(issuer.jwks(), issuer=issuer.url, audience=issuer.audience, leeway=0)
    return ag.GateConfig(issuers=[trusted], projects=projects, revocation=ag.MemoryRevocation())


@pytest.fixture
def ends() -> list[int]:
    """The codes that handlers saw."""
    return []


@pytest.fixture
def app(app: FastAPI, ends: list[int]) -> FastAPI:
    """An echo behind a guard, another behind the middleware alone, and a way to revoke."""
    app.add_middleware(AuthMiddleware, excluded_paths={"/echo", "/revoke"})

    async def answer(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                await websocket.send_text(await websocket.receive_text())
        except WebSocketDisconnect as end:
            ends.append(end.code)

    @app.websocket("/echo")
    async def echo(websocket: WebSocket, user: CurrentUser) -> None:
        await answer(websocket)

    app.websocket("/unguarded")(answer)

    @app.post("/revoke")
    async def revoke(token: str, gate: CurrentGate) -> None:
        await gate.revocations.revoke_token(token)

    return app


def close_of(socket: ClientConnection) -> tuple[int, str]:
    """How the server closes a socket."""
    with pytest.raises(ConnectionClosed) as end:
        socket.recv(timeout=10)
    assert end.value.rcvd is not None
    return end.value.rcvd.code, end.value.rcvd.reason


class TestRevoked:
    @pytest.mark.parametrize("path", ["/echo", "/unguarded"])
    @pytest.mark.parametrize("by_subprotocol", [False, True])
    def test_within_two_seconds(
        self, served: Any, issuer: FakeIssuer, ends: list[int], path: str, by_subprotocol: bool
    ) -> None:
        """Whoever admitted the caller and however the token came; others stay."""
        token, other = issuer.token("u1"), issuer.token("u2")
        offered = [Subprotocol(f"authgate.bearer.{token}"), Subprotocol("authgate")]
        how: dict[str, Any] = (
            {"subprotocols": offered}
            if by_subprotocol
            else {"additional_headers": {"Authorization": f"Bearer {token}"}}
        )
        url = f"ws://127.0.0.1:{served.port}{path}"
        with (
            connect(url, **how) as socket,
            connect(url, additional_headers={"Authorization": f"Bearer {other}"}) as stays,
        ):
            socket.send("hello")
            assert "hello" == socket.recv()
            httpx2.post(f"{served.url}/revoke", params={"token": token}).raise_for_status()
            began = time.monotonic()
            assert (4401, "token_invalid") == close_of(socket)
            assert time.monotonic() - began < 2
            stays.send("still here")
            assert "still here" == stays.recv()
        assert 4401 == ends[0]


class TestExpired:
    def test_when_the_token_does(self, served: Any, bearer: Callable[..., Headers], ends: list[int]) -> None:
        """Nobody says a word, and the socket is closed all the same."""
        url = f"ws://127.0.0.1:{served.port}/echo"
        began = time.time()
        with connect(url, additional_headers=bearer(expires_in=2)) as socket:
            assert (4401, "token_expired") == close_of(socket)
            assert 1 <= time.time() - began < 4
        assert [4401] == ends
