"""What is tortured, behind one face: each colour's gate, asked by one caller or by many at once."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Final, Protocol, TypeAlias, TypeVar

import authgate_core as ag

__all__ = [
    "ADMITTED",
    "Answer",
    "AsyncHouse",
    "AsyncKeyHouse",
    "House",
    "Mint",
    "SyncHouse",
    "SyncKeyHouse",
    "Throng",
    "crowd_of_threads",
    "throng_of_threads",
]

T = TypeVar("T")

ADMITTED: Final = "admitted"
PAUSE: Final = 0.002
"""Seconds between two requests of one innocent caller: many callers in one process are to leave each other room."""

JUNK_PAUSE: Final = 0.005
"""Seconds between two requests of one attacker: together they make a thousand in a second, or two."""

INNOCENTS: Final = 4
"""How many innocent callers a throng has."""

Mint: TypeAlias = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller got.

    Args:
        said: ``admitted``, or the code of the refusal.
        wait: How long it took, in seconds.
    """

    said: str
    wait: float


@dataclass(frozen=True, slots=True)
class Throng:
    """What many callers got over a time.

    Args:
        innocent: Those who are in their right.
        junk: The others.
    """

    innocent: Sequence[Answer]
    junk: Sequence[Answer]

    @classmethod
    def of(cls, told: Sequence[Sequence[Answer]]) -> Throng:
        """What each caller got, the innocent ones first."""
        return cls([*chain(*told[:INNOCENTS])], [*chain(*told[INNOCENTS:])])


