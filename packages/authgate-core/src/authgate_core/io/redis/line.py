"""One question and its answer to a Redis server, behind a breaker, for what is no revocation source."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from ...clock import Clock
from ...errors import RevocationUnavailable
from ...events import Notice
from ..forks import survive_fork
from .fuse import Fuse
from .protocol import FAILURES, LIMITS, Limits, Query, unanswered
from .wire import wires_to

__all__ = ["PING", "Line", "LineTerms"]

PING: Final[Query] = (("PING",),)


class LineTerms(NamedTuple):
    """What a line needs besides its server.

    Args:
        source: What the store is called in notices.
        what: What it holds, with which the codes of its notices begin.
        clock: Where it gets the time from.
        notice: Told what an operator should know.
        limits: How long the server may take, where it is given by a URL (Law 5.4).
    """

    source: str
    what: str
    clock: Clock
    notice: Callable[[Notice], None]
    limits: Limits = LIMITS

    def fuse(self) -> Fuse:
        """A new breaker."""
        return Fuse(self.clock, self.notice, self.source, self.what)


class Line:
    """Asks a Redis server, for threads and forked processes.

    Args:
        client_or_url: A URL, or a redis-py client, of which nothing is wrong.
        terms: What else it needs.
    """

    def __init__(self, client_or_url: object, terms: LineTerms) -> None:
        self._terms = terms
        self._new_wire = wires_to(client_or_url, terms.limits)
        self._begin()
        survive_fork(self)

    def _begin(self) -> None:
        self._wire = self._new_wire()
        self._fuse = self._terms.fuse()
        self._stop = threading.Event()

    def ask(self, query: Query) -> Sequence[object]:
        """The replies to a query, error replies among them.

        Raises:
            RevocationUnavailable: If there are none, or the breaker is open.
        """
        self._fuse.check()
        try:
            replies = self._wire.exchange(query, time.monotonic() + self._terms.limits.total)
        except FAILURES as error:
            reason = unanswered(error)
            if self._fuse.failed(reason):
                work = (weakref.ref(self), self._fuse, self._stop)
                threading.Thread(target=_probe, args=work, name="authgate-redis-probe", daemon=True).start()
            raise RevocationUnavailable(reason) from error
        self._fuse.succeeded()
        return replies

    def answers(self) -> bool:
        """Whether the server answers at all, whatever the breaker says."""
        try:
            self._wire.exchange(PING, time.monotonic() + self._terms.limits.total)
        except FAILURES:
            return False
        return True

    def close(self) -> None:
        """Close the connections that were built from a URL, and end the probing."""
        self._stop.set()
        self._wire.close()
        self._begin()

    def after_fork(self) -> None:
        """Begin anew in a forked child: connections, locks and probes are the parent's (Law 9.5)."""
        self._begin()


def _probe(line_ref: weakref.ref[Line], fuse: Fuse, stop: threading.Event) -> None:
    """Probe a server until it answers, or its line is closed or gone (Law 5.5)."""
    while fuse.is_open and not stop.wait(fuse.rest()):
        line = line_ref()
        if line is None:
            return
        if fuse.start_probe():
            fuse.end_probe(succeeded=line.answers())
        del line
