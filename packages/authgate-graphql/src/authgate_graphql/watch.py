"""Closing a WebSocket whose caller is admitted no longer, where no other adapter does (Law 5.13)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

from authgate_core.gate.watching import Closing, Grant, Watch

__all__ = ["Watcher"]

_PERIOD: Final = 1.0  # seconds; with the time that a look takes, a revocation shows within two
_BUG: Final = Closing(1011, "")


class Watcher:
    """Holds a WebSocket against every guard that let its operations in, until it ends.

    Args:
        socket: The WebSocket, as Starlette has it.
    """

    def __init__(self, socket: Any) -> None:  # noqa: ANN401 - of a framework that need not be installed
        self._socket: Final = socket
        self._grants: list[Grant] = []
        self._task: asyncio.Task[None] | None = None

    def add(self, grant: Grant) -> None:
        """Watch for one more guard; from the first that lasts the socket is looked at once a second."""
        if grant not in self._grants:
            self._grants.append(grant)
        if grant.lasts and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        watch = Watch(lambda: self._grants)
        try:
            while self._is_open():
                await asyncio.sleep(_PERIOD)
                closing = await watch.look()
                if closing is not None:
                    await self._close(closing)
                    return
        except Exception:
            await self._close(_BUG)
            raise

    def _is_open(self) -> bool:
        states = (self._socket.client_state, self._socket.application_state)
        return all(state.name != "DISCONNECTED" for state in states)

    async def _close(self, closing: Closing) -> None:
        # Servers and Starlette raise one or the other where it was closed in the same moment.
        with suppress(OSError, RuntimeError):
            await self._socket.close(code=closing.code, reason=closing.reason)
