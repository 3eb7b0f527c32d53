"""Subscriptions to what an m8 publishes, in both colours."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import wait
from typing import TYPE_CHECKING, Final, Literal, Self, TypeVar

from ..errors import AuthUnavailable, ConfigurationError
from ..gate import AsyncGate, Gate
from ..revocation import masked_url
from .deletions import Cut, Deletions, pauses, subscription_problems
from .events import DELETED, Handlers, Unreadable

if TYPE_CHECKING:
    from ..io.redis.listener import Listener

__all__ = ["AsyncEventSubscription", "EventSubscription"]

T = TypeVar("T")

_AT_ONCE: Final = 2.0
"""How long a start waits until what is published is heard, in seconds; after that it goes on in the background."""
_GLANCE: Final = 0.1


class _Subscription:
    """What both colours share: who takes what, and the thread that listens.

    Args:
        gate: The gate whose revocations are written.
        url: Where the m8 publishes.
        issuer: The configured name of the m8, or None for the only issuer.
        colour: Of the gate and of every handler.
    """

    def __init__(
        self, gate: Gate | AsyncGate, url: str, issuer: str | None, colour: Literal["sync", "async"]
    ) -> None:
        problems = tuple(subscription_problems(type(self).__name__, gate, url, issuer))
        if problems:
            raise ConfigurationError(*problems)
        self._url = url
        self._deletions = Deletions(gate, issuer)
        self._handlers = Handlers(colour)
        self._listener: Listener | None = None

    @property
    def hears(self) -> bool:
        """Whether what is published is heard at this moment."""
        return self._listener is not None and self._listener.wait(0.0)

    def _begin(self, deliver: Callable[[str, bytes, threading.Event], None]) -> Listener:
        if self._listener is None:
            from ..io.redis.listener import Listener  # which needs redis-py, as was checked

            channels = dict.fromkeys((DELETED, *self._handlers.channels))
            self._listener = Listener(self._url, tuple(channels), deliver, self._deletions.notice, "m8")
        self._listener.start()
        return self._listener

    def _end(self) -> None:
        if self._listener is not None:
            self._listener.close()

    def _take(self, channel: str, kind: type[T], handler: Callable[[T], object]) -> None:
        if self._listener is not None:
            raise ConfigurationError("on: name every handler before the subscription is started")
        self._handlers.add(channel, kind, handler)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({masked_url(self._url)!r}, issuer={self._deletions.issuer!r})"


class EventSubscription(_Subscription):
    """Hears what an m8 publishes, on a thread; who was deleted is revoked before any handler knows of it.

    A deletion is written with ``revoke_before`` into every source of the gate that takes entries: what was issued to
    that user until then is refused from the next request on, by every process that asks the same store. While the
    store does not answer it is tried again, and what is published meanwhile waits.

    What is published while nobody is connected is lost, and ``events_lost`` and ``events_back`` tell when that was:
    such a user is refused once the tokens expire. A handler that raises is reported, and the next is called. In a
    forked child nothing is heard until the subscription is started there.

    Args:
        gate: The gate whose revocations are written.
        url: Where the m8 publishes: ``redis://``, ``rediss://`` or ``unix://``.
        issuer: The configured name of the m8, where the gate has several issuers.

    Raises:
        ConfigurationError: Naming everything that is wrong, such as a gate without a source that takes entries.
    """

    def __init__(self, gate: Gate, url: str, *, issuer: str | None = None) -> None:
        super().__init__(gate, url, issuer, "sync")
        self._revocations = gate.revocations

    def on(self, channel: str, kind: type[T], handler: Callable[[T], object]) -> None:
        """Have what is published on a channel given to a handler, on the thread of the subscription.

        Args:
            channel: The channel, such as ``user.deleted``.
            kind: What it is read as, a dataclass or pydantic model, such as ``UserDeleted``. What does not fit is
                reported, and this handler not called.
            handler: A function that is not async.

        Raises:
            ConfigurationError: If the kind or the handler is none, or the subscription was started.
        """
        self._take(channel, kind, handler)

    def start(self) -> None:
        """Begin to listen, and wait a moment until that is so; while the server is down it is tried again."""
        self._begin(self._deliver).wait(_AT_ONCE)

    def close(self) -> None:
        """Listen no more."""
        self._end()

    def _deliver(self, channel: str, data: bytes, stop: threading.Event) -> None:
        if channel == DELETED:
            cut = self._deletions.read(data)
            if cut is None or not self._revoke(cut, stop):
                return
        for handler in self._handlers.of(channel):
            try:
                handler.call(handler.read(data))
            except Unreadable as error:
                self._deletions.unreadable(channel, error)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it raises, others are called
                self._deletions.failed(channel, handler.name, error)

    def _revoke(self, cut: Cut, stop: threading.Event) -> bool:
        """Write it, however long that takes; whether the handlers may know of it."""
        waiting = pauses()
        while not self._is_written(cut):
            if stop.wait(next(waiting)):
                return False
        return True

    def _is_written(self, cut: Cut) -> bool:
        try:
            self._revocations.revoke_before(cut.moment, subject=cut.subject, issuer=cut.issuer)
        except AuthUnavailable as outage:
            self._deletions.waits(cut, outage)
            return False
        except Exception as error:  # noqa: BLE001 - a store of the application's own
            self._deletions.failed(DELETED, "revoke_before", error)
        return True

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class AsyncEventSubscription(_Subscription):
    """``EventSubscription`` for ``AsyncGate``: handlers are async, and run in the loop that started it.

    Args:
        gate: As for ``EventSubscription``.
        url: As for ``EventSubscription``.
        issuer: As for ``EventSubscription``.

    Raises:
        ConfigurationError: As for ``EventSubscription``.
    """

    def __init__(self, gate: AsyncGate, url: str, *, issuer: str | None = None) -> None:
        super().__init__(gate, url, issuer, "async")
        self._revocations = gate.revocations
        self._loop: asyncio.AbstractEventLoop | None = None

    def on(self, channel: str, kind: type[T], handler: Callable[[T], Awaitable[object]]) -> None:
        """As ``EventSubscription.on``; the handler is async."""
        self._take(channel, kind, handler)

    async def start(self) -> None:
        """As ``EventSubscription.start``."""
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._begin(self._deliver).wait, _AT_ONCE)

    async def aclose(self) -> None:
        """As ``EventSubscription.close``."""
        await asyncio.to_thread(self._end)

    def _deliver(self, channel: str, data: bytes, stop: threading.Event) -> None:
        """Have the loop handle a message, and wait for that as long as anybody wants it."""
        loop = self._loop
        if loop is None or loop.is_closed():
            stop.set()
            return
        handled = asyncio.run_coroutine_threadsafe(self._handle(channel, data), loop)
        while not wait((handled,), _GLANCE).done:
            if stop.is_set() or loop.is_closed():
                handled.cancel()
                return

    async def _handle(self, channel: str, data: bytes) -> None:
        if channel == DELETED:
            cut = self._deletions.read(data)
            if cut is None:
                return
            await self._revoke(cut)
        for handler in self._handlers.of(channel):
            try:
                await handler.call(handler.read(data))
            except Unreadable as error:
                self._deletions.unreadable(channel, error)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
                self._deletions.failed(channel, handler.name, error)

    async def _revoke(self, cut: Cut) -> None:
        for pause in pauses():
            if await self._is_written(cut):
                return
            await asyncio.sleep(pause)

    async def _is_written(self, cut: Cut) -> bool:
        try:
            await self._revocations.revoke_before(cut.moment, subject=cut.subject, issuer=cut.issuer)
        except AuthUnavailable as outage:
            self._deletions.waits(cut, outage)
            return False
        except Exception as error:  # noqa: BLE001 - as above
            self._deletions.failed(DELETED, "revoke_before", error)
        return True

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()
