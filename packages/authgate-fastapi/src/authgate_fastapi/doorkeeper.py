"""Deny by default: what a router is about to run and nothing else guards is judged first (Law 8.8)."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Final

from starlette.requests import HTTPConnection
from starlette.routing import Router
from starlette.types import Message, Receive, Scope, Send

from .blanket import Blanket
from .carrier import default_of
from .selection import guards_of, has_fallback, router_behind, selected
from .visit import visit_of

__all__ = ["Doorkeeper", "keep"]

_NOTHING_RUN: Final = frozenset({307, 404, 405})


def keep(router: Router) -> None:
    """Put a doorkeeper before a router, once; without a default in the scope it lets everything pass."""
    if not isinstance(router.middleware_stack, Doorkeeper):
        router.middleware_stack = Doorkeeper(router)


class Doorkeeper:
    """Judges by the default of the application what its router is about to run.

    It stands between the last middleware and the router, so that both see the same path. A route with a guard
    of its own is left to that, and what is mounted to the doorkeeper of the mounted router, which it posts
    there. Where a mount hides its routes, behind middleware or in files, everything under it is judged here.

    Args:
        router: The router.
    """

    def __init__(self, router: Router) -> None:
        self._router = router
        self._run = router.middleware_stack

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        """Judge, then let the router run."""
        default = default_of(scope)
        if default is None:
            return self._run(scope, receive, send)
        return self._judge(scope, receive, send, default)

    async def _judge(self, scope: Scope, receive: Receive, send: Send, default: Blanket) -> None:
        send = await self._judged(scope, send, default)
        await self._run(scope, receive, send)

    async def _judged(self, scope: Scope, send: Send, default: Blanket) -> Send:
        found = selected(self._router.routes, scope)
        if found is None:
            if not has_fallback(self._router):
                return _Unforeseen(scope, send, default)
            scope["endpoint"] = self._router.default
            await default(HTTPConnection(scope))
            return send
        inner = router_behind(found.route)
        if inner is not None:
            keep(inner)
        elif not any(guards_of(found.route)):
            found.enter(scope)
            await default(HTTPConnection(scope))
        return send


class _Unforeseen:
    """Judges answers where no route was found: what FastAPI runs after all routes, as ``app.frontend`` files.

    Args:
        scope: The connection.
        send: Where answers go.
        default: The guard.
    """

    def __init__(self, scope: Scope, send: Send, default: Blanket) -> None:
        self._scope = scope
        self._send = send
        self._default = default
        self._visit = visit_of(HTTPConnection(scope))
        self._before = self._visit.passed  # middleware is no guard of a route

    async def __call__(self, message: Message) -> None:
        accepted = message["type"] == "websocket.accept"
        answered = message["type"] == "http.response.start" and message["status"] not in _NOTHING_RUN
        if (accepted or answered) and self._visit.passed == self._before:
            await self._default(HTTPConnection(self._scope))
        await self._send(message)
