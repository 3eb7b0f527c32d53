"""Gates of both colours as a row asks them: every answer comes with how long it took, inside the call."""

from __future__ import annotations

import asyncio
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any, Final, Literal, TypeAlias

import authgate_core as ag
from authgate_core.errors import AuthUnavailable, TokenRevoked
from authgate_core.events import Decided, Notice
from authgate_core.revocation import RevocationHealth
from authgate_core.testing import TokenMint

from ..patience import Stopwatch
from ..rows import Colour

__all__ = ["MINT", "Asked", "Gated", "Outcome", "config", "gated", "token", "view"]

Outcome: TypeAlias = Literal["admitted", "refused", "unavailable"]

_AT_ONCE: Final = 10

MINT: Final = TokenMint("https://issuer.test", audience="torture", algorithm="ES256")
"""Whose tokens the gates take: keys that nobody has to fetch, since here the issuer is not what misbehaves."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One decision of a gate.

    Args:
        outcome: What became of the request.
        took: How long the call took, in seconds, less what it waited for a processor.
        without_asking: Whether the breaker was open before the call and after it.
        started: When it was made, monotonic seconds.
    """

    outcome: Outcome
    took: float
    without_asking: bool = False
    started: float = 0.0


def config(source: ag.RedisRevocation, notices: list[Notice]) -> ag.GateConfig:
    """The configuration of a gate that trusts ``MINT`` and asks this source.

    Args:
        source: Where revocations are.
        notices: Gets what the gate tells an operator.
    """

    def listen(event: Decided | Notice) -> None:
        if isinstance(event, Notice):
            notices.append(event)

    issuer = ag.Issuer.static(MINT.jwks(), issuer=MINT.url, audience=MINT.audience, name="id")
    return ag.GateConfig(issuers=[issuer], revocation=source, on_event=listen)


def token(name: str) -> str:
    """A token of this name that is good for an hour."""
    return MINT.token(name, jti=name, expires_in=3600)


def view(of: str) -> ag.RequestView:
    """A request that presents a token."""
    return ag.RequestView("GET", "/orders", [("Authorization", f"Bearer {of}")])


