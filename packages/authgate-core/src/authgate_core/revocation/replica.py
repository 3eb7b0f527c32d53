"""A process's own copy of a revocation store, and when it may be believed (Law 5.11).

Nothing here waits, locks or asks for the time. A copy is loaded from a snapshot whose place in the feed was read
before it, then follows the feed entry by entry, each of which names the one before it. It answers under a lease: for
one second from the moment at which a read that brought it up to the newest entry was *sent*. So what was revoked
before that moment is in it, however late the reply was seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from ..clock import Instant
from ..principal import ProjectRef, TokenRef
from .marks import Mark
from .subjects import Subject
from .table import MarkTable, refused

__all__ = ["FeedBroken", "FeedEntry", "FeedHead", "Replica"]

LEASE: Final = 1.0
"""How old the last complete read may be, in seconds; age is the larger of both clocks'."""


class FeedBroken(Exception):
    """The copy cannot be brought up to date from where it is: it has to be loaded anew.

    Args:
        reason: Why, for people.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class FeedHead:
    """The newest entry of a feed.

    Args:
        epoch: Of the store (Law 5.10).
        era: Which feed it is, drawn at random when it was begun.
        number: How many entries there were in this era.
        last: The tag of the newest of them.
    """

    epoch: bytes
    era: bytes
    number: int
    last: bytes


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One entry of a feed.

    Args:
        tag: Drawn at random by who wrote it; ids are times of a server, and two servers may have the same.
        era: The feed that it was written to.
        number: Its number in that.
        after: The tag of the entry before it.
        life: How long it lives from when it was written, seconds; None for ever.
        subject: What it is about.
        mark: All that is refused about that.
    """

    tag: bytes
    era: bytes
    number: int
    after: bytes
    life: float | None
    subject: Subject
    mark: Mark


class _View(NamedTuple):
    """What readers see, swapped as one."""

    table: MarkTable
    mono: float = -math.inf
    wall: float = -math.inf

    def is_leased(self, now: Instant) -> bool:
        return now.mono - self.mono < LEASE and now.wall - self.wall < LEASE


