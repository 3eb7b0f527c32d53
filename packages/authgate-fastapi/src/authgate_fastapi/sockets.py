"""A WebSocket between server and application, which closes when its caller is admitted no longer (Law 5.13)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from authgate_core.gate.watching import BUG, Closed, Closing, Watch

from .subprotocols import answered
from .visit import Visit

__all__ = ["Socket"]

_PERIOD: Final = 0.75  # seconds; a copy of the store may lag by one (Law 5.11), and a look takes time as well


class Socket:
    """One WebSocket. What a handler sees of its end is what it sees when a client leaves.

    Args:
        visit: Whom to ask who was admitted.
        scope: The connection.
        receive: The server's.
        send: The server's.
    """

    def __init__(self, visit: Visit, scope: Scope, receive: Receive, send: Send) -> None:
        self._visit = visit
        self._scope = scope
        self._receive = receive
        self._send = send
        self._is_open = False
        self._closing: Closing | None = None
        self._closed: Final[asyncio.Future[None]] = asyncio.get_running_loop().create_future()
        self._incoming: asyncio.Future[Message] | None = None
        self._admitted_at: float | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def run(self, app: ASGIApp) -> None:
        """Run an application on it, and leave no task behind.

        Raises:
            Exception: Whatever the application raises; else a bug of what the gate asked (Law 1.3).
        """
        self._visit.on_grant = self._admitted
        try:
            await app(self._scope, self.receive, self.send)
        finally:
            bug = await self._end()
        if bug is not None:
            raise bug

    async def receive(self) -> Message:
        """The client's next message, or its end."""
        if self._watcher is None:
            return await self._receive()
        if self._incoming is None:
            self._incoming = asyncio.ensure_future(self._receive())
        incoming = self._incoming
        either: set[asyncio.Future[Any]] = {incoming, self._closed}  # Any: each has a result of its own
        # It outlives a caller that is cancelled, who may ask again: so no message is lost.
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if self._closing is not None:
            return {
                "type": "websocket.disconnect",
                "code": self._closing.code,
                "reason": self._closing.reason,
            }
        self._incoming = None
        message = incoming.result()
        if message["type"] == "websocket.disconnect":
            self._stop()
        return message

    async def send(self, message: Message) -> None:
        """Send a message of the application.

        Raises:
            Closed: If the gate has closed the socket: an OSError, as where the client has.
        """
        if self._watcher is not None:
            # To a fast client a handler may send for ever and never wait, nor let others run.
            await asyncio.sleep(0)
        if self._closing is not None:
            raise Closed(self._closing)
        if message["type"] == "websocket.accept":
            await self._send(answered(message, self._scope, self._visit.subprotocols))
            self._is_open = True
            self._watch()
            return
        if message["type"] != "websocket.send":
            self._stop()
        await self._send(message)

    def _admitted(self) -> None:
        if self._admitted_at is None and any(grant.lasts for grant in self._visit.grants):
            self._admitted_at = asyncio.get_running_loop().time()
            self._watch()

    def _watch(self) -> None:
        """Begin to look, once the socket is open and somebody was admitted."""
        if self._is_open and self._admitted_at is not None and self._watcher is None:
            self._watcher = asyncio.create_task(self._look(self._admitted_at + _PERIOD))

    async def _look(self, first: float) -> None:
        watch = Watch(lambda: self._visit.grants)
        delay = first - asyncio.get_running_loop().time()
        closing: Closing | None = None
        try:
            while closing is None:
                await asyncio.sleep(delay)
                closing = await watch.look()
                delay = _PERIOD
        except Exception:
            await self._close(BUG)
            raise
        await self._close(closing)

    async def _close(self, closing: Closing) -> None:
        self._closing = closing
        self._closed.set_result(None)
        # Servers raise one or the other where the client closed in the same moment.
        with suppress(OSError, RuntimeError):
            await self._send({"type": "websocket.close", "code": closing.code, "reason": closing.reason})

    def _stop(self) -> None:
        self._is_open = False
        if self._watcher is not None:
            self._watcher.cancel()

    async def _end(self) -> BaseException | None:
        """End what runs beside the application; what went wrong there."""
        if self._closing is None:
            self._stop()
        if self._incoming is not None:
            self._incoming.cancel()
        tasks: list[asyncio.Future[Any]] = [
            task for task in (self._watcher, self._incoming) if task is not None
        ]
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._watcher is None or self._watcher.cancelled():
            return None
        return self._watcher.exception()
