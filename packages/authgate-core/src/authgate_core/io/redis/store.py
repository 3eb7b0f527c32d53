"""Revocations in Redis, for sync code."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from typing import Final, Literal, TypeVar

from ...clock import Clock, Instant, SystemClock
from ...errors import ConfigurationError, RevocationUnavailable
from ...events import Notice
from ...principal import ProjectRef, Revocation, TokenRef
from ...revocation import RedisRevocation, RevocationHealth, check_entry
from ..forks import survive_fork
from .fuse import Fuse
from .keepers import Parts
from .protocol import FAILURES, LIMITS, Exchange, Limits, unanswered
from .wire import wires_to

__all__ = ["SYSTEM", "RedisStore"]

SYSTEM: Final = SystemClock()

T = TypeVar("T")


class RedisStore:
    """A ``RevocationStore`` and ``RevocationLog`` over Redis or Valkey, for threads and forked processes.

    In a layout of others it takes no entries.

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
        problems = spec.problems("sync")
        if problems:
            raise ConfigurationError(*problems)
        self._spec = spec
        self._clock = clock
        self._notice = notice
        self._parts = Parts(spec, clock, notice)
        self._limits = limits
        self._new_wire = wires_to(spec.client_or_url, limits)
        self._begin()
        survive_fork(self)

    def _begin(self) -> None:
        self._wire = self._new_wire()
        self._fuse = Fuse(self._clock, self._notice, self._spec.source)
        self._stop = threading.Event()

    def edition(self, now: Instant, /) -> object:
        """None, so that every request asks; with the feed that of the copy, while it is followed."""
        return self._parts.edition(now)

    def known(self, ref: TokenRef | ProjectRef, /) -> Literal["revoked", "clear", "ask"]:
        """Nothing, so that every request asks (Law 5.1); with the feed all, while it is followed (Law 5.11)."""
        return self._parts.known(ref)

    def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
        """Whether a credential is revoked, in one round trip.

        Raises:
            RevocationUnavailable: If the store cannot answer and ``on_error`` does not pass that over.
        """
        known = self.known(ref)
        if known != "ask":
            return known == "revoked"
        self._parts.follow()
        try:
            self._fuse.check()
            revoked = self._converse(
                self._parts.keeper.check(ref), until=time.monotonic() + self._limits.total
            )
        except RevocationUnavailable as outage:
            return self._parts.outages.judge(ref, outage)
        self._fuse.succeeded()
        self._parts.outages.answered()
        return revoked

    def revoke(self, entry: Revocation) -> None:
        """Write an entry; returns once the server has confirmed it. Asks whatever the breaker says.

        Raises:
            ConfigurationError: If the layout is one of others, which is only read.
            ValueError: If the entry does not mean what it says, such as a cut-off in the future (Law 5.7).
            RevocationUnavailable: If it was not written for certain; writing it again does no harm.
        """
        check_entry(entry, self._clock.now())
        self._converse(self._parts.keeper.write(entry))

    def warm_up(self) -> None:
        """Look at the store now rather than at the first request: its epoch and its eviction policy.

        Raises:
            RevocationUnavailable: If it does not answer.
        """
        self._converse(self._parts.keeper.first_look())
        self._parts.outages.answered()
        self._parts.follow()

    def reload(self) -> None:
        """Believe the store again after its entries were lost and have been written anew (Law 5.10).

        Raises:
            RevocationUnavailable: If it does not answer.
        """
        self._converse(self._parts.keeper.reload())
        self._parts.outages.answered()

    def health(self) -> RevocationHealth:
        """How the store last was; does not ask it."""
        return self._parts.health(is_open=self._fuse.is_open)

    def close(self) -> None:
        """Close the connections that were built from a URL, and end the probing."""
        self._stop.set()
        self._parts.close()
        self._wire.close()
        self._begin()

    def after_fork(self) -> None:
        """Begin anew in a forked child: connections, locks and probes are the parent's (Law 9.5)."""
        self._parts.after_fork()
        self._begin()

    def _converse(self, talk: Exchange[T], until: float | None = None) -> T:
        """Carry on a conversation; without ``until`` each query has a limit of its own."""
        try:
            query = next(talk)
            while True:
                query = talk.send(
                    self._wire.exchange(
                        query, time.monotonic() + self._limits.total if until is None else until
                    )
                )
        except StopIteration as end:
            answer: T = end.value
            return answer
        except FAILURES as error:
            reason = unanswered(error)
            if until is not None and self._fuse.failed(reason):
                self._start_prober()
            raise RevocationUnavailable(reason) from error

    def _start_prober(self) -> None:
        work = (weakref.ref(self), self._fuse, self._stop)
        threading.Thread(target=_probe, args=work, name="authgate-redis-probe", daemon=True).start()

    def probe(self) -> bool:
        """Ask whether the store answers at all."""
        try:
            self._converse(self._parts.keeper.ping())
        except RevocationUnavailable:
            return False
        return True

    def __repr__(self) -> str:
        return f"RedisStore({self._spec!r})"


def _probe(store_ref: weakref.ref[RedisStore], fuse: Fuse, stop: threading.Event) -> None:
    """Probe a store until it answers, is closed or is gone: exactly one thread for each opening (Law 5.5)."""
    while fuse.is_open and not stop.wait(fuse.rest()):
        store = store_ref()
        if store is None:
            return
        if fuse.start_probe():
            fuse.end_probe(succeeded=store.probe())
        del store
