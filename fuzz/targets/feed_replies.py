"""What a Redis server sends to a process that follows the feed of revocations (Laws 3.11, 5.11)."""

from __future__ import annotations

from collections.abc import Iterator

from redis._parsers import _HiredisParser

from authgate_core.events import Notice
from authgate_core.io.redis.copy import StoreCopy
from authgate_core.io.redis.feed import FeedTalk
from authgate_core.io.redis.keeper import Keeper
from authgate_core.io.redis.layout import Layout
from authgate_core.io.redis.protocol import Exchange
from authgate_core.principal import ProjectRef
from authgate_core.revocation import FeedBroken, Mark, Subject, write_mark
from authgate_core.testing import ManualClock

from ..server import EPOCH, HELLO, INFO, NIL, bulk, heard
from ..target import hold

__all__ = ["probe", "seeds"]

_PROJECT = ProjectRef("shop", 1)


def probe(data: bytes) -> None:
    """A snapshot and two reads: the copy follows, is loaded anew, or gives no answer; it never guesses."""
    clock, nobody = ManualClock(), list[Notice]()
    copy = StoreCopy(50, clock)
    layout = Layout("authgate")
    keeper = Keeper(layout, clock, nobody.append, cluster=False, local=None)
    heard(_three_turns(FeedTalk(keeper, layout, copy, clock)), data, _HiredisParser)
    said = copy.known(_PROJECT)
    hold(
        "only a copy with a lease says that nothing is there",
        kept=said != "clear" or copy.replica.is_live(clock.now()),
    )
    clock.advance(1.0)
    hold("a lease is over after a second", kept=copy.known(_PROJECT) != "clear")


def _three_turns(talk: FeedTalk) -> Exchange[None]:
    for _ in range(3):
        try:
            yield from talk.turn()
        except FeedBroken:
            talk.give_up()


def seeds() -> Iterator[bytes]:
    """A store that is empty, one with entries, and one whose feed goes on."""
    mark = bulk(write_mark(Subject("id", None, "token", "t1"), Mark(expires_at=1.9e9)))
    fields = (b"tag", b"x", b"era", b"e", b"number", b"1", b"after", b"", b"life", b"0", b"mark")
    entry = b"*2\r\n" + bulk(b"1-0") + b"*12\r\n" + b"".join(map(bulk, fields)) + mark
    no_head, looked = b"*3\r\n" + NIL * 3, HELLO + EPOCH + HELLO + INFO
    empty = looked + HELLO + b"*0\r\n" + no_head + HELLO
    scanned = HELLO + b"*2\r\n" + bulk(b"0") + b"*0\r\n"
    quiet = HELLO + EPOCH + no_head + b"*-1\r\n"
    head = b"*3\r\n" + bulk(b"e") + bulk(b"1") + bulk(b"x")
    news = HELLO + EPOCH + head + b"*1\r\n*2\r\n" + bulk(b"authgate:feed") + b"*1\r\n" + entry
    found = HELLO + b"*2\r\n" + bulk(b"0") + b"*1\r\n" + bulk(b"authgate:k")
    yield empty + scanned + quiet + quiet
    yield empty + scanned + news + quiet
    yield empty + scanned + quiet + HELLO + bulk(b"other") + no_head + b"*-1\r\n"
    yield (
        looked
        + HELLO
        + b"*1\r\n"
        + entry
        + head
        + HELLO
        + found
        + HELLO
        + b"*1\r\n"
        + mark
        + b":-1\r\n"
        + quiet
    )
    yield looked + HELLO + b"*0\r\n" + head + HELLO + found + HELLO + b"*0\r\n:5\r\n" + quiet
    yield (
        looked + HELLO + b"*0\r\n" + head + HELLO + found + HELLO + b"*2\r\n" + mark + NIL + b":5\r\n" + quiet
    )
