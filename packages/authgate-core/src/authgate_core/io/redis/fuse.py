"""A breaker that threads share."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ...breaker import Breaker
from ...clock import Clock
from ...errors import RevocationUnavailable
from ...events import Notice

__all__ = ["Fuse"]


class Fuse:
    """Keeps requests from asking a store that does not answer (Law 5.5); reading it takes no lock.

    Args:
        clock: Where it gets the time from.
        notice: Told when it opens and closes.
        source: What the store is called.
        what: What the store holds, with which the codes of its notices begin.
    """

    def __init__(
        self, clock: Clock, notice: Callable[[Notice], None], source: str, what: str = "revocation"
    ) -> None:
        self._clock = clock
        self._source = source
        self._what = what
        self._notice = notice
        self._lock = threading.Lock()
        self._breaker = Breaker()

    @property
    def is_open(self) -> bool:
        """Whether requests are refused without asking."""
        return self._breaker.is_open

    def check(self) -> None:
        """Let a request ask.

        Raises:
            RevocationUnavailable: While open, with the time to the next probe.
        """
        breaker = self._breaker
        if breaker.is_open:
            rest = breaker.rest(self._clock.now().mono)
            raise RevocationUnavailable(
                "the store did not answer; it is not asked until a probe succeeds", retry_after=rest
            )

    def succeeded(self) -> None:
        """A request was answered."""
        if self._breaker.failures:
            with self._lock:
                self._breaker = self._breaker.succeeded()

    def failed(self, reason: str) -> bool:
        """A request was not answered; says whether that opened it, so that the caller starts the prober."""
        now = self._clock.now().mono
        with self._lock:
            was_open = self._breaker.is_open
            self._breaker = self._breaker.failed(now)
            opened = self._breaker.is_open and not was_open
        if opened:
            self._notice(
                Notice(
                    f"{self._what}_breaker_open",
                    self._source,
                    f"the store is not asked for now: {reason}",
                    alarm=True,
                )
            )
        return opened

    def rest(self) -> float:
        """Seconds until the next probe may start."""
        return self._breaker.rest(self._clock.now().mono)

    def start_probe(self) -> bool:
        """Claim the one probe; False where none may start."""
        now = self._clock.now().mono
        with self._lock:
            probing = self._breaker.start_probe(now)
            self._breaker = probing or self._breaker
        return probing is not None

    def end_probe(self, *, succeeded: bool) -> None:
        """Say how the probe went."""
        now = self._clock.now().mono
        with self._lock:
            self._breaker = self._breaker.end_probe(now, succeeded=succeeded)
        if succeeded:
            self._notice(Notice(f"{self._what}_breaker_closed", self._source, "the store answers again"))
