"""What is asked of the feed of a store, and how its replies read (Law 5.11)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from ...clock import Clock
from ...revocation import FeedBroken, FeedEntry, FeedHead, Mark, Subject, read_mark
from .conversation import asked
from .copy import StoreCopy
from .keeper import Keeper
from .layout import Layout, begin
from .protocol import HELLO, Command, Exchange, Query, as_bytes, as_list, is_cluster

__all__ = ["BLOCK", "FeedTalk"]

BLOCK: Final = 0.2
"""How long a read waits for an entry, in seconds; servers round it up to their next tick, of a tenth of a second.

A lease counts from when a read was sent and is renewed when the reply to the next one is there, so about half of its
second is left for whatever is slow.
"""

_MOST: Final = 1000
_PAGE: Final = 1000
_NUMBER: Final = re.compile(rb"0|[1-9][0-9]{0,15}")
_START: Final = b"0-0"


class _Written(NamedTuple):
    """An entry and where it stands in the stream."""

    id: bytes
    entry: FeedEntry


class FeedTalk:
    """The conversations by which one thread keeps a copy of a store.

    Args:
        keeper: Knows which epoch is believed.
        layout: Where everything is.
        copy: What is kept up to date, in a replica that nobody else writes to.
        clock: Where the time comes from.
    """

    def __init__(self, keeper: Keeper, layout: Layout, copy: StoreCopy, clock: Clock) -> None:
        self._keeper = keeper
        self._layout = layout
        self._replica = copy.renew()
        self._lock = copy.lock
        self._clock = clock
        self._cursor = _START
        self._was_answered = False

    def turn(self) -> Exchange[bool]:
        """Load the store, or read on; says whether the copy has a lease.

        Raises:
            FeedBroken: If it has to be loaded anew.
            RevocationUnavailable: If the server answers something else than was asked, or its entries are lost.
        """
        epoch = self._replica.epoch
        if epoch is None:
            yield from self._load()
            return False
        return (yield from self._read(epoch))

    def _load(self) -> Exchange[None]:
        """Take a snapshot, after having looked where in the feed it begins."""
        epoch = yield from self._keeper.first_look()
        look: Query = (
            ("XREVRANGE", self._layout.feed, "+", "-", "COUNT", 1),
            _head(self._layout),
            HELLO,
        )
        newest, head, hello = yield from asked(look)
        if is_cluster(hello):
            # Law 5.11: who writes by a client for Clusters tells no feed, so that it would seem complete for ever.
            raise FeedBroken("the server is a node of a Cluster, where there is no feed; leave out feed=True")
        if _is_unbegun(head):
            yield from self._begin()
            newest, head, _ = yield from asked(look)
        # Behind the newest entry even if it is none of ours, which would break every read again.
        self._cursor = next((_text(_pair(one)[0]) for one in as_list(newest)), _START)
        with self._lock:
            self._replica.begin(_head_of(epoch, head), self._clock.now())
        page = b""
        while page != b"0":
            scan: Command = ("SCAN", page or b"0", "MATCH", self._layout.entries, "COUNT", _PAGE)
            (found,) = yield from asked((scan,))
            page, keys = _page_of(found)
            if keys:
                yield from self._take(keys)
        with self._lock:
            self._replica.loaded()

    def _begin(self) -> Exchange[None]:
        """Begin the feed: a copy of none could not see that one was begun, written and deleted between two reads."""
        (begun,) = yield (begin(self._layout),)
        if isinstance(begun, Exception):
            raise FeedBroken(
                f"no feed was begun yet, and this gate may not begin it ({begun}); "
                "let a gate that may write ask first, or revoke something"
            )

    def _take(self, keys: Sequence[bytes]) -> Exchange[None]:
        query: Query = (("MGET", *keys), *(("PTTL", key) for key in keys))
        values, *lives = yield from asked(query)
        now, found = self._clock.now().mono, as_list(values)
        if len(found) != len(keys):
            raise FeedBroken("Redis answered something else than was asked")
        ended = ((as_bytes(value), _life_of(life)) for value, life in zip(found, lives, strict=True))
        marks = [(_mark_of(value), now + left) for value, left in ended if left is not None]
        with self._lock:
            for (subject, mark), ends in marks:
                self._replica.add(subject, mark, ends)

    def _read(self, epoch: bytes) -> Exchange[bool]:
        """Read the next entries, and wait for them a while where the copy answers meanwhile.

        After a read that was cut off the next one does not wait: a server that goes on closing connections answers
        it in time, and the lease is renewed before it is over.
        """
        sent = self._clock.now()
        may_wait = self._was_answered and self._replica.is_live(sent)
        waiting = ("BLOCK", round(BLOCK * 1000)) if may_wait else ()
        self._was_answered = False
        read: Command = ("XREAD", "COUNT", _MOST, *waiting, "STREAMS", self._layout.feed, self._cursor)
        found, head, news = yield from asked((("GET", self._layout.epoch), _head(self._layout), read))
        heard = self._clock.now()
        if as_bytes(found) != epoch:
            self.give_up()
        self._keeper.watch.require(as_bytes(found), epoch)
        written = _entries_of(news)
        with self._lock:
            live = self._replica.follow(_head_of(epoch, head), [one.entry for one in written], sent, heard)
        if written:
            self._cursor = written[-1].id
        self._was_answered = True
        return live

    def give_up(self) -> None:
        """Have the next turn load the store anew."""
        with self._lock:
            self._replica.drop()


def _head(layout: Layout) -> Command:
    return ("HMGET", layout.head, "era", "number", "last")


def _is_unbegun(head: object) -> bool:
    """Whether nothing names a newest entry: nobody wrote yet, or somebody deleted what did."""
    return as_list(head) == [None, None, None]


def _head_of(epoch: bytes, reply: object) -> FeedHead:
    match [as_bytes(field) for field in as_list(reply)]:
        case [bytes() as era, bytes() as number, bytes() as last]:
            return FeedHead(epoch, era, _number(number), last)
        case _:
            raise FeedBroken("what names the newest entry of the feed cannot be read")


def _entries_of(reply: object) -> list[_Written]:
    """The entries in a reply to XREAD about one stream; none where it waited in vain."""
    streams = as_list(reply)
    if not streams:
        return []
    _, written = _pair(streams[0])
    pairs = map(_pair, as_list(written))
    return [_Written(_text(where), _entry_of(fields)) for where, fields in pairs]


def _entry_of(fields: object) -> FeedEntry:
    match [as_bytes(field) for field in as_list(fields)]:
        case [
            b"tag", bytes() as tag,
            b"era", bytes() as era,
            b"number", bytes() as number,
            b"after", bytes() as after,
            b"life", bytes() as life,
            b"mark", bytes() as mark,
        ]:  # fmt: skip
            lasts = _number(life) / 1000 or None
            return FeedEntry(tag, era, _number(number), after, lasts, *_mark_of(mark))
        case _:
            raise FeedBroken("an entry of the feed cannot be read")


def _page_of(reply: object) -> tuple[bytes, list[bytes]]:
    """Where a scan goes on, and the keys that it found."""
    page, keys = _pair(reply)
    return _text(page), [_text(key) for key in as_list(keys)]


def _life_of(reply: object) -> float | None:
    """How long a key has left, in seconds; None for one that is gone."""
    match reply:
        case -1:
            return math.inf
        case int() if reply >= 0:
            return reply / 1000
        case _:
            return None


def _mark_of(value: bytes | None) -> tuple[Subject, Mark]:
    if value is None:
        raise FeedBroken("a key of the store holds something else than an entry")
    try:
        return read_mark(value)
    except ValueError:
        raise FeedBroken("an entry cannot be read") from None


def _number(value: bytes) -> int:
    if _NUMBER.fullmatch(value) is None:
        raise FeedBroken("a number of the feed is none")
    return int(value)


def _pair(reply: object) -> tuple[object, object]:
    found = as_list(reply)
    if len(found) != 2:
        raise FeedBroken("Redis answered something else than was asked")
    return found[0], found[1]


def _text(reply: object) -> bytes:
    found = as_bytes(reply)
    if found is None:
        raise FeedBroken("Redis answered something else than was asked")
    return found
