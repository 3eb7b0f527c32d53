"""The thread that listens to a Redis server, and connects anew whenever it is cut off."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from ...events import Notice
from ..forks import survive_fork
from .ear import BEAT, Ear
from .protocol import FAILURES, unanswered
from .sockets import connections_to

__all__ = ["Listener"]

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0


class Listener:
    """Hears what is published, on a daemon thread of the process that started it.

    The server keeps nothing for who is not there, so what is published in between is missed; that it may have been
    is told.

    Args:
        url: Where the server is.
        channels: What to listen to.
        deliver: Called on the thread with each message: the channel, what was published, and what is set once
            nobody waits for it any more. The next message waits for it to return.
        notice: Told what an operator should know.
        source: Who publishes, for notices.

    Raises:
        ConfigurationError: If files that the URL names are of no use.
    """

    def __init__(
        self,
        url: str,
        channels: Sequence[str],
        deliver: Callable[[str, bytes, threading.Event], None],
        notice: Callable[[Notice], None],
        source: str,
    ) -> None:
        self._new = connections_to(url)
        self._channels = tuple(channels)
        self._deliver = deliver
        self._notice = notice
        self._source = source
        self._inherited: object = None
        self._begin()
        survive_fork(self)

    def _begin(self) -> None:
        self._stop = threading.Event()
        self._hears = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to listen, unless that was done in this process."""
        if self._thread is None:
            work = (self._stop, self._hears)
            self._thread = threading.Thread(
                target=self._listen, args=work, name="authgate-events", daemon=True
            )
            self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait until it hears; whether it does."""
        return self._hears.wait(seconds)

    def close(self) -> None:
        """Listen no more; returns once nothing is delivered any more, or after the last delivery took too long."""
        stop, thread = self._stop, self._thread
        stop.set()
        self._begin()
        if thread is not None and thread is not threading.current_thread():
            thread.join(4 * BEAT)

    def after_fork(self) -> None:
        """Forget the parent's thread and its connection, which a child must not close (Law 9.5)."""
        self._inherited = (self._inherited, self._thread)
        self._begin()

    def _listen(self, stop: threading.Event, hears: threading.Event) -> None:
        failures, silent_since = 0, 0.0
        while not stop.is_set():
            ear = Ear(self._new(), self._channels)
            try:
                ear.open()
                if failures:
                    self._tell_back(time.monotonic() - silent_since)
                failures = 0
                hears.set()
                self._hear(ear, stop)
            except FAILURES as error:
                hears.clear()
                failures += 1
                if failures == 1:
                    silent_since = time.monotonic()
                    self._tell_lost(unanswered(error))
                stop.wait(_pause(failures))
            finally:
                ear.close()

    def _hear(self, ear: Ear, stop: threading.Event) -> None:
        while not stop.is_set():
            message = ear.next()
            if message is not None and not stop.is_set():
                self._deliver(*message, stop)

    def _tell_lost(self, reason: str) -> None:
        text = f"what is published is not heard until the server answers again, and is lost: {reason}"
        self._notice(Notice("events_lost", self._source, text, alarm=True))

    def _tell_back(self, seconds: float) -> None:
        text = f"what is published is heard again; what was in the last {seconds:.0f} s is lost"
        self._notice(Notice("events_back", self._source, text))


def _pause(failures: int) -> float:
    longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(failures - 1, 16))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads the processes of a whole service
