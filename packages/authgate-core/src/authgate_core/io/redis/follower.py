"""The thread that keeps a process's copy of a store up to date, and what is told of it (Law 5.11)."""

from __future__ import annotations

import math
import random
import threading
import time
import weakref
from collections.abc import Callable
from typing import Final

from ...clock import Clock
from ...errors import RevocationUnavailable
from ...events import Notice
from ...revocation import FeedBroken, FeedHealth
from .copy import StoreCopy
from .feed import BLOCK, FeedTalk
from .protocol import FAILURES, Exchange, Limits, unanswered
from .wire import Wire

__all__ = ["FEED_LIMITS", "Follower"]

FEED_LIMITS: Final = Limits(connect=1.0, reply=BLOCK + 0.75, total=2.5)
"""How long the server may take to answer the thread, whose every read waits for entries."""

_FIRST_PAUSE: Final = 0.1
_LONGEST_SILENCE: Final = 2.0
"""The longest pause while the server does not answer, in seconds."""

_LONGEST_PAUSE: Final = 30.0
"""The longest pause before the store is loaded anew, in seconds: that costs the server most."""

_SETTLED: Final = 10.0
"""What broke the copy counts no more after it was followed for so many seconds."""


class Follower:
    """Follows the feed of one store on a daemon thread, which begins at the first check in each process.

    Args:
        copy: What is kept up to date.
        new_talk: Makes the conversations that do so.
        new_wire: Makes the connection of the thread.
        clock: Where it gets the time from.
        notice: Told when the copy stops answering, and when it does again.
        answered: Told whenever the copy is found to be up to date.
    """

    def __init__(
        self,
        copy: StoreCopy,
        new_talk: Callable[[], FeedTalk],
        new_wire: Callable[[], Wire],
        clock: Clock,
        notice: Callable[[Notice], None],
        answered: Callable[[], None],
    ) -> None:
        self._copy = copy
        self._new_talk = new_talk
        self._new_wire = new_wire
        self._clock = clock
        self._notice = notice
        self._answered = answered
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._silent = self._broken = 0
        self._resumed = -math.inf
        self._is_missed = False
        self._last_error: str | None = None

    def ensure(self) -> None:
        """Have the thread run in this process."""
        thread = self._thread
        if thread is None or not thread.is_alive():
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            work = (weakref.ref(self), self._new_talk(), self._new_wire(), self._stop)
            thread = threading.Thread(target=_follow, args=work, name="authgate-redis-feed", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no thread can be had, as at interpreter exit: Redis is asked
                return
            self._thread = thread

    def close(self) -> None:
        """End the thread, at the latest when its read is over; the next check begins another one."""
        self._stop.set()
        self._begin()
        self._copy.renew()

    def after_fork(self) -> None:
        """Forget the parent's thread (Law 9.5)."""
        self._begin()
        self._copy.after_fork()

    def health(self) -> FeedHealth:
        """How the copy is."""
        replica, now = self._copy.replica, self._clock.now()
        return FeedHealth(
            status="full" if replica.is_full else "live" if replica.is_live(now) else "down",
            age=replica.age(now),
            entries=len(replica),
            limit=replica.limit,
            last_error=self._last_error,
        )

    def turn(self, talk: FeedTalk, wire: Wire) -> float:
        """Load or read once; answers how long to wait before the next time, in seconds."""
        try:
            live = _carried(talk.turn(), wire)
        except FeedBroken as broken:
            talk.give_up()
            pause = self._pause_of_broken()
            reason = broken.reason
        except (RevocationUnavailable, *FAILURES) as error:
            reason = error.reason if isinstance(error, RevocationUnavailable) else unanswered(error)
            self._silent += 1
            pause = _doubled(self._silent, _LONGEST_SILENCE)
        else:
            self._silent = 0
            if live:
                self._answers()
            return 0.0
        self._last_error = reason
        self._misses(reason)
        return pause * random.uniform(0.5, 1.0)  # noqa: S311 - spreads the processes of a whole service

    def _pause_of_broken(self) -> float:
        now = self._clock.now().mono
        self._broken = self._broken + 1 if now - self._resumed < _SETTLED else 1
        full = self._copy.replica.is_full
        pause = _LONGEST_PAUSE if full else _doubled(self._broken, _LONGEST_PAUSE)
        self._resumed = now + pause
        return pause

    def _misses(self, reason: str) -> None:
        if self._is_missed or self._copy.replica.is_live(self._clock.now()):
            return
        self._is_missed = True
        text = f"the feed cannot be followed, so Redis is asked at every request: {reason}"
        self._notice(Notice("revocation_feed_lost", "redis", text))

    def _answers(self) -> None:
        self._answered()
        if self._is_missed:
            self._is_missed = False
            self._notice(
                Notice("revocation_feed_back", "redis", "the feed is followed again; Redis is not asked")
            )


def _doubled(failures: int, most: float) -> float:
    return min(most, _FIRST_PAUSE * 2.0 ** min(failures - 1, 16))


def _carried(talk: Exchange[bool], wire: Wire) -> bool:
    """Carry on a conversation; each query has a limit of its own."""
    try:
        query = next(talk)
        while True:
            query = talk.send(wire.exchange(query, time.monotonic() + FEED_LIMITS.total))
    except StopIteration as end:
        answer: bool = end.value
        return answer


def _follow(follower_ref: weakref.ref[Follower], talk: FeedTalk, wire: Wire, stop: threading.Event) -> None:
    """Follow until the store is closed or gone."""
    try:
        while not stop.is_set():
            follower = follower_ref()
            if follower is None:
                return
            pause = follower.turn(talk, wire)
            del follower
            stop.wait(pause)
    finally:
        wire.close()
