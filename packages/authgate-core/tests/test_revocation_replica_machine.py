"""The copy of a store against any order of writes, reads, losses, failovers and clock jumps (Law 5.11)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from authgate_core.clock import Instant
from authgate_core.principal import TokenRef
from authgate_core.revocation import FeedBroken, FeedEntry, FeedHead, Mark, Replica, Subject

NAMES = tuple(f"j{number}" for number in range(9))
LIMIT = 6
KEPT = 5
"""How many entries of the feed the server keeps."""

TAGS = itertools.count(1)

names = st.sampled_from(NAMES)
delays = st.sampled_from([0.0, 0.01, 0.2, 0.6, 0.999, 1.0, 1.3])


def token(name: str) -> TokenRef:
    """A token of this name."""
    return TokenRef("main", None, name, True, None, "u1", None, 0.0, None, math.inf, None)


@dataclass(slots=True)
class Server:
    """The store: keys with the moment at which they end, and the feed with its head."""

    epoch: bytes = b"epoch-0"
    era: bytes = b""
    number: int = 0
    last: bytes = b""
    clock: int = 0
    keys: dict[str, float] = field(default_factory=dict)
    entries: list[tuple[int, FeedEntry]] = field(default_factory=list)

    def begin(self) -> None:
        if not self.era:
            self.era, self.number, self.last, self.entries = b"%d" % next(TAGS), 0, b"", []

    def write(self, name: str, life: float | None, now: float) -> None:
        self.begin()
        tag = b"%d" % next(TAGS)
        ends = math.inf if life is None else now + life
        self.keys[name] = ends = max(ends, self.keys.get(name, -math.inf))
        left = None if ends == math.inf else ends - now
        subject = Subject("main", None, "token", name)
        self.clock += 1
        added = FeedEntry(tag, self.era, self.number + 1, self.last, left, subject, Mark())
        self.number, self.last = added.number, added.tag
        self.entries = [*self.entries, (self.clock, added)][-KEPT:]

    def head(self) -> FeedHead:
        return FeedHead(self.epoch, self.era, self.number, self.last)

    def after(self, cursor: int, count: int) -> Sequence[tuple[int, FeedEntry]]:
        return [one for one in self.entries if one[0] > cursor][:count]

    def live(self, now: float) -> list[str]:
        return [name for name, ends in self.keys.items() if ends > now]

    def copy(self) -> Server:
        return replace(self, keys=dict(self.keys), entries=list(self.entries))


class ReplicaMachine(RuleBasedStateMachine):
    """Plays the server, every writer and the thread that follows; keeps its own account of what must be refused."""

    def __init__(self) -> None:
        super().__init__()
        self.now = Instant(1_800_000_000.0, 1_000.0)
        self.server = Server()
        self.behind = self.server.copy()
        self.replica = Replica(LIMIT)
        self.cursor = 0
        self.snapshot: Iterator[str] | None = None
        self.written: dict[str, float] = {}
        """When each name was last written to the store as it is now."""
        self.ever: set[str] = set()
        self.sent = -math.inf
        """When the last complete read was sent."""

    # What the world does.

    @rule(span=delays)
    def time_passes(self, span: float) -> None:
        self.now = self.now.plus(span)

    @rule(span=st.floats(-7200, 7200))
    def wall_clock_is_set(self, span: float) -> None:
        self.now = Instant(self.now.wall + span, self.now.mono)

    @rule(name=names, life=st.sampled_from([None, 0.5, 3.0]))
    def revoke(self, name: str, life: float | None) -> None:
        self.server.write(name, life, self.now.mono)
        self.written[name] = self.now.mono
        self.ever.add(name)

    @rule(name=names)
    def revoke_here(self, name: str) -> None:
        self.revoke(name, None)
        self.replica.learn(Subject("main", None, "token", name), Mark(), math.inf)

    @rule()
    def standby_catches_up(self) -> None:
        self.behind = self.server.copy()

    @rule(ahead=st.integers(0, 3))
    def failover(self, ahead: int) -> None:
        """The standby takes over; whatever it had not heard of is lost, and its clock may be behind."""
        self.server = self.behind.copy()
        self.server.clock += ahead
        self.written = {name: at for name, at in self.written.items() if name in self.server.keys}

    @rule()
    def feed_is_deleted(self) -> None:
        self.server.entries = []

    @rule()
    def head_is_deleted(self) -> None:
        self.server.era, self.server.number, self.server.last = b"", 0, b""

    @rule()
    def flushed(self) -> None:
        """Everything is lost, and somebody says that it counts as reloaded."""
        self.server = Server(epoch=b"epoch-%d" % next(TAGS))
        self.behind = self.server.copy()
        self.written = {}
        self.ever = set()
        self.replica.drop()
        self.snapshot = None
        self.load()

    # What the thread does.

    @precondition(lambda self: self.replica.epoch is None)
    @rule()
    def load(self) -> None:
        self.server.begin()
        self.replica.begin(self.server.head(), self.now)
        self.cursor = self.server.entries[-1][0] if self.server.entries else 0
        self.snapshot = iter(self.server.live(self.now.mono))

    @precondition(lambda self: self.snapshot is not None)
    @rule(pages=st.integers(1, 9))
    def pages_come(self, pages: int) -> None:
        """Some keys of the snapshot, each as it is by then; between them the world goes on."""
        assert self.snapshot is not None
        try:
            for _ in range(pages):
                name = next(self.snapshot, None)
                if name is None:
                    self.replica.loaded()
                    self.snapshot = None
                    return
                if self.server.keys.get(name, -math.inf) > self.now.mono:
                    self.replica.add(Subject("main", None, "token", name), Mark(), self.server.keys[name])
        except FeedBroken:
            self.snapshot = None
            assert self.replica.is_full

    @precondition(lambda self: self.replica.epoch is not None)
    @rule(there=delays, back=delays, count=st.integers(1, 9), meanwhile=st.lists(names, max_size=3))
    def read(self, there: float, back: float, count: int, meanwhile: list[str]) -> None:
        """A read that takes its time, with writes between its two halves."""
        sent = self.now
        self.time_passes(there)
        head = self.server.head()
        for name in meanwhile:
            self.revoke(name, None)
        entries = self.server.after(self.cursor, count)
        self.time_passes(back)
        try:
            if self.replica.follow(head, [entry for _, entry in entries], sent, self.now):
                self.sent = sent.mono
            self.cursor = entries[-1][0] if entries else self.cursor
        except FeedBroken:
            assert "ask" == self.replica.known(token("nobody"), self.now)

    @precondition(lambda self: self.replica.epoch is not None)
    @rule()
    def reads_on_undisturbed(self) -> None:
        """With nothing in between, a read is complete or shows that something is missing."""
        self.read(0.0, 0.0, 99, [])
        assert self.replica.is_live(self.now) == (self.replica.epoch is not None)

    @precondition(lambda self: self.replica.epoch is None and self.snapshot is None)
    @rule()
    def loads_undisturbed(self) -> None:
        """With nothing in between, it answers after a load and a read, unless there is more than it may hold."""
        self.load()
        self.pages_come(99)
        if self.replica.epoch is not None:
            self.read(0.0, 0.0, 99, [])
            assert self.replica.is_live(self.now)
        else:
            assert len(self.replica._view.table) + len(self.server.live(self.now.mono)) > LIMIT

    # What must hold.

    @invariant()
    def nothing_is_missed(self) -> None:
        """What the store holds, and held a second ago, is never answered with "clear"."""
        for name in self.server.live(self.now.mono):
            if self.written.get(name, math.inf) <= self.now.mono - 1.0:
                assert "clear" != self.replica.known(token(name), self.now)

    @invariant()
    def nothing_is_made_up(self) -> None:
        """What was never revoked is never answered with "revoked"."""
        for name in set(NAMES) - self.ever:
            assert "revoked" != self.replica.known(token(name), self.now)

    @invariant()
    def it_answers_under_a_lease_only(self) -> None:
        """Without a complete read that was sent within the last second there is no answer."""
        if self.now.mono - self.sent >= 1.0:
            assert "ask" == self.replica.known(token("nobody"), self.now)

    @invariant()
    def memory_is_bounded(self) -> None:
        assert len(self.replica) <= LIMIT + 1
        assert len(self.replica._view.table._endings) <= 2 * (LIMIT + 1) + 64


TestReplicaMachine = ReplicaMachine.TestCase
TestReplicaMachine.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
