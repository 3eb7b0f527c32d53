"""What an async store keeps for one event loop (Law 9.5)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

from ...errors import RevocationUnavailable
from .fuse import Fuse
from .protocol import TOTAL
from .wire_aio import AsyncWire

__all__ = ["OnLoop"]


class OnLoop:
    """Connections, breaker and probe of the running loop, closed at the latest when it shuts down.

    Args:
        wire: The connections.
        fuse: The breaker.
    """

    def __init__(self, wire: AsyncWire, fuse: Fuse) -> None:
        self.loop = asyncio.get_running_loop()
        self.wire = wire
        self.fuse = fuse
        self._slots = asyncio.Semaphore(wire.at_once)
        self._closing = self._until_shutdown()
        self._prober: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Have the loop close the connections when it shuts down its generators, as ``asyncio.run`` does."""
        await anext(self._closing)

    async def aclose(self) -> None:
        """Close the connections and end the probing."""
        if self._prober is not None:
            self._prober.cancel()
        await self._closing.aclose()

    async def enter(self) -> None:
        """Take one of the places for queries under way, waiting for it if it must be.

        Raises:
            RevocationUnavailable: If none becomes free in time; that is the load's doing, not the store's.
        """
        if not self._slots.locked():
            await self._slots.acquire()
            return
        try:
            async with asyncio.timeout(TOTAL):
                await self._slots.acquire()
        except TimeoutError:
            raise RevocationUnavailable("too many checks at once") from None

    def leave(self) -> None:
        """Give the place back."""
        self._slots.release()

    def start_prober(self, probe: Callable[[], Awaitable[bool]]) -> None:
        """Probe until the store answers, in a task of no request: one for each opening (Law 5.5)."""
        self._prober = self.loop.create_task(self._probe(probe), name="authgate-redis-probe")

    async def _probe(self, probe: Callable[[], Awaitable[bool]]) -> None:
        while self.fuse.is_open:
            await asyncio.sleep(self.fuse.rest())
            if self.fuse.start_probe():
                self.fuse.end_probe(succeeded=await probe())

    async def _until_shutdown(self) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            await self.wire.aclose()
