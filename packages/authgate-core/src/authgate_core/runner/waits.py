"""Waiting for refreshes in both colours: for whatever is to be awaited next, until nothing is left."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from concurrent.futures import FIRST_COMPLETED, Future
from concurrent.futures import wait as wait_for
from typing import TypeAlias

__all__ = ["Outcome", "Waits", "wait_through", "wait_through_async"]

Outcome: TypeAlias = Future[BaseException | None]
"""Resolved when a refresh is over and its result in place; with an exception where a bug ended it."""

Waits: TypeAlias = Generator[tuple[tuple[Outcome, ...], float], None, Outcome | None]
"""Yields outcomes, of which one is to be waited for, and for how many seconds; returns the one that was meant."""


def wait_through(waits: Waits) -> Outcome | None:
    """Wait on this thread."""
    try:
        while True:
            outcomes, rest = next(waits)
            wait_for(outcomes, rest, FIRST_COMPLETED)
    except StopIteration as end:
        meant: Outcome | None = end.value
        return meant
    finally:
        waits.close()


async def wait_through_async(waits: Waits) -> Outcome | None:
    """Wait on the running loop; what is waited for goes on when this is cancelled."""
    try:
        while True:
            outcomes, rest = next(waits)
            # asyncio.wait cancels nothing, neither at its time-out nor when it is cancelled itself
            futures = [asyncio.wrap_future(outcome) for outcome in outcomes]
            await asyncio.wait(futures, timeout=rest, return_when=asyncio.FIRST_COMPLETED)
    except StopIteration as end:
        meant: Outcome | None = end.value
        return meant
    finally:
        waits.close()
