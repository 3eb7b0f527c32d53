"""Revocations in this process's memory, in both colours: checking takes no lock and waits for nothing."""

from __future__ import annotations

import threading
from typing import Final, Literal

from ..clock import Clock, Instant, SystemClock
from ..events import Notice
from ..principal import ProjectRef, Revocation, TokenRef
from ..revocation import (
    Mark,
    MarkTable,
    RevocationHealth,
    Subject,
    check_entry,
    ends_of,
    mark_of,
    refused,
    subject_of,
)
from .forks import survive_fork

__all__ = ["COVERS_ONE_PROCESS", "AsyncMemoryStore", "MemoryStore"]

_SYSTEM: Final = SystemClock()

COVERS_ONE_PROCESS: Final = Notice(
    "revocation_in_memory",
    "memory",
    "revocations are kept in this process only: another worker does not see them, and a restart forgets them",
)
"""What a gate says at its start where this is the store (Law 5.6)."""


class MemoryStore:
    """A ``RevocationStore`` and ``RevocationLog`` over a table of marks.

    Args:
        clock: Where it gets the time from.
    """

    def __init__(self, clock: Clock = _SYSTEM) -> None:
        self._clock = clock
        self._table = MarkTable()
        self._lock = threading.Lock()
        survive_fork(self)

    def edition(self, _now: Instant, /) -> int:
        """How what is kept has changed so far."""
        return self._table.edition

    def known(self, ref: TokenRef | ProjectRef, /) -> Literal["revoked", "clear"]:
        """Whether a credential is revoked: a few reads of a dictionary, and no lock (Law 5.1)."""
        kept = self._table.about(ref)
        return "revoked" if kept and refused(ref, kept, self._clock.now().mono) else "clear"

    def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
        """Whether a credential is revoked."""
        return self.known(ref) == "revoked"

    def revoke(self, entry: Revocation) -> None:
        """Keep an entry, and forget those whose time is over.

        Raises:
            ValueError: If the entry does not mean what it says, such as a cut-off in the future (Law 5.7).
        """
        now = self._clock.now()
        check_entry(entry, now)
        self.keep(subject_of(entry), mark_of(entry))

    def keep(self, subject: Subject, mark: Mark) -> None:
        """Keep what is known about a subject, added to what was known before."""
        now = self._clock.now()
        with self._lock:
            self._table.keep(subject, mark, ends_of(mark, now))
            self._table.forget(now.mono)

    def health(self) -> RevocationHealth:
        """It always answers."""
        return RevocationHealth(source="memory", status="ok")

    def after_fork(self) -> None:
        """Take a new lock, and a whole table: another thread of the parent may have been about to write."""
        self._lock = threading.Lock()
        self._table = self._table.copy()

    def __len__(self) -> int:
        return len(self._table)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} entries)"


class AsyncMemoryStore:
    """``MemoryStore`` for ``AsyncGate``: it waits for nothing, so it runs on the loop (Law 9.2)."""

    def __init__(self, clock: Clock = _SYSTEM) -> None:
        self._store = MemoryStore(clock)

    def edition(self, now: Instant, /) -> int:
        """As ``MemoryStore.edition``."""
        return self._store.edition(now)

    def known(self, ref: TokenRef | ProjectRef, /) -> Literal["revoked", "clear"]:
        """Whether a credential is revoked, without waiting."""
        return self._store.known(ref)

    async def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
        """Whether a credential is revoked."""
        return self._store.is_revoked(ref)

    async def revoke(self, entry: Revocation) -> None:
        """Keep an entry; raises ValueError as ``MemoryStore.revoke`` does."""
        self._store.revoke(entry)

    def health(self) -> RevocationHealth:
        """It always answers."""
        return self._store.health()

    def __repr__(self) -> str:
        return f"Async{self._store!r}"
