"""How a refusal leaves: as a problem response, or as the close of a WebSocket."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final, cast

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ExceptionHandler, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from authgate_core import AsyncGate, AuthgateError
from authgate_core.challenge import OnRefusal, Problem, dressed

from .locate import gate_of
from .visit import view_of

__all__ = [
    "REFUSE",
    "answer",
    "answer_refusals",
    "answer_unless_told",
    "answer_with",
    "is_answered_with",
    "problem_of",
]

_HANDLERS: Final = "starlette.exception_handlers"
_JUDGE: Final = "authgate.judge"
_WORDS: Final = "authgate.on_refusal"


def answer_with(scope: Scope, on_refusal: OnRefusal | None) -> None:
    """Have refusals of this connection answered in the words of the app (Law 1.10)."""
    scope[_WORDS] = on_refusal


def answer_unless_told(scope: Scope, on_refusal: OnRefusal) -> None:
    """The same, where the app has no words of its own."""
    if scope.get(_WORDS) is None:
        scope[_WORDS] = on_refusal


def is_answered_with(scope: Scope, on_refusal: OnRefusal) -> bool:
    """Whether these are the words in which refusals of this connection are answered."""
    return scope.get(_WORDS) is on_refusal


def answer_refusals(connection: HTTPConnection, gate: AsyncGate) -> None:
    """See to it that what this gate refuses is answered in its words.

    The app that runs the route need not be the one that has the gate: it may be mounted there, or use a
    shortcut. A handler of its own for ``AuthgateError`` stands.
    """
    connection.scope[_JUDGE] = gate
    handlers = connection.scope.get(_HANDLERS)
    if handlers is not None:
        handlers[0].setdefault(AuthgateError, REFUSE)


async def problem_of(connection: HTTPConnection, refusal: AuthgateError) -> Problem:
    """What a refusal says, by the gate that refused."""
    judge = connection.scope.get(_JUDGE)
    gate = judge if isinstance(judge, AsyncGate) else await gate_of(connection)
    return gate.problem(refusal, view_of(connection))


async def _refuse(connection: HTTPConnection, error: Exception) -> Response | None:
    refusal = cast("AuthgateError", error)  # it is registered for nothing else
    problem = await problem_of(connection, refusal)
    response = _response(dressed(refusal, problem, connection.scope.get(_WORDS)))
    if not isinstance(connection, WebSocket):
        return response
    await _refuse_websocket(connection, problem, response)
    return None


# Starlette's types keep handlers for the two protocols apart, which it runs alike.
REFUSE: Final = cast("ExceptionHandler", _refuse)
"""The exception handler for ``AuthgateError``, for HTTP and WebSockets alike (Laws 1.1, 1.9)."""


async def answer(refusal: AuthgateError, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a refusal as the app of a scope would, from middleware, which its exception handlers do not cover."""

    async def refused(*_: object) -> None:
        raise refusal

    own: dict[Any, ExceptionHandler] = getattr(scope.get("app"), "exception_handlers", {})
    await ExceptionMiddleware(refused, {AuthgateError: REFUSE, **own})(scope, receive, send)


async def _refuse_websocket(websocket: WebSocket, problem: Problem, response: Response) -> None:
    if websocket.application_state is WebSocketState.CONNECTING:
        if "websocket.http.response" in websocket.scope.get("extensions", {}):
            await websocket.send_denial_response(response)
            return
        # A browser that asked for subprotocols hides the code of a socket that was accepted without one.
        await websocket.accept(next(iter(websocket.scope.get("subprotocols", ())), None))
    if WebSocketState.DISCONNECTED not in {websocket.application_state, websocket.client_state}:
        with suppress(WebSocketDisconnect):  # it ended before anybody looked
            await websocket.close(code=problem.websocket_code, reason=str(problem.body["code"]))


def _response(problem: Problem) -> Response:
    response = Response(problem.json(), status_code=problem.status)
    for name, value in problem.headers:
        response.headers.append(name, value)
    return response
