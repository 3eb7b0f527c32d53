"""What an async store keeps for one event loop (Law 9.5)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from ...errors import RevocationUnavailable
from .batches import Batcher
from .fuse import Fuse
from .lag import LagMeter
from .protocol import FAILURES, INFO, Limits, Query, unanswered
from .wire_aio import AsyncWire

__all__ = ["LoopLagged", "OnLoop"]


class LoopLagged(RevocationUnavailable):
    """There was no answer in time, but the loop itself was late, which says nothing about the store."""


class OnLoop:
    """Connections, breaker and probe of the running loop, closed at the latest when it shuts down.

    Args:
        wire: The connections.
        fuse: The breaker.
        limits: How long the server may take.
    """

    def __init__(self, wire: AsyncWire, fuse: Fuse, limits: Limits) -> None:
        self.loop = asyncio.get_running_loop()
        self.wire = wire
        self.fuse = fuse
        self._limits = limits
        self._lag = LagMeter(self.loop)
        self._batcher = Batcher(wire.exchange, wire.at_once)
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

    async def exchange(self, query: Query, until: float) -> Sequence[object]:
        """Send a query and read its replies, before a moment in the loop's time.

        Raises:
            LoopLagged: If there is no reply and the loop was late twice.
            RedisError, OSError, UnicodeError: If there is no complete reply of a master.
        """
        with self._lag as lag:
            started = self.loop.time()
            try:
                return await self._ask(query, until)
            except FAILURES:
                if not lag.was_late_since(started):
                    raise
            # Law 5.5: what was measured while the loop was late, on the way or in a queue before, does not count.
            again = self.loop.time()
            try:
                return await self._ask(query, again + self._limits.total)
            except FAILURES as error:
                if lag.was_late_since(again):
                    raise LoopLagged(unanswered(error)) from error
                raise

    async def _ask(self, query: Query, until: float) -> Sequence[object]:
        ask = self.wire.exchange if query == (INFO,) else self._batcher.ask
        return await ask(query, until)

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