class Gated(ABC):
    """A gate of one colour, and the notices that it gave."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    @property
    def codes(self) -> list[str]:
        """The codes of its notices."""
        return [notice.code for notice in self.notices]

    @property
    @abstractmethod
    def health(self) -> RevocationHealth:
        """How it says that its source is."""

    @abstractmethod
    def ask(self, of: str) -> Asked:
        """Let one request with a token be judged."""

    @abstractmethod
    def ask_together(self, tokens: Sequence[str]) -> list[Asked]:
        """Let a request with each token be judged, all at the same time."""

    @abstractmethod
    def revoke(self, name: str) -> bool:
        """Revoke the token of a name; whether that was confirmed."""

    @abstractmethod
    def warm_up(self) -> None:
        """Look at the source, as an application does when it starts."""

    @abstractmethod
    def reload(self) -> None:
        """Say that the entries have been written again."""

    @abstractmethod
    def pause(self, seconds: float) -> None:
        """Let time pass, and what the gate does in the background go on."""

    @abstractmethod
    def busy(self, seconds: float, hog: Callable[[], None], tokens: Iterator[str]) -> list[Asked]:
        """Ask while the process computes as well: one after the other in threads, ten at a time in tasks."""

    @abstractmethod
    def close(self) -> None:
        """Close it."""

    @property
    def follows(self) -> bool:
        """Whether it answers from a copy that follows the feed (Law 5.11)."""
        feed = self.health.feed
        return feed is not None and feed.status == "live"

    def _is_open(self) -> bool:
        return self.health.status == "open"


class SyncGated(Gated):
    """``Gate``, asked by threads."""

    def __init__(self, source: ag.RedisRevocation) -> None:
        super().__init__()
        self._gate = ag.Gate(config(source, self.notices))

    @property
    def health(self) -> RevocationHealth:
        (health,) = self._gate.health().revocation
        return health

    def ask(self, of: str) -> Asked:
        request, was_open = view(of), self._is_open()
        outcome: Outcome = "admitted"
        with Stopwatch() as watch:
            try:
                self._gate.admit(request, ag.is_user)
            except TokenRevoked:
                outcome = "refused"
            except AuthUnavailable:
                outcome = "unavailable"
        without_asking = was_open and self._is_open()
        return Asked(outcome, watch.took, without_asking, watch.started)

    def ask_together(self, tokens: Sequence[str]) -> list[Asked]:
        barrier = threading.Barrier(len(tokens))

        def ask(of: str) -> Asked:
            barrier.wait()
            return self.ask(of)

        with ThreadPoolExecutor(len(tokens)) as pool:
            return list(pool.map(ask, tokens))

    def revoke(self, name: str) -> bool:
        try:
            self._gate.revocations.revoke_token(name)
        except AuthUnavailable:
            return False
        return True

    def warm_up(self) -> None:
        self._gate.warm_up()

    def reload(self) -> None:
        self._gate.revocations.reload()

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)

    def busy(self, seconds: float, hog: Callable[[], None], tokens: Iterator[str]) -> list[Asked]:
        over = threading.Event()

        def compute() -> None:
            while not over.is_set():
                hog()

        hogs = [threading.Thread(target=compute) for _ in range(2)]
        for thread in hogs:
            thread.start()
        until = time.monotonic() + seconds
        try:
            return [self.ask(of) for of in takewhile(lambda _: time.monotonic() < until, tokens)]
        finally:
            over.set()
            for thread in hogs:
                thread.join()

    def close(self) -> None:
        self._gate.close()


class AsyncGated(Gated):
    """``AsyncGate``, asked by tasks of one loop."""

    def __init__(self, source: ag.RedisRevocation) -> None:
        super().__init__()
        self._gate = ag.AsyncGate(config(source, self.notices))
        self._loop = asyncio.Runner()

    @property
    def health(self) -> RevocationHealth:
        (health,) = self._gate.health().revocation
        return health

    def ask(self, of: str) -> Asked:
        return self._loop.run(self._asked(of))

    def ask_together(self, tokens: Sequence[str]) -> list[Asked]:
        return list(self._loop.run(_gathered(self._asked(of) for of in tokens)))

    def revoke(self, name: str) -> bool:
        return self._loop.run(_confirmed(self._gate.revocations.revoke_token(name)))

    def warm_up(self) -> None:
        self._loop.run(self._gate.warm_up())

    def reload(self) -> None:
        self._loop.run(self._gate.revocations.reload())

    def pause(self, seconds: float) -> None:
        self._loop.run(asyncio.sleep(seconds))

    def busy(self, seconds: float, hog: Callable[[], None], tokens: Iterator[str]) -> list[Asked]:
        return self._loop.run(self._busy(seconds, hog, tokens))

    def close(self) -> None:
        self._loop.run(self._gate.aclose())
        self._loop.close()

    async def _asked(self, of: str) -> Asked:
        request, was_open = view(of), self._is_open()
        outcome: Outcome = "admitted"
        with Stopwatch() as watch:
            try:
                await self._gate.admit(request, ag.is_user)
            except TokenRevoked:
                outcome = "refused"
            except AuthUnavailable:
                outcome = "unavailable"
        without_asking = was_open and self._is_open()
        return Asked(outcome, watch.took, without_asking, watch.started)

    async def _busy(self, seconds: float, hog: Callable[[], None], tokens: Iterator[str]) -> list[Asked]:
        over = asyncio.Event()

        async def compute() -> None:
            while not over.is_set():
                hog()
                await asyncio.sleep(0.001)

        computing = asyncio.create_task(compute())
        until = time.monotonic() + seconds
        asked: list[Asked] = []
        while time.monotonic() < until:
            asked += await _gathered(self._asked(of) for of in islice(tokens, _AT_ONCE))
        over.set()
        await computing
        return asked


async def _gathered(asked: Iterable[Coroutine[Any, Any, Asked]]) -> list[Asked]:
    return list(await asyncio.gather(*asked))


async def _confirmed(writing: Awaitable[None]) -> bool:
    try:
        await writing
    except AuthUnavailable:
        return False
    return True


def gated(colour: Colour, source: ag.RedisRevocation) -> Gated:
    """A gate of this colour before this source."""
    return SyncGated(source) if colour == "sync" else AsyncGated(source)
