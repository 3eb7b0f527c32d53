"""A guard's work: one requirement, one field."""

from __future__ import annotations

from collections.abc import Container, Generator
from typing import Any, Final

from authgate_core import AuthgateError

from .context import known_visit, show, visit_of
from .errors import refusal
from .requirement import Requirement
from .responses import mark
from .visit import Verdict, Visit

__all__ = ["check", "is_checked"]


class _SomethingToAwait:
    """What an operation is asked whether it would await it."""

    def __await__(self) -> Generator[None, None, None]:
        yield


_SOMETHING: Final = _SomethingToAwait()


def is_checked(
    requirement: Requirement, context: object, info: object = None, *, hidden: Container[int] = ()
) -> bool:
    """Let a field be resolved, as a plain read of what is known of its request.

    Args:
        requirement: What the field asks.
        context: The context of the operation.
        info: What graphql-core hands to the resolver, which says whether the operation waits for its fields:
            ``execute_sync`` does not, in a running event loop either.
        hidden: The statuses of refusals that the field hides.

    Returns:
        False where nothing is known yet that could be read: then ``await check(...)``.

    Raises:
        Refusal: If the request is refused.
        ConfigurationError: If no gate can judge it here.
    """
    known = known_visit(context)
    if known is not None and known.passed.get(requirement) is context:
        return True
    visit = known or visit_of(context)
    verdict = visit.verdict(requirement, waits=_waits(info))
    if verdict is None:
        return False
    _enforce(verdict, requirement, visit, context, hidden)
    return True


async def check(requirement: Requirement, context: object, *, hidden: Container[int] = ()) -> None:
    """As ``is_checked``, waiting where that must be.

    Raises:
        Refusal: If the request is refused.
        ConfigurationError: If no gate can judge it here.
    """
    visit = visit_of(context)
    _enforce(await visit.settle(requirement), requirement, visit, context, hidden)


def _waits(info: object) -> bool:
    is_awaitable: Any = getattr(info, "is_awaitable", None)
    return is_awaitable is None or is_awaitable(_SOMETHING)


def _enforce(
    verdict: Verdict, requirement: Requirement, visit: Visit, context: object, hidden: Container[int]
) -> None:
    if isinstance(verdict, AuthgateError):
        raise refusal(verdict, visit, context, hidden) from None
    if requirement.shows:
        show(context, verdict, requirement.shows)
    if visit.unmarked:
        mark(context, visit)
    visit.passed[requirement] = context  # one request may come in several contexts
