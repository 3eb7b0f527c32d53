"""Revocations in this process's memory, in both colours: checking takes no lock and waits for nothing."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import Counter
from typing import Final, Literal

from ..clock import Clock, SystemClock
from ..events import Notice
from ..principal import ProjectRef, Revocation, TokenRef
from ..revocation import (
    Mark,
    RevocationHealth,
    Subject,
    check_entry,
    field_of,
    fields_of,
    is_refused,
    mark_of,
    merged,
    subject_of,
    subjects_of,
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
    """A ``RevocationStore`` and ``RevocationLog`` over a dictionary.

    Args:
        clock: Where it gets the time from.
    """

    def __init__(self, clock: Clock = _SYSTEM) -> None:
        self._clock = clock
        self._marks: dict[Subject, Mark] = {}
        self._fields: Counter[str] = Counter()
        self._known_fields = self._fields.keys()
        self._endings: list[tuple[float, int, Subject]] = []
        self._count = itertools.count()
        self._lock = threading.Lock()
        survive_fork(self)

    def names_of(self, _ref: TokenRef | ProjectRef, /) -> None:
        """It looks for what a ref says as it is."""

    def known(self, ref: TokenRef | ProjectRef, _names: object = None, /) -> Literal["revoked", "clear"]:
        """Whether a credential is revoked: a few reads of a dictionary, and no lock (Law 5.1).

        Almost every ref has no text in common with any entry, so that is looked at before subjects are made of it.
        """
        if self._known_fields.isdisjoint(fields_of(ref)):
            return "clear"
        marks = self._marks
        found = [(subject, mark) for subject in subjects_of(ref) if (mark := marks.get(subject)) is not None]
        if not found:
            return "clear"
        now = self._clock.now().wall
        live = ((subject, mark) for subject, mark in found if not mark.is_over(now))
        return "revoked" if is_refused(ref, live) else "clear"

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
        with self._lock:
            held = self._marks.get(subject)
            kept = mark if held is None else merged(held, mark)
            self._marks[subject] = kept
            self._fields[field_of(subject)] += held is None  # after the mark: who finds the text finds it too
            if kept.expires_at is not None and (held is None or held.expires_at != kept.expires_at):
                heapq.heappush(self._endings, (kept.expires_at, next(self._count), subject))
            self._forget(self._clock.now().wall)

    def _forget(self, now: float) -> None:
        while self._endings and self._endings[0][0] <= now:
            _, _, subject = heapq.heappop(self._endings)
            mark = self._marks.get(subject)
            if mark is not None and mark.is_over(now):
                del self._marks[subject]
                self._let_go(field_of(subject))

    def _let_go(self, field: str) -> None:
        self._fields[field] -= 1
        if not self._fields[field]:
            del self._fields[field]

    def health(self) -> RevocationHealth:
        """It always answers."""
        return RevocationHealth(source="memory", status="ok")

    def after_fork(self) -> None:
        """Take a new lock: another thread of the parent may have held the old one."""
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._marks)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} entries)"


class AsyncMemoryStore:
    """``MemoryStore`` for ``AsyncGate``: it waits for nothing, so it runs on the loop (Law 9.2)."""

    def __init__(self, clock: Clock = _SYSTEM) -> None:
        self._store = MemoryStore(clock)

    def names_of(self, _ref: TokenRef | ProjectRef, /) -> None:
        """As ``MemoryStore.names_of``."""

    def known(self, ref: TokenRef | ProjectRef, _names: object = None, /) -> Literal["revoked", "clear"]:
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
