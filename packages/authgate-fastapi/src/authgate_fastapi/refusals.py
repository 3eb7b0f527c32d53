"""How a refusal leaves: as a problem response, or as the close of a WebSocket."""

from __future__ import annotations

from typing import cast

from authgate_core import AuthgateError
from authgate_core.challenge import Problem
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketState

from .locate import gate_of

__all__ = ["refuse"]


async def refuse(connection: HTTPConnection, error: Exception) -> Response | None:
    """The exception handler for ``AuthgateError``, for HTTP and WebSocket alike (Laws 1.1, 1.9)."""
    problem = gate_of(connection).problem(cast("AuthgateError", error))
    if isinstance(connection, WebSocket):
        await _refuse_websocket(connection, problem)
        return None
    return _response(problem)


async def _refuse_websocket(websocket: WebSocket, problem: Problem) -> None:
    if websocket.application_state is WebSocketState.CONNECTING:
        if "websocket.http.response" in websocket.scope.get("extensions", {}):
            await websocket.send_denial_response(_response(problem))
            return
        await websocket.accept()
    await websocket.close(code=problem.websocket_code, reason=str(problem.body["code"]))


def _response(problem: Problem) -> Response:
    response = Response(problem.json(), status_code=problem.status)
    for name, value in problem.headers:
        response.headers.append(name, value)
    return response
