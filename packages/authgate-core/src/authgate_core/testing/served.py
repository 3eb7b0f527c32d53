"""A service on loopback that can be made to misbehave: what the pretended servers of the tests share."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Final, Self

from .server import Answer, Asked, LoopbackServer

__all__ = ["Served"]

_ERROR_PAGE: Final = b"<!doctype html><title>Error</title><p>Please try again later."


@dataclass(frozen=True, slots=True)
class _Mood:
    """How the service answers at present.

    Args:
        delay: Seconds before each answer.
        instead: Sent in the place of the truth.
        paths: Where ``instead`` is sent; None for everywhere.
        over: Set when another mood has taken over, which ends the delay.
    """

    delay: float = 0.0
    instead: Answer | None = None
    paths: frozenset[str] | None = None
    over: threading.Event = field(default_factory=threading.Event)

    def lie(self, path: str) -> Answer | None:
        return self.instead if self.paths is None or path in self.paths else None


class Served(ABC):
    """Is served on 127.0.0.1 while used as a context manager, or between ``start`` and ``stop``.

    One that was stopped and is started again has the same address.
    """

    def __init__(self) -> None:
        self._address: str | None = None
        self._port = 0
        self._server: LoopbackServer | None = None
        self._lock = threading.Lock()
        self._hits: Counter[str] = Counter()
        self._mood = _Mood()

    @abstractmethod
    def _truth(self, asked: Asked) -> Answer:
        """What is answered while nothing is wrong; called from many threads."""

    def start(self) -> Self:
        """Serve; does nothing while served."""
        self._become(lambda mood: mood)
        self._placed().start()
        self._settle()
        return self

    def stop(self) -> None:
        """Serve no longer; requests under way are cut, and no thread is left behind."""
        if self._server is not None:
            self._server.stop()
            self._server = None  # it knows this service: without the circle, keys come back at once for reuse

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def outage(self, status: int | None = 503) -> None:
        """Answer everything with an error status; with None, cut all connections and refuse new ones."""
        if status is None:
            self._placed().refuse()
            self._settle()
        else:
            self.answer(b"", status=status, content_type="text/plain")

    def slow(self, seconds: float) -> None:
        """Hold every request for so long before it is answered, or until ``recover``."""
        self._become(lambda mood: replace(mood, delay=seconds))

    def html(self) -> None:
        """Answer everything with an error page and status 200, as proxies do."""
        self.answer(_ERROR_PAGE, content_type="text/html; charset=utf-8")

    def answer(
        self,
        body: bytes | Iterable[bytes],
        *,
        status: int = 200,
        content_type: str = "application/json",
        headers: Iterable[tuple[str, str]] = (),
        paths: Iterable[str] | None = None,
    ) -> None:
        """Answer with this in the place of the truth, until ``recover``.

        Args:
            body: The body; pieces are sent without a length, one by one.
            status: The HTTP status.
            content_type: The ``Content-Type``.
            headers: Further headers.
            paths: Where; by default everywhere.
        """
        lie = Answer(body, status, content_type, tuple(headers))
        where = None if paths is None else frozenset(paths)
        self._become(lambda mood: replace(mood, instead=lie, paths=where))

    def recover(self) -> None:
        """End ``outage``, ``slow`` and every other untrue answer; requests that are held are answered now."""
        self._become(lambda _: _Mood())
        if self._server is not None and self._server.is_refusing:
            self._server.start()

    @property
    def hits(self) -> Counter[str]:
        """How many requests arrived, by path, counted before they are held or answered; a copy."""
        with self._lock:
            return self._hits.copy()

    def reset_hits(self) -> None:
        """Count from zero again."""
        with self._lock:
            self._hits.clear()

    def _placed(self) -> LoopbackServer:
        if self._server is None:
            self._server = LoopbackServer(self._respond, release=self._release, port=self._port)
        return self._server

    def _settle(self) -> None:
        self._port, self._address = self._placed().port, self._placed().url

    def _respond(self, asked: Asked) -> Answer:
        with self._lock:
            self._hits[asked.path] += 1
            mood = self._mood
        if mood.delay:
            mood.over.wait(mood.delay)
            mood = self._mood
        return mood.lie(asked.path) or self._truth(asked)

    def _become(self, change: Callable[[_Mood], _Mood]) -> None:
        with self._lock:
            before = self._mood
            self._mood = replace(change(before), over=threading.Event())
        before.over.set()

    def _release(self) -> None:
        self._mood.over.set()
