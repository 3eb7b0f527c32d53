"""What a Redis store asks and believes, whatever its colour: conversations that both stores carry on."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, Literal

from ...clock import Clock
from ...errors import RevocationUnavailable
from ...events import Notice
from ...principal import ProjectRef, Revocation, TokenRef
from ...revocation import Mark, Subject, is_refused, mark_of, merged, read_mark, subject_of, subjects_of
from .conversation import Eviction, LocalMarks, asked
from .epoch import EpochWatch
from .layout import Layout, swap
from .protocol import Exchange, Query, as_bytes, as_list

__all__ = ["Keeper"]

_ATTEMPTS: Final = 8
_QUESTIONS: Final = 1024


class Keeper:
    """The conversations with a store in authgate's own layout.

    Args:
        layout: Where everything is.
        clock: Where it gets the time from.
        notice: Told what an operator should know.
        cluster: Whether entries are spread over several nodes.
        local: Keeps what was seen of entries for the time when the store does not answer; None if unused.
    """

    def __init__(
        self,
        layout: Layout,
        clock: Clock,
        notice: Callable[[Notice], None],
        *,
        cluster: bool,
        local: LocalMarks | None,
    ) -> None:
        self._layout = layout
        self._clock = clock
        self._cluster = cluster
        self._local = local
        # Of a credential that comes again the names of keys are the same, and hashing them costs as much as asking.
        self._question_of = lru_cache(_QUESTIONS)(self._question)
        self.watch = EpochWatch(notice)
        self.eviction = Eviction(notice, "redis")

    @property
    def lost(self) -> bool:
        """Whether the entries of the store may be lost."""
        return self.watch.lost

    def known(self, _ref: TokenRef | ProjectRef) -> Literal["ask"]:
        """Nothing is known without asking (Law 5.1)."""
        return "ask"

    def requires(self, _ref: TokenRef | ProjectRef) -> bool:
        """Nothing has to be there: entries only refuse."""
        return False

    def check(self, ref: TokenRef | ProjectRef) -> Exchange[bool]:
        """Ask whether a credential is revoked: one query (Law 5.12).

        Raises:
            RevocationUnavailable: If the reply proves nothing.
        """
        epoch = yield from self.first_look()
        subjects, query = self._question_of(ref)
        replies = yield from asked(query)
        found, *values = _values(len(subjects) + 1, replies[0], replies[1])
        self.watch.require(as_bytes(replies[2]) if self._cluster else found, epoch)
        if self._cluster and replies[3] and found != epoch:
            # Law 5.10: the node with this group's entries lost them, though the node with the epoch did not.
            raise RevocationUnavailable(
                "a node of the cluster has lost its entries; write them again, then call gate.revocations.reload()"
            )
        return self._judged(ref, _marks(subjects, values))

    def write(self, entry: Revocation) -> Exchange[None]:
        """Write an entry, merged with what is there, and return once the server has confirmed it (Law 5.6).

        Raises:
            RevocationUnavailable: If it was not written for certain.
        """
        now = self._clock.now().wall
        subject, added = subject_of(entry), mark_of(entry)
        if added.is_over(now):
            return
        group = subject.group()
        if not self.watch.lost:
            yield from self._register(group, (yield from self.first_look()))
        key = self._layout.entry(group, subject)
        feed = None if self._cluster else self._layout
        for _ in range(_ATTEMPTS):
            (reply,) = yield from asked((("GET", key),))
            held = as_bytes(reply)
            mark = added if held is None else merged(_mark(subject, held), added)
            (swapped,) = yield from asked((swap(key, held, subject, mark, now, feed),))
            if swapped == 1:
                self._learn(subject, mark)
                return
        raise RevocationUnavailable("other writers kept changing the entry; nothing was written")

    def reload(self) -> Exchange[None]:
        """Believe the store again: its entries have been written anew (Law 5.10).

        Raises:
            RevocationUnavailable: If that cannot be marked in the store.
        """
        epoch = yield from self._epoch_or_new()
        if self._cluster:
            (groups,) = yield from asked((("SMEMBERS", self._layout.groups),))
            for group in as_list(groups):
                name = (as_bytes(group) or b"").decode("ascii")
                yield from asked((("SET", self._layout.group_epoch(name), epoch),))
        self.watch.reload(epoch)

    def ping(self) -> Exchange[None]:
        """Ask whether the store answers at all."""
        yield from asked((("GET", self._layout.epoch),))

    def first_look(self) -> Exchange[bytes]:
        """The epoch, looked up once in a process; a new store gets one.

        Raises:
            RevocationUnavailable: If there is none and this gate may not write, or the entries are lost.
        """
        epoch = self.watch.remembered()
        if epoch is not None:
            return epoch
        epoch = yield from self._epoch_or_new()
        if self.watch.begin(epoch):
            yield from self.eviction.look()
        return epoch

    def after_fork(self) -> None:
        """Take a new lock."""
        self.watch.after_fork()

    def _question(self, ref: TokenRef | ProjectRef) -> tuple[tuple[Subject, ...], Query]:
        """What may have been revoked about a credential, and what asks for all of it at once."""
        subjects = subjects_of(ref)
        group = subjects[0].group()
        beside = self._layout.group_epoch(group) if self._cluster else self._layout.epoch
        keys = (beside, *(self._layout.entry(group, subject) for subject in subjects))
        query: Query = (("EXISTS", *keys), ("MGET", *keys))
        if self._cluster:
            query += (("GET", self._layout.epoch), ("SISMEMBER", self._layout.groups, group))
        return subjects, query

    def _epoch_or_new(self) -> Exchange[bytes]:
        key = self._layout.epoch
        (reply,) = yield from asked((("GET", key),))
        found = as_bytes(reply)
        if found is None:
            written, reply = yield (("SET", key, secrets.token_hex(16), "NX"), ("GET", key))
            if isinstance(written, Exception):
                raise RevocationUnavailable(
                    f"the store has no epoch yet, and this gate may not write one ({written}); "
                    "let a gate that may write ask first, or revoke something"
                )
            found = as_bytes(reply)
        if not found:
            raise RevocationUnavailable("the epoch of the store cannot be read")
        return found

    def _register(self, group: str, epoch: bytes) -> Exchange[None]:
        """In a Cluster, note that a group has entries, and leave the epoch beside them before the first."""
        if not self._cluster:
            return
        (registered,) = yield from asked((("SISMEMBER", self._layout.groups, group),))
        if not registered:
            yield from asked((("SET", self._layout.group_epoch(group), epoch),))
            yield from asked((("SADD", self._layout.groups, group),))

    def _judged(self, ref: TokenRef | ProjectRef, marks: Sequence[tuple[Subject, Mark]]) -> bool:
        for subject, mark in marks:
            self._learn(subject, mark)
        return is_refused(ref, marks)

    def _learn(self, subject: Subject, mark: Mark) -> None:
        if self._local is not None:
            self._local.keep(subject, mark)


def _values(asked_for: int, existing: object, values: object) -> list[bytes | None]:
    found = [as_bytes(value) for value in as_list(values)]
    if len(found) != asked_for or not isinstance(existing, int):
        raise RevocationUnavailable("Redis answered something else than was asked")
    if existing > len(found) - found.count(None):
        # MGET calls a key of another type nil, which must not read as "not revoked".
        raise RevocationUnavailable("a key of the store holds something else than an entry")
    return found


def _marks(subjects: Sequence[Subject], values: Sequence[bytes | None]) -> list[tuple[Subject, Mark]]:
    pairs = zip(subjects, values, strict=True)
    return [(subject, _mark(subject, value)) for subject, value in pairs if value is not None]


def _mark(subject: Subject, value: bytes) -> Mark:
    try:
        about, mark = read_mark(value)
    except ValueError as error:
        raise RevocationUnavailable(f"an entry of the store cannot be read: {error}") from None
    if about != subject:
        raise RevocationUnavailable("an entry of the store is about something else than its key says")
    return mark
