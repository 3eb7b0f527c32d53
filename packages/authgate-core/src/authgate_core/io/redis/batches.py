"""Queries of one event loop, merged where they would have to wait for one another."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple, TypeAlias

from .protocol import Query

__all__ = ["Batcher", "Carry"]

_LARGEST: Final = 256

Carry: TypeAlias = Callable[[Query, float], Awaitable[Sequence[object]]]


class _Waiting(NamedTuple):
    query: Query
    until: float
    replies: asyncio.Future[Sequence[object]]


class Batcher:
    """Lets a few exchanges be under way; whoever comes meanwhile shares the next one, in one write.

    So a burst needs a few connections and a few round trips. Who is alone is carried without a detour, and if
    cancelled the exchange is cancelled with it; a shared one goes on for the others.

    Args:
        carry: Sends a query and brings its replies, before the moment given in the loop's time.
        at_once: How many exchanges may be under way.
    """

    def __init__(self, carry: Carry, at_once: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._carry = carry
        self._free = at_once
        self._waiting: deque[_Waiting] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, query: Query, until: float) -> Sequence[object]:
        """The replies to a query; raises what ``carry`` raises."""
        if not self._free:
            waiting = _Waiting(query, until, self._loop.create_future())
            self._waiting.append(waiting)
            return await waiting.replies
        self._free -= 1
        try:
            return await self._carry(query, until)
        finally:
            self._free += 1
            self._start_next()

    def _start_next(self) -> None:
        batch: list[_Waiting] = []
        while self._waiting and len(batch) < _LARGEST:
            waiting = self._waiting.popleft()
            if not waiting.replies.done():
                batch.append(waiting)
        if batch:
            self._free -= 1
            task = self._loop.create_task(self._carry_all(batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry_all(self, batch: Sequence[_Waiting]) -> None:
        try:
            query = tuple(command for waiting in batch for command in waiting.query)
            replies = await self._carry(query, min(waiting.until for waiting in batch))
        except BaseException as error:
            for waiting in batch:
                _fail(waiting.replies, error)
            if not isinstance(error, Exception):
                raise
        else:
            start = 0
            for waiting in batch:
                end = start + len(waiting.query)
                if not waiting.replies.done():
                    waiting.replies.set_result(replies[start:end])
                start = end
        finally:
            self._free += 1
            self._start_next()


def _fail(replies: asyncio.Future[Sequence[object]], error: BaseException) -> None:
    if replies.done():
        return
    if isinstance(error, Exception):
        replies.set_exception(error)
        # Seen: whoever waited may be cancelled before it is resumed, and then nobody else would look.
        replies.exception()
    else:
        replies.cancel()
