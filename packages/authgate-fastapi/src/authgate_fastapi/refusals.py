"""How a refusal leaves: as a problem response, or as the close of a WebSocket."""

from __future__ import annotations

from typing import Final, cast

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ExceptionHandler
from starlette.websockets import WebSocket, WebSocketState

from authgate_core import AsyncGate, AuthgateError
from authgate_core.challenge import Problem

from .locate import gate_of

__all__ = ["REFUSE", "answer_refusals"]

_HANDLERS: Final = "starlette.exception_handlers"
_JUDGE: Final = "authgate.judge"


def answer_refusals(connection: HTTPConnection, gate: AsyncGate) -> None:
    """See to it that what this gate refuses is answered in its words.

    The app that runs the route need not be the one that has the gate: it may be mounted there, or use a
    shortcut. A handler of its own for ``AuthgateError`` stands.
    """
    connection.scope[_JUDGE] = gate
    by_class, _ = connection.scope.get(_HANDLERS, ({}, {}))
    by_class.setdefault(AuthgateError, REFUSE)


async def _refuse(connection: HTTPConnection, error: Exception) -> Response | None:
    judge = connection.scope.get(_JUDGE)
    gate = judge if isinstance(judge, AsyncGate) else await gate_of(connection)
    problem = gate.problem(cast("AuthgateError", error))  # it is registered for nothing else
    if isinstance(connection, WebSocket):
        await _refuse_websocket(connection, problem)
        return None
    return _response(problem)


# Starlette's types keep handlers for the two protocols apart, which it runs alike.
REFUSE: Final = cast("ExceptionHandler", _refuse)
"""The exception handler for ``AuthgateError``, for HTTP and WebSockets alike (Laws 1.1, 1.9)."""


async def _refuse_websocket(websocket: WebSocket, problem: Problem) -> None:
    if websocket.application_state is WebSocketState.CONNECTING:
        if "websocket.http.response" in websocket.scope.get("extensions", {}):
            await websocket.send_denial_response(_response(problem))
            return
        # A browser that asked for subprotocols hides the code of a socket that was accepted without one.
        await websocket.accept(next(iter(websocket.scope.get("subprotocols", ())), None))
    if WebSocketState.DISCONNECTED not in {websocket.application_state, websocket.client_state}:
        await websocket.close(code=problem.websocket_code, reason=str(problem.body["code"]))


def _response(problem: Problem) -> Response:
    response = Response(problem.json(), status_code=problem.status)
    for name, value in problem.headers:
        response.headers.append(name, value)
    return response
