"""Subscriptions that are answered in an HTTP response, for as long as their callers are admitted (Law 5.13)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from types import AsyncGeneratorType
from typing import Any, Final, TypeVar, cast

from graphql import OperationType

from . import watch
from .context import known_visit
from .errors import Refusal, refusal

__all__ = ["PLAIN", "are_events", "closable", "ended", "lasting", "watched"]

T = TypeVar("T")

PLAIN: Final[frozenset[type]] = frozenset({str, int, float, bool, type(None), list, dict})
"""What most fields are, and no events: to see that of each item of a list takes a tenth of what ``hasattr`` does."""

_END: Final = object()


async def ended(context: object) -> Refusal | None:
    """Why whoever sent an operation would be refused by now; a WebSocket is closed instead.

    Args:
        context: The context of the operation.
    """
    visit = known_visit(context)
    error = None if visit is None else await visit.ended()
    return None if visit is None or error is None else refusal(error, visit, context)


def watched(events: AsyncGenerator[Any, Any], context: object) -> AsyncGenerator[Any, Any]:
    """The events of a subscription that a guard has let begin: ``lasting``, unless a WebSocket is closed instead."""
    visit = known_visit(context)
    return events if visit is None or visit.is_watched else lasting(events, context)


def are_events(value: object, info: Any) -> bool:  # noqa: ANN401 - of either library
    """Whether the value of a field is what comes of it little by little.

    Args:
        value: The value. Below a subscription and in queries what can be stepped may be meant as a whole, as a cursor
            is that its field's fields read; a generator is not.
        info: What the library knows of the field's place.
    """
    if not hasattr(type(value), "__anext__"):
        return False
    if isinstance(value, AsyncGeneratorType):
        return True
    is_subscribed: bool = info.operation.operation is OperationType.SUBSCRIPTION
    return is_subscribed and info.path.prev is None


def closable(events: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """Events as a generator has them; what else has some may know no end."""
    is_one = isinstance(events, AsyncGeneratorType)
    return cast("AsyncGenerator[T, None]", events) if is_one else _stepped(events)


async def _stepped(events: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    try:
        async for event in events:
            yield event
    finally:
        aclose: Any = getattr(events, "aclose", None)
        if aclose is not None:
            await aclose()


async def lasting(results: AsyncGenerator[T, None], context: object) -> AsyncGenerator[T, None]:
    """The results of an operation, until its caller is admitted no longer.

    Args:
        results: The results. The task that asks for these asks for them, and no other: what an asynchronous
            generator has entered it must leave in the task where it did.
        context: The context of the operation.

    Raises:
        Refusal: If its caller is.
    """
    looking = asyncio.create_task(_refusal(context))
    try:
        async with aclosing(results):
            while (result := await _next(results, looking)) is not _END:
                yield cast("T", result)
        if looking.done():
            raise looking.result()
    finally:
        looking.cancel()


async def _refusal(context: object) -> Refusal:
    while True:
        # The visit heeds one in four, and counts from its first guard.
        await asyncio.sleep(watch.PERIOD / 4)
        refused = await ended(context)
        if refused is not None:
            return refused


async def _next(results: AsyncGenerator[T, None], looking: asyncio.Future[Refusal]) -> object:
    """The next result, or the end: where there is none, or nobody any more who may have it."""
    if looking.done():  # or a source that never waits would never hear of it
        return _END
    patience = asyncio.timeout(None)

    def stop(_: object) -> None:
        with suppress(RuntimeError):  # the result came at the same moment
            patience.reschedule(0)

    try:
        async with patience:
            looking.add_done_callback(stop)
            return await anext(results, _END)
    except TimeoutError:
        if patience.expired():
            return _END
        raise
    finally:
        looking.remove_done_callback(stop)
