"""The body of a request, read before its handler reads it, for a gate that has to see it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from starlette.types import Message, Receive

__all__ = ["Body", "no_body"]


class Body:
    """Stands between server and application, and gives the application every message that it would have had.

    Args:
        receive: The server's.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._parts: Final[list[bytes]] = []
        self._ahead: Final[deque[Message]] = deque()
        self._is_whole = False
        self._turn: Final = asyncio.Lock()

    async def receive(self) -> Message:
        """The next message that the application has not had."""
        async with self._turn:
            return self._ahead.popleft() if self._ahead else await self._next()

    async def read(self) -> bytes:
        """The whole body, whoever has read some of it; what is here of it, where the client left meanwhile."""
        if not self._is_whole:  # who waits for the client to leave has the turn meanwhile
            async with self._turn:
                while not self._is_whole:
                    self._ahead.append(await self._next())
        return b"".join(self._parts)

    async def _next(self) -> Message:
        message = await self._receive()
        self._is_whole = self._is_whole or not message.get("more_body", False)
        if message["type"] == "http.request":
            self._parts.append(message.get("body", b""))
        return message


async def no_body() -> bytes:
    """The body of a WebSocket's handshake, which has none."""
    return b""
