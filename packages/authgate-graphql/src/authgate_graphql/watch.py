"""Closing a WebSocket whose caller is admitted no longer, where no other adapter does (Law 5.13)."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from authgate_core import ConfigurationError
from authgate_core.gate.watching import BUG, Closed, Closing, Watch

__all__ = ["PERIOD", "Watcher"]

PERIOD: Final = 0.75
"""Seconds between two looks; a copy of the store may lag by one (Law 5.11), and a look takes time as well."""


class Watcher:
    """Holds a WebSocket against every guard that let its operations in, until it ends.

    It stands between the socket and its server, as middleware would that had been there from the beginning: there
    whoever sends meanwhile learns of the end as of a client's, and not as of a bug.

    Args:
        socket: The WebSocket, as Starlette has it.
        watch: Asks the guards again.

    Raises:
        ConfigurationError: If it is something else, which nobody could close.
    """

    def __init__(self, socket: Any, watch: Watch) -> None:  # noqa: ANN401 - of a framework that need not be installed
        forward: Callable[[Any], Awaitable[None]] | None = getattr(socket, "_send", None)
        if forward is None:
            raise ConfigurationError(
                f"the context of this subscription has a {type(socket).__name__} for its request, which cannot be "
                "closed when its caller is admitted no longer: give it the WebSocket that the view was called with"
            )
        self._socket: Final = socket
        self._watch: Final = watch
        self._forward: Final = forward
        self._begun = False
        self._closing: Closing | None = None
        self._asking: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Look at it every `PERIOD` from now on."""
        if not self._begun:
            self._begun = True
            self._socket._send = self._send  # noqa: SLF001 - Starlette has no other place for it
            self._wait()

    async def _send(self, message: Any) -> None:  # noqa: ANN401 - a message of ASGI
        """Send a message of the application.

        Raises:
            Closed: If the gate has closed the socket.
        """
        # To a fast client a subscription may send for ever and never wait, nor let others run.
        await asyncio.sleep(0)
        if self._closing is not None:
            raise Closed(self._closing)
        await self._forward(message)

    def _wait(self) -> None:
        # A socket whose application failed ends without a word: nothing but this would keep it.
        asyncio.get_running_loop().call_later(PERIOD, _call, weakref.WeakMethod(self.look))

    def look(self) -> None:
        """Look at it now, if it is open."""
        if self._is_open():
            self._asking = asyncio.get_running_loop().create_task(self._ask())

    async def _ask(self) -> None:
        try:
            closing = await self._watch.look()
        except Exception as bug:  # noqa: BLE001 - it is handed on, where the loop's handler of exceptions has it
            closing = BUG
            asyncio.get_running_loop().call_exception_handler(
                {"message": "the guards of a WebSocket could not be asked again", "exception": bug}
            )
        if closing is None:
            self._wait()
        else:
            await self._close(closing)

    def _is_open(self) -> bool:
        states = (self._socket.client_state, self._socket.application_state)
        return all(state.name != "DISCONNECTED" for state in states)

    async def _close(self, closing: Closing) -> None:
        self._closing = closing
        # Servers raise one or the other where it was closed in the same moment.
        with suppress(OSError, RuntimeError):
            await self._forward({"type": "websocket.close", "code": closing.code, "reason": closing.reason})


def _call(method: weakref.WeakMethod[Callable[[], None]]) -> None:
    held = method()
    if held is not None:
        held()
