"""A copy of a store that threads share: one writes at a time, and a check waits for nobody (Law 5.11)."""

from __future__ import annotations

import threading
from typing import Literal

from ...clock import Clock
from ...principal import ProjectRef, TokenRef
from ...revocation import Mark, Replica, Subject, ends_of

__all__ = ["StoreCopy"]


class StoreCopy:
    """A ``Replica`` and the lock that whoever writes to it takes.

    Args:
        limit: How much it may hold.
        clock: Where it gets the time from.

    Attributes:
        replica: The present one.
        lock: For those who write to it.
    """

    def __init__(self, limit: int, clock: Clock) -> None:
        self._clock = clock
        self.replica = Replica(limit)
        self.lock = threading.Lock()

    def known(self, ref: TokenRef | ProjectRef) -> Literal["revoked", "clear", "ask"]:
        """What it says of a credential; ``ask`` without a lease."""
        return self.replica.known(ref, self._clock.now())

    def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
        """Whether it holds something that refuses a credential, with a lease or without."""
        return self.replica.refuses(ref, self._clock.now())

    def keep(self, subject: Subject, mark: Mark) -> None:
        """Keep what this process wrote or was answered."""
        ends = ends_of(mark, self._clock.now())
        with self.lock:
            self.replica.learn(subject, mark, ends)

    def renew(self) -> Replica:
        """Begin with another replica that has no lease: whoever followed into the old one does so in vain."""
        with self.lock:
            self.replica = self.replica.heir()
            return self.replica

    def after_fork(self) -> None:
        """Take a new lock and give up the lease: nobody follows in a forked child yet (Law 9.5)."""
        self.lock = threading.Lock()
        self.renew()
