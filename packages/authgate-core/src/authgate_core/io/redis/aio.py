"""Revocations in Redis, for event loops."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable
from functools import partial
from typing import Literal, TypeVar

from ...clock import Clock, Instant
from ...errors import ConfigurationError, RevocationUnavailable
from ...events import Notice
from ...principal import ProjectRef, Revocation, TokenRef
from ...revocation import RedisRevocation, RevocationHealth, check_entry
from ..forks import survive_fork
from .fuse import Fuse
from .keepers import Parts
from .on_loop import OnLoop
from .protocol import FAILURES, LIMITS, Exchange, Limits, unanswered
from .store import SYSTEM
from .wire_aio import FOREIGN_LOOP, async_wires_to

__all__ = ["AsyncRedisStore"]

T = TypeVar("T")


class AsyncRedisStore:
    """``RedisStore`` for ``AsyncGate``: connections, breaker and probe are each loop's own (Law 9.5).

    Args:
        spec: Where the store is and how outages are met.
        notice: Told what an operator should know.
        clock: Where it gets the time from.
        limits: How long the server may take, where it is given by a URL.

    Raises:
        ConfigurationError: If the specification has problems, or files that its URL names are of no use.
    """

    def __init__(
        self,
        spec: RedisRevocation,
        *,
        notice: Callable[[Notice], None],
        clock: Clock = SYSTEM,
        limits: Limits = LIMITS,
    ) -> None:
        problems = spec.problems("async")
        if problems:
            raise ConfigurationError(*problems)
        self._spec = spec
        self._clock = clock
        self._notice = notice
        self._parts = Parts(spec, clock, notice)
        self._limits = limits
        self._new_wire = async_wires_to(spec.client_or_url, limits)
        self._lock = threading.Lock()
        self._loops: dict[asyncio.AbstractEventLoop, OnLoop] = {}
        self._inherited: object = None
        self._owner: weakref.ref[asyncio.AbstractEventLoop] | None = None
        survive_fork(self)

    def edition(self, now: Instant, /) -> object:
        """None, so that every request asks; with the feed that of the copy, while it is followed."""
        return self._parts.edition(now)

    def known(self, ref: TokenRef | ProjectRef, /) -> Literal["revoked", "clear", "ask"]:
        """Nothing, so that every request asks (Law 5.1); with the feed all, while it is followed (Law 5.11)."""
        return self._parts.known(ref)

    async def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
        """Whether a credential is revoked, in one round trip.

        Raises:
            RevocationUnavailable: If the store cannot answer and ``on_error`` does not pass that over.
            ConfigurationError: If the client that was handed in belongs to another event loop (Law 9.4).
        """
        known = self.known(ref)
        if known != "ask":
            return known == "revoked"
        self._parts.follow()
        here = await self._here()
        try:
            revoked = await self._asked(here, ref)
        except RevocationUnavailable as outage:
            return self._parts.outages.judge(ref, outage)
        here.fuse.succeeded()
        self._parts.outages.answered()
        return revoked

    async def revoke(self, entry: Revocation) -> None:
        """Write an entry; returns once the server has confirmed it. Asks whatever the breaker says.

        Raises:
            ConfigurationError: If the layout is one of others, which is only read.
            ValueError: If the entry does not mean what it says, such as a cut-off in the future (Law 5.7).
            RevocationUnavailable: If it was not written for certain; writing it again does no harm.
        """
        check_entry(entry, self._clock.now())
        await self._sure(self._parts.keeper.write(entry))

    async def warm_up(self) -> None:
        """Look at the store now rather than at the first request: its epoch and its eviction policy.

        Raises:
            RevocationUnavailable: If it does not answer.
        """
        await self._sure(self._parts.keeper.first_look())
        self._parts.outages.answered()
        self._parts.follow()

    async def reload(self) -> None:
        """Believe the store again after its entries were lost and have been written anew (Law 5.10).

        Raises:
            RevocationUnavailable: If it does not answer.
        """
        await self._sure(self._parts.keeper.reload())
        self._parts.outages.answered()

    def health(self) -> RevocationHealth:
        """How the store last was, in the loop that fares worst; does not ask it."""
        is_open = any(here.fuse.is_open for here in tuple(self._loops.values()))
        return self._parts.health(is_open=is_open)

    async def aclose(self) -> None:
        """Close what was built from a URL for the running loop; others close theirs when they shut down."""
        self._parts.close()
        with self._lock:
            here = self._loops.pop(asyncio.get_running_loop(), None)
        if here is not None:
            await here.aclose()

    def after_fork(self) -> None:
        """Begin anew in a forked child: connections, locks and probes are the parent's (Law 9.5)."""
        # Kept and never touched: letting go of a transport would close it, and it is the parent's.
        self._inherited = (self._inherited, self._loops)
        self._loops = {}
        self._lock = threading.Lock()
        self._parts.after_fork()

    async def _asked(self, here: OnLoop, ref: TokenRef | ProjectRef) -> bool:
        here.fuse.check()
        try:
            return await self._converse(
                here, self._parts.keeper.check(ref), here.loop.time() + self._limits.total
            )
        except FAILURES as error:
            reason = unanswered(error)
            if here.fuse.failed(reason):
                here.start_prober(partial(self._answers, here))
            raise RevocationUnavailable(reason) from error

    async def _sure(self, talk: Exchange[T]) -> T:
        """Carry on a conversation in which each query has a limit of its own."""
        here = await self._here()
        try:
            return await self._converse(here, talk)
        except FAILURES as error:
            raise RevocationUnavailable(unanswered(error)) from error

    async def _answers(self, here: OnLoop) -> bool:
        try:
            await self._converse(here, self._parts.keeper.ping())
        except (*FAILURES, RevocationUnavailable):
            return False
        return True

    async def _converse(self, here: OnLoop, talk: Exchange[T], until: float | None = None) -> T:
        try:
            query = next(talk)
            while True:
                limit = here.loop.time() + self._limits.total if until is None else until
                query = talk.send(await here.exchange(query, limit))
        except StopIteration as end:
            answer: T = end.value
            return answer

    async def _here(self) -> OnLoop:
        loop = asyncio.get_running_loop()
        here = self._loops.get(loop)
        if here is None:
            here = self._settle(loop)
            await here.open()
        return here

    def _settle(self, loop: asyncio.AbstractEventLoop) -> OnLoop:
        with self._lock:
            if not isinstance(self._spec.client_or_url, str):
                if self._owner is not None and self._owner() is not loop:
                    raise ConfigurationError(FOREIGN_LOOP)
                self._owner = weakref.ref(loop)
            for gone in [other for other in self._loops if other.is_closed()]:
                del self._loops[gone]
            here = OnLoop(self._new_wire(), Fuse(self._clock, self._notice, self._spec.source), self._limits)
            self._loops[loop] = here
            return here

    def __repr__(self) -> str:
        return f"AsyncRedisStore({self._spec!r})"
