"""FastAPI's WebSockets behind uvicorn: refused in the handshake, and after they were accepted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fastapi import Depends, FastAPI, WebSocket
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

import authgate_core as ag
from authgate_fastapi import AuthGate, CurrentAdmission, requires
from tests.adapter_contract.adapter import Adapter, ids
from tests.adapter_contract.adapters.fastapi_dependency import closing
from tests.adapter_contract.promises import Answer, Promise
from tests.adapter_contract.row import Row
from tests.adapter_contract.world import Headers
from tests.support.subscribing import served

__all__ = ["FastApiWebSocket", "FastApiWebSocketAccepted"]


def handshake(url: str, headers: Headers) -> Answer:
    """What a client is told that opens a WebSocket and reads once."""
    try:
        with connect(url, additional_headers=headers, proxy=None) as opened:
            return Answer(admitted=json.loads(opened.recv(timeout=10)))
    except InvalidStatus as refused:
        answer = refused.response
        return Answer.of_http(answer.status_code, answer.headers.raw_items(), bytes(answer.body or b""))
    except ConnectionClosed as closed:
        if closed.rcvd is None:
            raise
        return Answer(close=closed.rcvd.code, code=closed.rcvd.reason)


class FastApiWebSocket(Adapter[int]):
    """Refused before it is accepted, by a response: uvicorn can send one (Law 1.9)."""

    name = "fastapi_websocket"

    @staticmethod
    def tells(promise: Promise) -> Answer:
        """With what a handshake is answered, or whom the handler saw."""
        return promise.handshake()

    def app(self, gate: ag.AsyncGate, rows: Sequence[Row]) -> FastAPI:
        """An application with a guarded WebSocket for each row."""
        app = FastAPI(lifespan=closing(gate))
        AuthGate(app, gate=gate)
        for row in rows:

            @app.websocket(f"/{row.slug}/{{who}}", dependencies=[requires(row.policy, optional=row.optional)])
            async def handler(websocket: WebSocket, admission: CurrentAdmission) -> None:
                await websocket.accept()
                await websocket.send_json(ids(admission))

        return app

    @contextmanager
    def opened(self, gate: str, rows: Sequence[Row]) -> Iterator[int]:
        """The port of the application."""
        with served(self.app(self.world.async_gate(gate), rows)) as port:
            yield port

    def send(self, door: int, row: Row) -> Answer:
        """One handshake."""
        return handshake(f"ws://127.0.0.1:{door}/{row.slug}/{row.who}", row.headers(self.world))


class FastApiWebSocketAccepted(FastApiWebSocket):
    """Accepted by a dependency before the guard is asked, so that a refusal closes it with its code."""

    name = "fastapi_websocket_accepted"

    @staticmethod
    def tells(promise: Promise) -> Answer:
        """With what it is closed, or whom the handler saw."""
        return promise.close()

    def app(self, gate: ag.AsyncGate, rows: Sequence[Row]) -> FastAPI:
        """An application that accepts every WebSocket."""
        app = FastAPI(lifespan=closing(gate))
        AuthGate(app, gate=gate)
        for row in rows:
            guard = requires(row.policy, optional=row.optional)

            @app.websocket(f"/{row.slug}/{{who}}", dependencies=[Depends(_accept), guard])
            async def handler(websocket: WebSocket, admission: CurrentAdmission) -> None:
                await websocket.send_json(ids(admission))

        return app


async def _accept(websocket: WebSocket) -> None:
    await websocket.accept()