class House(Protocol):
    """Something that admits the bearers of tokens."""

    def admit(self, token: str) -> str:
        """One request: ``admitted``, or the code of the refusal."""
        ...

    def ask(self, token: str) -> Answer:
        """One request, and how long it took."""
        ...

    async def asked(self, token: str) -> Answer:
        """One request, as a coroutine of any loop."""
        ...

    def run(self, coroutine: Coroutine[object, object, T]) -> T:
        """What a coroutine returns, on the loop that the house has or on a new one."""
        ...

    def reborn(self) -> House:
        """The same after ``fork()``, where no thread of the parent is left."""
        ...

    def crowd(self, tokens: Sequence[str]) -> list[Answer]:
        """So many requests at the same moment."""
        ...

    def throng(self, seconds: float, innocent: Mint, *, junk: Mint, attackers: int) -> Throng:
        """Four innocent callers, and attackers, who each ask again and again for a time."""
        ...

    def warm_up(self) -> str:
        """Do what there is to do at the start of a service, and tell how the keys are then."""
        ...

    def settle(self) -> None:
        """Wait until nothing is under way in the background."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


def crowd_of_threads(ask: Callable[[str], Answer], tokens: Sequence[str]) -> list[Answer]:
    """Ask on a thread for each token, all at the same moment."""
    barrier = threading.Barrier(len(tokens))

    def body(token: str) -> Answer:
        barrier.wait()
        return ask(token)

    with ThreadPoolExecutor(len(tokens)) as pool:
        return list(pool.map(body, tokens))


def throng_of_threads(
    ask: Callable[[str], Answer], seconds: float, innocent: Mint, *, junk: Mint, attackers: int
) -> Throng:
    """Ask on a thread for each caller, again and again."""
    until = time.monotonic() + seconds

    def body(caller: tuple[Mint, float]) -> list[Answer]:
        mint, pause = caller
        answers = []
        while time.monotonic() < until:
            answers.append(ask(mint()))
            time.sleep(pause)
        return answers

    callers = [(innocent, PAUSE)] * INNOCENTS + [(junk, JUNK_PAUSE)] * attackers
    with ThreadPoolExecutor(len(callers)) as pool:
        told = list(pool.map(body, callers))
    return Throng.of(told)


class SyncHouse:
    """A ``Gate``, asked by threads."""

    def __init__(self, gate: ag.Gate) -> None:
        self.gate = gate

    def admit(self, token: str) -> str:
        """One request."""
        try:
            self._let_in(token)
        except ag.AuthgateError as error:
            return error.code
        return ADMITTED

    def _let_in(self, token: str) -> None:
        self.gate.verify_token(token)

    def ask(self, token: str) -> Answer:
        """One request, timed."""
        started = time.monotonic()
        return Answer(self.admit(token), time.monotonic() - started)

    async def asked(self, token: str) -> Answer:
        """One request, on a thread, as a loop that has no other gate would have to."""
        return await asyncio.to_thread(self.ask, token)

    def run(self, coroutine: Coroutine[object, object, T]) -> T:
        """What a coroutine returns on a new loop."""
        return asyncio.run(_whole(coroutine))

    def reborn(self) -> SyncHouse:
        """Itself."""
        return self

    def crowd(self, tokens: Sequence[str]) -> list[Answer]:
        """So many threads."""
        return crowd_of_threads(self.ask, tokens)

    def throng(self, seconds: float, innocent: Mint, *, junk: Mint, attackers: int) -> Throng:
        """A thread for each caller."""
        return throng_of_threads(self.ask, seconds, innocent, junk=junk, attackers=attackers)

    def warm_up(self) -> str:
        """Fetch the keys, and tell how they are."""
        self.gate.warm_up()
        return self.gate.health().keys[0].status

    def settle(self) -> None:
        """Wait until no refresh is under way."""
        _settle(self.gate)

    def close(self) -> None:
        """Close the gate."""
        self.gate.close()


class AsyncHouse:
    """An ``AsyncGate``, asked by tasks of one event loop, which runs on a thread of its own."""

    def __init__(self, gate: ag.AsyncGate) -> None:
        self.gate = gate
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="torture-loop", daemon=True)
        self._thread.start()

    async def asked(self, token: str) -> Answer:
        """One request, as a coroutine."""
        started = time.monotonic()
        try:
            await self._let_in(token)
        except ag.AuthgateError as error:
            return Answer(error.code, time.monotonic() - started)
        return Answer(ADMITTED, time.monotonic() - started)

    async def _let_in(self, token: str) -> None:
        await self.gate.verify_token(token)

    def run(self, coroutine: Coroutine[object, object, T]) -> T:
        """What a coroutine returns that runs on the loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def admit(self, token: str) -> str:
        """One request, from another thread than the loop's."""
        return self.ask(token).said

    def ask(self, token: str) -> Answer:
        """One request, timed on the loop."""
        return self.run(self.asked(token))

    def reborn(self) -> AsyncHouse:
        """The same gate with a new loop."""
        return type(self)(self.gate)

    def crowd(self, tokens: Sequence[str]) -> list[Answer]:
        """So many tasks."""

        async def all_at_once() -> list[Answer]:
            return list(await asyncio.gather(*map(self.asked, tokens)))

        return self.run(all_at_once())

    def throng(self, seconds: float, innocent: Mint, *, junk: Mint, attackers: int) -> Throng:
        """A task for each caller."""
        until = time.monotonic() + seconds

        async def body(mint: Mint, pause: float) -> list[Answer]:
            answers = []
            while time.monotonic() < until:
                answers.append(await self.asked(mint()))
                await asyncio.sleep(pause)
            return answers

        async def together() -> list[list[Answer]]:
            callers = [(innocent, PAUSE)] * INNOCENTS + [(junk, JUNK_PAUSE)] * attackers
            return list(await asyncio.gather(*(body(mint, pause) for mint, pause in callers)))

        told = self.run(together())
        return Throng.of(told)

    def warm_up(self) -> str:
        """Fetch the keys, and tell how they are."""
        self.run(self.gate.warm_up())
        return self.gate.health().keys[0].status

    def settle(self) -> None:
        """Wait until no refresh is under way."""
        _settle(self.gate)

    def close(self) -> None:
        """Close the gate and end the loop."""
        self.run(self.gate.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class SyncKeyHouse(SyncHouse):
    """A ``SyncHouse`` where callers bring API keys."""

    def _let_in(self, token: str) -> None:
        self.gate.admit(_bringing(token), ag.is_api_key)


class AsyncKeyHouse(AsyncHouse):
    """An ``AsyncHouse`` where callers bring API keys."""

    async def _let_in(self, token: str) -> None:
        await self.gate.admit(_bringing(token), ag.is_api_key)


def _bringing(key: str) -> ag.RequestView:
    return ag.RequestView("GET", "/", [("X-API-Key", key)])


async def _whole(coroutine: Coroutine[object, object, T]) -> T:
    return await coroutine  # asyncio.run wants to know more of a coroutine's type than anybody does here


def _settle(gate: ag.Gate | ag.AsyncGate) -> None:
    # A refresh that nobody waits for is nobody's business, so no public name tells when it is over.
    while gate._refresher._flights:  # noqa: SLF001 - as said above
        time.sleep(0.005)