class Replica:
    """One writer at a time; readers wait for nobody.

    Args:
        limit: How much it may hold, as ``MarkTable.weight`` counts; beyond that it answers nothing.

    Attributes:
        is_full: Whether it reached that limit; it then keeps what it has, takes no more, and has to be loaded anew.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._view = _View(MarkTable())
        self._epoch: bytes | None = None
        self._at: FeedHead | None = None
        self._loading: tuple[FeedHead, MarkTable] | None = None
        self.is_full = False

    def known(self, ref: TokenRef | ProjectRef, now: Instant) -> Literal["revoked", "clear", "ask"]:
        """What it says of a credential; ``ask`` without a lease."""
        view = self._view
        if now.mono - view.mono >= LEASE or now.wall - view.wall >= LEASE:
            return "ask"
        kept = view.table.about(ref)
        return "revoked" if kept and refused(ref, kept, now.mono) else "clear"

    def edition(self, now: Instant) -> int | None:
        """Which edition of its table it may answer from; None without a lease."""
        view = self._view
        return view.table.edition if view.is_leased(now) else None

    def refuses(self, ref: TokenRef | ProjectRef, now: Instant) -> bool:
        """Whether it holds something that refuses a credential, whether or not it may say that there is nothing."""
        return refused(ref, self._view.table.about(ref), now.mono)

    def is_live(self, now: Instant) -> bool:
        """Whether it has a lease."""
        return self._view.is_leased(now)

    def age(self, now: Instant) -> float | None:
        """Seconds since the last complete read was sent; None where there was none since it was loaded."""
        view = self._view
        return None if view.mono == -math.inf else max(now.mono - view.mono, now.wall - view.wall)

    def heir(self) -> Replica:
        """Another one that holds the same and answers nothing yet: what still works on this one, works in vain."""
        heir = Replica(self._limit)
        heir._epoch, heir._view = self._epoch, _View(self._view.table.copy())
        return heir

    @property
    def limit(self) -> int:
        """How much it may hold."""
        return self._limit

    @property
    def epoch(self) -> bytes | None:
        """The epoch of the store that it was loaded from; None where it has no place to go on from."""
        return None if self._at is None else self._at.epoch

    def __len__(self) -> int:
        return len(self._view.table)

    def learn(self, subject: Subject, mark: Mark, ends: float) -> None:
        """Keep what this process wrote itself or was answered, without waiting for the feed.

        Args:
            subject: What it is about.
            mark: What is refused.
            ends: When it may be forgotten, monotonic seconds.
        """
        # Also what is being loaded: or it would be gone from ``loaded`` until the feed tells it.
        tables = [self._view.table, *([] if self._loading is None else [self._loading[1]])]
        if not self.is_full and any(self._overflows(table, subject, mark, ends) for table in tables):
            self._give_up()

    def begin(self, head: FeedHead, now: Instant) -> None:
        """Begin to load a snapshot; nothing of it is seen before ``loaded``.

        What it holds already stays, for entries only add refusals; in another epoch it does not, as that store is
        another one.

        Args:
            head: The newest entry before the snapshot is taken.
            now: The present moment.
        """
        held = self._view.table
        held.forget(now.mono)
        self._loading = (head, held.copy() if self._epoch == head.epoch else MarkTable())

    def add(self, subject: Subject, mark: Mark, ends: float) -> None:
        """Add an entry of the snapshot; arguments as for ``learn``.

        Raises:
            FeedBroken: If it is one too many, or no snapshot is being loaded any more.
        """
        if self._loading is None:
            raise FeedBroken("what was being loaded was given up")
        if self._overflows(self._loading[1], subject, mark, ends):
            raise self._give_up()

    def loaded(self) -> None:
        """The snapshot is complete; the next read of the feed closes the gap since it began.

        Raises:
            FeedBroken: If no snapshot is being loaded any more, or what was held before it is too much already.
        """
        if self._loading is None:
            raise FeedBroken("what was being loaded was given up")
        head, table = self._loading
        if table.weight > self._limit:
            raise self._give_up()
        self._at = head
        self._epoch, self._loading, self.is_full = head.epoch, None, False
        self._view = _View(table)

    def follow(self, head: FeedHead, entries: Sequence[FeedEntry], asked: Instant, heard: Instant) -> bool:
        """Take in a read of the feed.

        Args:
            head: The newest entry, as it was before the entries were read.
            entries: Those after the last that was read, or some of them; none, where nothing is new.
            asked: When the read was sent: the lease counts from here.
            heard: When the reply was there: no entry was written later, so their lives count from here.

        Returns:
            Whether that was all of them, so that there is a lease.

        Raises:
            FeedBroken: If it is not proven that nothing is missing; there is no lease any more.
        """
        try:
            return self._followed(head, entries, asked, heard)
        except FeedBroken:
            self.drop()
            raise

    def drop(self) -> None:
        """Answer nothing until loaded anew; what is held stays, for entries only add refusals."""
        self._at = self._loading = None
        self._view = _View(self._view.table)

    def _followed(self, head: FeedHead, entries: Sequence[FeedEntry], asked: Instant, heard: Instant) -> bool:
        at = self._at
        if at is None:
            raise FeedBroken("nothing is loaded")
        if (head.epoch, head.era) != (at.epoch, at.era):
            raise FeedBroken("another feed was begun")
        if head.number < at.number or (head.number == at.number and head.last != at.last):
            # A server that failed over without its newest entries, or was restored.
            raise FeedBroken("the feed went back")
        table = self._view.table
        for entry in entries:
            at = _after(at, entry)
            ends = math.inf if entry.life is None else heard.mono + entry.life
            if self._overflows(table, entry.subject, entry.mark, ends):
                raise self._give_up()
        self._at = at
        table.forget(heard.mono)
        if at.number < head.number:
            if not entries:
                raise FeedBroken("entries of the feed are gone")
            return False
        self._view = _View(table, asked.mono, asked.wall)
        return True

    def _overflows(self, table: MarkTable, subject: Subject, mark: Mark, ends: float) -> bool:
        table.keep(subject, mark, ends)
        return table.weight > self._limit

    def _give_up(self) -> FeedBroken:
        self.is_full = True
        self.drop()
        return FeedBroken(f"there are more than {self._limit} entries, which is the limit")


def _after(at: FeedHead, entry: FeedEntry) -> FeedHead:
    """The place in the feed after an entry.

    Raises:
        FeedBroken: If the entry is not the next one, nor one from before.
    """
    if entry.era != at.era:
        raise FeedBroken("an entry is of another feed")
    if entry.number <= at.number:
        return at
    if entry.number != at.number + 1 or entry.after != at.last:
        raise FeedBroken("an entry of the feed is missing")
    return FeedHead(at.epoch, at.era, entry.number, entry.tag)
