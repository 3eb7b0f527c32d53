"""``Line`` for event loops: connections, breaker and probe are each loop's own (Law 9.5)."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Sequence
from functools import partial

from ...errors import ConfigurationError, RevocationUnavailable
from ..forks import survive_fork
from .line import PING, LineTerms
from .on_loop import OnLoop
from .protocol import FAILURES, Query, unanswered
from .wire_aio import FOREIGN_LOOP, async_wires_to

__all__ = ["AsyncLine"]


class AsyncLine:
    """Asks a Redis server from whatever loop runs.

    Args:
        client_or_url: A URL, or a redis-py client for asyncio, of which nothing is wrong.
        terms: What else it needs.
    """

    def __init__(self, client_or_url: object, terms: LineTerms) -> None:
        self._is_shared = not isinstance(client_or_url, str)
        self._terms = terms
        self._new_wire = async_wires_to(client_or_url, terms.limits)
        self._lock = threading.Lock()
        self._loops: dict[asyncio.AbstractEventLoop, OnLoop] = {}
        self._inherited: object = None
        self._owner: weakref.ref[asyncio.AbstractEventLoop] | None = None
        survive_fork(self)

    async def ask(self, query: Query) -> Sequence[object]:
        """The replies to a query, error replies among them.

        Raises:
            RevocationUnavailable: If there are none, or the breaker is open.
            ConfigurationError: If the client that was handed in belongs to another event loop (Law 9.4).
        """
        here = await self._here()
        here.fuse.check()
        try:
            replies = await here.exchange(query, here.loop.time() + self._terms.limits.total)
        except FAILURES as error:
            reason = unanswered(error)
            if here.fuse.failed(reason):
                here.start_prober(partial(self._answers, here))
            raise RevocationUnavailable(reason) from error
        here.fuse.succeeded()
        return replies

    async def _answers(self, here: OnLoop) -> bool:
        try:
            await here.exchange(PING, here.loop.time() + self._terms.limits.total)
        except (*FAILURES, RevocationUnavailable):
            return False
        return True

    async def aclose(self) -> None:
        """Close what was built from a URL for the running loop; others close theirs when they shut down."""
        with self._lock:
            here = self._loops.pop(asyncio.get_running_loop(), None)
        if here is not None:
            await here.aclose()

    def after_fork(self) -> None:
        """Begin anew in a forked child (Law 9.5)."""
        # Kept and never touched: letting go of a transport would close it, and it is the parent's.
        self._inherited = (self._inherited, self._loops)
        self._loops = {}
        self._lock = threading.Lock()

    async def _here(self) -> OnLoop:
        loop = asyncio.get_running_loop()
        here = self._loops.get(loop)
        if here is None:
            here = self._settle(loop)
            await here.open()
        return here

    def _settle(self, loop: asyncio.AbstractEventLoop) -> OnLoop:
        with self._lock:
            if self._is_shared:
                if self._owner is not None and self._owner() is not loop:
                    raise ConfigurationError(FOREIGN_LOOP)
                self._owner = weakref.ref(loop)
            for gone in [other for other in self._loops if other.is_closed()]:
                del self._loops[gone]
            here = self._loops[loop] = OnLoop(self._new_wire(), self._terms.fuse(), self._terms.limits)
            return here
