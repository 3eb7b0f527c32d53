"""A process that follows the feed while its connection, its server and the feed itself are tormented (Law 5.11).

Run as a program by ``packages/authgate-core/tests/test_law_feed.py``, which revokes; this one looks at what was revoked
over and over, and tells at its end what it saw.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import random
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from unittest import mock

from authgate_core.errors import RevocationUnavailable
from authgate_core.io.redis import RedisStore, follower
from authgate_core.principal import TokenRef
from authgate_core.revocation import RedisRevocation

__all__ = ["Board", "Seen", "token"]

_WITHIN: Final = 1.0
_AT_A_TIME: Final = 60


def token(number: int) -> TokenRef:
    """The token of this number."""
    return TokenRef("main", "t1", f"j{number}", True, None, "u1", None, 0.0, None, 4e9, None)


class Board:
    """What the processes of one test share: when each revocation was confirmed, and two words of the one that revokes.

    Args:
        path: A file, which is made if it is not there.
        count: How many revocations there will be.
    """

    def __init__(self, path: Path, count: int) -> None:
        size = 8 * (count + 2)
        if not path.exists():
            path.write_bytes(bytes(size))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), size)
        self._view = memoryview(self._map).cast("d")
        self._count = count

    def confirm(self, number: int) -> None:
        """A revocation is confirmed now."""
        self._view[number] = time.monotonic()

    def confirmed(self, number: int) -> float:
        """When it was, in the monotonic seconds that all processes share; 0 where it was not."""
        return self._view[number]

    @property
    def reloads(self) -> int:
        """How many times everybody was told that the store counts as reloaded."""
        return int(self._view[self._count])

    def reload(self) -> None:
        """Tell everybody so once more."""
        self._view[self._count] += 1

    @property
    def is_over(self) -> bool:
        """Whether everything was revoked and nothing is tormented any more."""
        return bool(self._view[self._count + 1])

    def end(self) -> None:
        """Say so."""
        self._view[self._count + 1] = 1

    def newest(self, known: int) -> int:
        """How many are confirmed, given that so many are."""
        while known < self._count and self._view[known]:
            known += 1
        return known


@dataclass(slots=True)
class Seen:
    """What one process saw.

    Args:
        missed: The numbers of those that passed later than they may.
        lags: Of each, for how long after its confirmation it passed, seconds.
        copied: How many answers came from the copy.
        asked: For how many Redis had to be asked.
        entries: The most that the copy ever held.
        ended_as: How the feed was at the end, when nothing tormented it any more.
    """

    missed: list[int] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    copied: int = 0
    asked: int = 0
    entries: int = 0
    ended_as: str = ""


class _Watcher:
    def __init__(self, store: RedisStore, board: Board, count: int) -> None:
        self._store = store
        self._board = board
        self._count = count
        self._seen = Seen(lags=[0.0] * count)
        self._random = random.Random(4)
        self._reloads = self._newest = 0

    def watch(self) -> Seen:
        """Look until it is over, then once more at all."""
        parent = os.getppid()
        while not self._board.is_over and parent == os.getppid():
            self._reload()
            self._newest = self._board.newest(self._newest)
            self._look(range(max(0, self._newest - _AT_A_TIME), self._newest))
            self._look(self._random.sample(range(self._newest), min(_AT_A_TIME, self._newest)))
            time.sleep(0.02)
        self._settle()
        self._look(range(self._count))
        return self._seen

    def _look(self, numbers: range | list[int]) -> None:
        for turn, number in enumerate(numbers):
            self._judge(number, asks=turn % 50 == 0)
        feed = self._store.health().feed
        assert feed is not None
        self._seen.entries = max(self._seen.entries, feed.entries)
        self._seen.ended_as = feed.status

    def _judge(self, number: int, *, asks: bool) -> None:
        """Whether a token passes now; of those that must be asked about, some are."""
        before = time.monotonic()
        known = self._store.known(token(number))
        if known == "ask":
            self._seen.asked += 1
            if not asks:
                return
            try:
                passes = not self._store.is_revoked(token(number))
            except RevocationUnavailable:
                return
        else:
            self._seen.copied += 1
            passes = known == "clear"
        if passes:
            self._passed(number, before - self._board.confirmed(number))

    def _passed(self, number: int, lag: float) -> None:
        self._seen.lags[number] = max(self._seen.lags[number], lag)
        if lag >= _WITHIN:
            self._seen.missed.append(number)

    def _reload(self) -> None:
        if self._reloads < self._board.reloads:
            try:
                self._store.reload()
            except RevocationUnavailable:
                return
            self._reloads += 1

    def _settle(self) -> None:
        """Wait until the copy answers, or until it is plain that it will not."""
        patience = time.monotonic() + 15.0
        while time.monotonic() < patience and self._store.known(token(0)) == "ask":
            self._reload()
            feed = self._store.health().feed
            if feed is not None and feed.status == "full":
                return
            time.sleep(0.05)


def main(url: str, prefix: str, limit: int, path: Path, count: int) -> None:
    """Follow, watch and tell."""
    spec = RedisRevocation(url, prefix=prefix, feed=True, feed_limit=limit)
    store = RedisStore(spec, notice=lambda _: None)
    while True:
        with contextlib.suppress(RevocationUnavailable):
            store.warm_up()
            break
    print("ready", flush=True)  # noqa: T201 - this is how it speaks to the test
    seen = _Watcher(store, Board(path, count), count).watch()
    store.close()
    shown = {name: getattr(seen, name) for name in Seen.__dataclass_fields__}
    print(json.dumps(shown), flush=True)  # noqa: T201 - as above


if __name__ == "__main__":
    # Else the test would mostly wait for copies to be loaded again.
    with mock.patch.object(follower, "_LONGEST_PAUSE", 2.0):
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]), int(sys.argv[5]))
