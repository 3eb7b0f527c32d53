"""A TCP proxy before a server: it counts what is asked, and delays, swallows, forgets or redirects it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, Self, TypeVar

__all__ = ["Proxy"]

_CHUNK: Final = 1 << 16
_SETTLED: Final = 0.005
"""Seconds until it is counted who waits: that one connection ended may be read after what the next one asks."""

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Pair:
    """A connection of a client, and the one to the server that belongs to it.

    Args:
        ours: The client's end.
        theirs: The server's end.
        forgotten: Whether both ends lead nowhere, and neither has been told.
        unanswered: Whether something was asked and nothing has come back.
    """

    ours: asyncio.StreamWriter
    theirs: asyncio.StreamWriter
    forgotten: bool = False
    unanswered: bool = False
    work: set[asyncio.Task[None]] = field(default_factory=set)

    def close(self) -> None:
        """Close both ends."""
        self.ours.close()
        self.theirs.close()


class Proxy:
    """Passes on what is asked over 127.0.0.1 and what is answered, in a thread of its own.

    Args:
        port: The port of the server.

    Attributes:
        delay: Seconds that every answer is held back.
        silent: Whether it accepts connections and passes nothing on.
        asked: How many writes of clients arrived, of which a query of authgate is one, or connections while the server
            takes none.
        at_once: How many connections waited for an answer at the same time, at most; who has given up waits no more.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._pairs: set[_Pair] = set()
        self.delay = 0.0
        self.silent = False
        self.asked = 0
        self.at_once = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="torture-proxy", daemon=True)
        self._thread.start()
        self._listener = self._do(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port: int = self._listener.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://127.0.0.1:{self.port}"

    def count_anew(self) -> None:
        """Count from zero again, as if nobody waited."""
        self.asked = self.at_once = 0

    def forget(self) -> None:
        """Lose every connection that there is without telling anyone, as a firewall does that was restarted."""
        self._do(self._forget())

    def cut(self) -> None:
        """Close every connection that there is."""
        self._do(self._cut())

    def lead_to(self, port: int) -> None:
        """Let new connections lead to another server, as an address that was moved does."""
        self._port = port

    def close(self) -> None:
        """End it."""
        self._do(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _forget(self) -> None:
        for pair in self._pairs:
            pair.forgotten = True

    async def _cut(self) -> None:
        for pair in tuple(self._pairs):
            pair.close()

    async def _shut(self) -> None:
        self._listener.close()
        tasks = [task for pair in self._pairs for task in pair.work]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._listener.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            answers, server = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            self.asked += 1
            self.at_once = max(self.at_once, 1)
            writer.close()
            return
        pair = _Pair(writer, server)
        self._pairs.add(pair)
        pair.work = {
            self._loop.create_task(self._pass_on(pair, reader)),
            self._loop.create_task(self._pass_back(pair, answers)),
        }
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait(pair.work, return_when=asyncio.FIRST_COMPLETED)
        for task in pair.work:
            task.cancel()
        pair.close()
        self._pairs.discard(pair)

    async def _pass_on(self, pair: _Pair, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(_CHUNK):
                self.asked += 1
                pair.unanswered = True
                self._loop.call_later(_SETTLED, self._count)
                if not self.silent and not pair.forgotten:
                    pair.theirs.write(chunk)

    def _count(self) -> None:
        self.at_once = max(self.at_once, sum(pair.unanswered for pair in self._pairs))

    async def _pass_back(self, pair: _Pair, answers: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while chunk := await answers.read(_CHUNK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                if not self.silent and not pair.forgotten:
                    pair.unanswered = False
                    pair.ours.write(chunk)
