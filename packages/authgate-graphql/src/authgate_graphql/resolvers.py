"""Resolvers behind a guard, each of the colour that it had."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial, wraps
from inspect import isasyncgenfunction, isawaitable, iscoroutinefunction
from types import CoroutineType
from typing import Any, Final, TypeVar, cast

from authgate_core import AuthgateError

from .checks import check, is_checked
from .context import known_visit
from .errors import worded
from .requirement import Requirement
from .streams import PLAIN, are_events, closable, watched

__all__ = ["REQUIREMENTS", "Place", "guarded", "requirements_of"]

R = TypeVar("R", bound=Callable[..., Any])  # a resolver takes and returns whatever its field does


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resolver takes ``info``.

    Args:
        index: Its place among the positional arguments, where it is one.
        name: Its name, where it is given by that.
    """

    index: int
    name: str

    def info(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ANN401 - of either library
        """What is found among the arguments of a resolver."""
        return args[self.index] if len(args) > self.index else kwargs[self.name]


_AFTER_ROOT: Final = 1
_ABSENT: Final = object()

REQUIREMENTS = "__authgate_requirements__"
"""Where a resolver keeps what its guards ask."""


def requirements_of(resolver: object) -> tuple[Requirement, ...]:
    """What the guards of a resolver ask; nothing where it has none."""
    asked: tuple[Requirement, ...] = getattr(resolver, REQUIREMENTS, ())
    return asked


def guarded(resolver: R, requirement: Requirement, place: Place) -> R:
    """A resolver behind a guard.

    Args:
        resolver: A function, a coroutine function, or the asynchronous generator of a subscription.
        requirement: What the guard asks.
        place: Where it takes ``info``.
    """
    if isasyncgenfunction(resolver):
        made = _before_stream(resolver, requirement, place)
    elif iscoroutinefunction(resolver):
        made = _before_async(resolver, requirement, place)
    else:
        made = _before(resolver, requirement, place)
        if place.index == _AFTER_ROOT:
            made = _before_item(resolver, requirement, made)
    vars(made)[REQUIREMENTS] = (requirement, *requirements_of(resolver))
    return cast("R", made)


def _before_item(
    resolver: Callable[..., Any], requirement: Requirement, before: Callable[..., Any]
) -> Callable[..., Any]:
    """The same for each item of a list: a field without arguments, of a request that was let in before.

    Unpacking arguments costs as much as the check itself.
    """

    @wraps(resolver)
    def resolve(root: Any = _ABSENT, info: Any = _ABSENT, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - what the resolver returns
        if args or kwargs or info is _ABSENT:
            given = (one for one in (root, info) if one is not _ABSENT)
            return before(*given, *args, **kwargs)
        context = info.context
        visit = known_visit(context)
        if visit is None or visit.passed.get(requirement) is not context:
            return before(root, info)
        try:
            value: object = resolver(root, info)
        except AuthgateError as error:
            raise worded(error, visit, context) from None
        if type(value) is CoroutineType:
            return _awaited(cast("Awaitable[Any]", value), info)
        return value if type(value) in PLAIN else _lasting(value, info)

    return resolve


def _before(resolver: Callable[..., Any], requirement: Requirement, place: Place) -> Callable[..., Any]:
    index, name = place.index, place.name

    @wraps(resolver)
    def resolve(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - what the resolver returns
        try:
            info = args[index]
        except IndexError:
            info = kwargs[name]
        context = info.context
        visit = known_visit(context)
        # What `is_checked` asks first, without the call: this runs for each item of a list.
        has_passed = visit is not None and visit.passed.get(requirement) is context
        if not has_passed and not is_checked(requirement, context, info):
            return _later(check(requirement, context), info, partial(resolver, *args, **kwargs))
        try:
            value: object = resolver(*args, **kwargs)
        except AuthgateError as error:
            raise worded(error, known_visit(context), context) from None
        # Of a function that it calls, and nothing else: futures and their like are their makers' to word.
        if type(value) is CoroutineType:
            return _awaited(cast("Awaitable[Any]", value), info)
        return value if type(value) in PLAIN else _lasting(value, info)

    return resolve


def _before_async(
    resolver: Callable[..., Awaitable[Any]], requirement: Requirement, place: Place
) -> Callable[..., Any]:
    @wraps(resolver)
    async def resolve(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - what the resolver returns
        info = place.info(args, kwargs)
        context = info.context
        await _checked(requirement, context)
        try:
            return _lasting(await resolver(*args, **kwargs), info)
        except AuthgateError as error:
            raise worded(error, known_visit(context), context) from None

    return resolve


def _before_stream(
    resolver: Callable[..., AsyncGenerator[Any, None]], requirement: Requirement, place: Place
) -> Callable[..., Any]:
    is_innermost = not requirements_of(resolver)

    @wraps(resolver)
    async def resolve(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        context = place.info(args, kwargs).context
        await _checked(requirement, context)
        source = resolver(*args, **kwargs)
        try:
            async with aclosing(watched(source, context) if is_innermost else source) as events:
                async for event in events:
                    yield event
        except AuthgateError as error:
            raise worded(error, known_visit(context), context) from None

    return resolve


async def _checked(requirement: Requirement, context: object) -> None:
    if not is_checked(requirement, context):
        await check(requirement, context)


async def _later(checked: Awaitable[None], info: Any, resolve: Callable[[], Any]) -> Any:  # noqa: ANN401 - as above
    await checked
    try:
        value = resolve()
        return _lasting(await value if isawaitable(value) else value, info)
    except AuthgateError as error:
        raise worded(error, known_visit(info.context), info.context) from None


async def _awaited(value: Awaitable[Any], info: Any) -> Any:  # noqa: ANN401 - as above
    """What a sync resolver left to be awaited, as from a function that it calls."""
    try:
        return _lasting(await value, info)
    except AuthgateError as error:
        raise worded(error, known_visit(info.context), info.context) from None


def _lasting(value: Any, info: Any) -> Any:  # noqa: ANN401 - as above
    """The value of a field; events that a function hands on last as long as those of a generator (Law 5.13)."""
    return _events(value, info.context) if are_events(value, info) else value


async def _events(source: AsyncIterator[Any], context: object) -> AsyncIterator[Any]:
    try:
        async with aclosing(watched(closable(source), context)) as events:
            async for event in events:
                yield event
    except AuthgateError as error:
        raise worded(error, known_visit(context), context) from None
