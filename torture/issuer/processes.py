"""What a process does meanwhile: it forks, a waiter gives up, a second event loop asks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Final

from ..rows import Row
from .houses import Answer, House
from .peer import NO_ANSWER
from .place import Place
from .story import Story, row

__all__ = ["ROWS"]

STALE: Final = 301
KEY_WAIT: Final = 2.0
CHILD_PATIENCE: Final = 8.0
"""Seconds for which a child is waited for; the issuer answers it after one."""

TASKS: Final = 200


def forks(place: Place) -> Story:
    """In the middle of two fetches: one of a set that is due for a refresh, one of a cold set."""
    story, warm, cold = Story(place), place.warm(), place.house()
    place.issuer.slow(1.0)
    place.clock.advance(STALE)
    for house in (warm, cold):
        threading.Thread(target=house.ask, args=(place.token(),), daemon=True).start()
    _until(lambda: place.requests >= 2)
    answers = _in_child(warm, [place.token() for _ in range(5)])
    story.innocent("known keys in the child", answers)
    story.innocent("cold set in the child", _in_child(cold, [place.token()]), bound=KEY_WAIT)
    story.innocent("in the parent", [cold.ask(place.token()), warm.ask(place.token())], bound=KEY_WAIT)
    story.asked(4, at_least=3)
    return story


def cancelled(place: Place) -> Story:
    """Half of those who wait for a cold set give up; then all of those who wait for another."""
    story, house, lonely = Story(place), place.house(), place.house()
    place.issuer.slow(0.5)

    async def some() -> list[Answer]:
        tasks = [asyncio.create_task(house.asked(place.token())) for _ in range(10)]
        await asyncio.to_thread(_until, lambda: place.requests >= 1)
        await _cancel(tasks[:5])
        return list(await asyncio.gather(*tasks[5:]))

    async def alone() -> None:
        task = asyncio.create_task(lonely.asked(place.token()))
        await asyncio.to_thread(_until, lambda: place.requests >= 2)
        await _cancel([task])

    story.innocent("the others", house.run(some()), bound=KEY_WAIT)
    story.asked(1, at_least=1)
    lonely.run(alone())
    lonely.settle()
    story.innocent("after the only one", [lonely.ask(place.token())])
    story.asked(2, at_least=2)
    return story


def two_loops(place: Place) -> Story:
    """Each with two hundred tasks, on a cold set; one loop is closed, and the other goes on."""
    story, house = Story(place), place.house()
    place.issuer.slow(0.3)

    async def many() -> list[Answer]:
        return list(await asyncio.gather(*(house.asked(place.token()) for _ in range(TASKS))))

    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(lambda _: asyncio.run(many()), range(2)))
    story.innocent("both", [answer for answers in told for answer in answers], bound=KEY_WAIT)
    story.asked(1, at_least=1)
    story.innocent("a third", asyncio.run(many()), bound=KEY_WAIT)
    story.asked(1, at_least=1)
    return story


def _in_child(house: House, tokens: Sequence[str]) -> list[Answer]:
    """What a forked child is answered; of one that hangs, that it has no answer."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        _child(house, tokens, writing)
    os.close(writing)
    try:
        if not select.select([reading], [], [], CHILD_PATIENCE)[0]:
            return [Answer(NO_ANSWER, CHILD_PATIENCE)]
        with os.fdopen(os.dup(reading)) as told:
            return [Answer(**one) for one in json.load(told)]
    finally:
        os.close(reading)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _child(house: House, tokens: Sequence[str], writing: int) -> None:
    """The whole life of the child."""
    try:
        reborn = house.reborn()
        told = json.dumps([asdict(reborn.ask(token)) for token in tokens])
        os.write(writing, told.encode())
    finally:
        os._exit(0)


async def _cancel(tasks: Sequence[asyncio.Task[Answer]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _until(reached: Callable[[], bool]) -> None:
    while not reached():
        time.sleep(0.005)


ROWS: Final[tuple[Row, ...]] = (
    row(
        "fork() in a fetch",
        "4.11",
        "known keys answer in the child at once; a cold set is fetched there anew; the parent goes on",
        forks,
        waits=True,
    ),
    row(
        "a cancelled waiter",
        "4.1",
        "the others get what was fetched, with one fetch; whoever comes later as well",
        cancelled,
        colours=("async",),
        waits=True,
    ),
    row(
        "two event loops",
        "4.1, 4.11",
        f"one fetch for two loops of {TASKS} tasks; a third needs none",
        two_loops,
        colours=("async",),
    ),
)
