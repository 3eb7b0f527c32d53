"""Marks by what they are about, for whoever keeps them in memory: found without a lock, forgotten in time."""

from __future__ import annotations

import heapq
import itertools
import math
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from ..clock import Instant
from ..principal import ProjectRef, TokenRef
from .marks import Mark, is_refused, merged
from .subjects import Subject, field_of, fields_of, subjects_of

__all__ = ["Kept", "MarkTable", "ends_of", "refused"]

_editions: Final = itertools.count(1)
_LONG: Final = 256
_SPARE: Final = 64


class Kept(NamedTuple):
    """A mark in a table.

    Args:
        subject: What it is about.
        mark: What is refused.
        ends: When it may be forgotten, monotonic seconds: whoever sets the wall clock ends nothing early.
    """

    subject: Subject
    mark: Mark
    ends: float


class MarkTable:
    """One writer at a time; readers wait for nobody and see each mark as soon as it is kept.

    Attributes:
        weight: How much it holds: 1 for each mark, and 1 more for each 256 characters of what it is about.
        edition: Another number whenever a mark was kept, and once that is there to be found; no two tables of a
            process ever have the same. To forget changes nothing, for what is over refuses nothing.
    """

    def __init__(self) -> None:
        self.weight = 0
        self.edition = next(_editions)
        self._kept: dict[Subject, Kept] = {}
        self._fields: Counter[str] = Counter()
        self._known_fields = self._fields.keys()
        self._endings: list[tuple[float, int, Subject]] = []
        self._count = itertools.count()

    def about(self, ref: TokenRef | ProjectRef) -> Sequence[Kept]:
        """What is kept about a credential.

        Almost every ref has no text in common with any entry, so that is looked at before subjects are made of it.
        """
        if self._known_fields.isdisjoint(fields_of(ref)):
            return ()
        kept = self._kept
        return [found for subject in subjects_of(ref) if (found := kept.get(subject)) is not None]

    def keep(self, subject: Subject, mark: Mark, ends: float = math.inf) -> None:
        """Keep a mark, added to what is kept about the same subject; it lasts as long as the longer of both.

        Args:
            subject: What it is about.
            mark: What is refused.
            ends: When it may be forgotten, monotonic seconds; never, if left out.
        """
        held = self._kept.get(subject)
        if held is not None:
            mark = mark if held.mark == mark else merged(held.mark, mark)
            ends = max(held.ends, ends)
        self._kept[subject] = Kept(subject, mark, ends)
        if held is None:
            self._fields[field_of(subject)] += 1  # after the mark: who finds the text finds it too
            self.weight += _weight(subject)
        self.edition = next(_editions)
        if ends < math.inf and (held is None or held.ends != ends):
            heapq.heappush(self._endings, (ends, next(self._count), subject))
            self._tidy()

    def forget(self, now: float) -> None:
        """Let go of what is over; ``now`` is monotonic seconds."""
        while self._endings and self._endings[0][0] <= now:
            _, _, subject = heapq.heappop(self._endings)
            kept = self._kept.get(subject)
            if kept is not None and kept.ends <= now:
                del self._kept[subject]
                self.weight -= _weight(subject)
                self._let_go(field_of(subject))

    def copy(self) -> MarkTable:
        """Another table that keeps the same.

        It is whole though this one was left in the middle of ``keep``, as by a thread of the parent at a fork.
        """
        other = MarkTable()
        other._kept.update(self._kept)
        other._fields.update(map(field_of, other._kept))
        other.weight = sum(map(_weight, other._kept))
        other._order()
        return other

    def _let_go(self, field: str) -> None:
        self._fields[field] -= 1
        if not self._fields[field]:
            del self._fields[field]

    def _tidy(self) -> None:
        """Drop the earlier ends of what was prolonged, or a mark that is renewed for ever would grow for ever."""
        if len(self._endings) > 2 * len(self._kept) + _SPARE:
            self._order()

    def _order(self) -> None:
        ending = (kept for kept in self._kept.values() if kept.ends < math.inf)
        self._endings = [(kept.ends, next(self._count), kept.subject) for kept in ending]
        heapq.heapify(self._endings)

    def __len__(self) -> int:
        return len(self._kept)


def refused(ref: TokenRef | ProjectRef, kept: Sequence[Kept], now: float) -> bool:
    """Whether something that a table keeps about a credential refuses it now, in monotonic seconds."""
    return is_refused(ref, ((one.subject, one.mark) for one in kept if one.ends > now))


def ends_of(mark: Mark, now: Instant) -> float:
    """When a mark may be forgotten, monotonic seconds."""
    return math.inf if mark.expires_at is None else now.mono + (mark.expires_at - now.wall)


def _weight(subject: Subject) -> int:
    return 1 + len(subject.value) // _LONG
