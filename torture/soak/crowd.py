"""Those who ask, as fast as they can, and look at each answer."""

from __future__ import annotations

import asyncio
import random
import threading
import time
import traceback
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from authgate_core.errors import AuthgateError, AuthUnavailable

from ..redis.judging import LEASE
from .house import House
from .specimens import Answer, Specimen, mistake
from .stock import Stock

__all__ = ["Crowd", "Tally"]

THREADS: Final = 4
TASKS: Final = 16
_MOST_MISTAKES: Final = 20


@dataclass(slots=True)
class Tally:
    """What came of all questions.

    Args:
        outcomes: How often each outcome came.
        mistakes: What was wrong, in words; the first of them.
        wrong: How many answers were wrong.
        worst: The longest that a question took, in seconds.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    mistakes: list[str] = field(default_factory=list)
    wrong: int = 0
    worst: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, answer: Answer, wrong: str | None) -> None:
        """Count an answer."""
        with self.lock:
            self.outcomes[answer.outcome] += 1
            self.worst = max(self.worst, answer.ended - answer.started)
            if wrong is not None:
                self.wrong += 1
                if self.wrong <= _MOST_MISTAKES:
                    self.mistakes.append(wrong)


class Crowd:
    """Threads that ask the ``Gate`` and tasks that ask the ``AsyncGate``, until told to stop.

    Args:
        house: The gates.
        stock: The tokens.
        seed: What their choices follow from.
    """

    def __init__(self, house: House, stock: Stock, seed: int) -> None:
        self._house = house
        self.stock = stock
        self._seed = seed
        self.tally = Tally()
        self._over = threading.Event()
        self._go = threading.Event()
        self._go_async = asyncio.Event()
        self._parked = threading.Semaphore(0)
        self._threads: list[threading.Thread] = []
        self._tasks: asyncio.Future[list[None]] | None = None

    def start(self) -> None:
        """Begin to ask."""
        self._go_on()
        self._threads = [
            threading.Thread(target=self._ask_on, args=(self._seed + number,), name="soak-caller")
            for number in range(THREADS)
        ]
        for thread in self._threads:
            thread.start()
        self._house.run(self._begin())

    @contextmanager
    def paused(self) -> Generator[None]:
        """Let everybody finish the question at hand, and ask no other within the block; one block at a time."""
        self._go.clear()
        self._house.loop.call_soon_threadsafe(self._go_async.clear)
        for _ in range(THREADS + TASKS):
            self._parked.acquire()
        try:
            yield
        finally:
            self._go_on()

    def stop(self) -> None:
        """Let everybody finish, and end."""
        self._over.set()
        self._go_on()
        for thread in self._threads:
            thread.join()
        self._house.run(self._end())

    def _go_on(self) -> None:
        self._go.set()
        self._house.loop.call_soon_threadsafe(self._go_async.set)

    async def _begin(self) -> None:
        self._tasks = asyncio.gather(*(self._ask_on_async(self._seed + 100 + n) for n in range(TASKS)))

    async def _end(self) -> None:
        if self._tasks is not None:
            await self._tasks

    def _ask_on(self, seed: int) -> None:
        chance = random.Random(seed)
        while not self._over.is_set():
            if not self._go.is_set():
                self._parked.release()
                self._go.wait()
            specimen = self.stock.pick(chance)
            dead_from, started = specimen.dead_from, time.monotonic()
            try:
                self._house.gate.verify_token(specimen.token)
            except Exception as error:  # noqa: BLE001 - what is no AuthgateError is what is looked for
                self._judge(specimen, dead_from, started, error)
            else:
                self._judge(specimen, dead_from, started, None)

    async def _ask_on_async(self, seed: int) -> None:
        chance = random.Random(seed)
        while not self._over.is_set():
            if not self._go_async.is_set():
                self._parked.release()
                await self._go_async.wait()
            # With the breaker open nothing is waited for; a server has other tasks, and they run as well.
            await asyncio.sleep(0)
            specimen = self.stock.pick(chance)
            dead_from, started = specimen.dead_from + LEASE * specimen.told, time.monotonic()
            try:
                await self._house.async_gate.verify_token(specimen.token)
            except Exception as error:  # noqa: BLE001 - as above
                self._judge(specimen, dead_from, started, error)
            else:
                self._judge(specimen, dead_from, started, None)

    def _judge(self, specimen: Specimen, dead_from: float, started: float, error: Exception | None) -> None:
        answer = answered(error, started, time.monotonic())
        self.tally.add(answer, mistake(specimen, answer, dead_from))


def answered(error: Exception | None, started: float, ended: float) -> Answer:
    """What a gate said, by what it raised."""
    if error is None:
        return Answer("admitted", started, ended)
    if isinstance(error, AuthUnavailable):
        return Answer("unavailable", started, ended, error.code)
    if isinstance(error, AuthgateError):
        return Answer("refused", started, ended, f"{error.code}: {error.reason}")
    return Answer("raised", started, ended, "".join(traceback.format_exception(error)))
