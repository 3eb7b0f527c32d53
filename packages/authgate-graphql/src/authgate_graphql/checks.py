"""A guard's work: one requirement, one field."""

from __future__ import annotations

from authgate_core import AuthgateError

from .context import show, visit_of
from .errors import refusal
from .requirement import Requirement
from .visit import Verdict, Visit

__all__ = ["check", "is_checked"]


def is_checked(requirement: Requirement, context: object) -> bool:
    """Let a field be resolved, as a plain read of what is known of its request.

    Args:
        requirement: What the field asks.
        context: The context of the operation.

    Returns:
        False where nothing is known yet that could be read: then ``await check(...)``.

    Raises:
        Refusal: If the request is refused.
        ConfigurationError: If no gate can judge it here.
    """
    visit = visit_of(context)
    verdict = visit.verdict(requirement)
    if verdict is None:
        return False
    _enforce(verdict, requirement, visit, context)
    return True


async def check(requirement: Requirement, context: object) -> None:
    """As ``is_checked``, waiting where that must be.

    Raises:
        Refusal: If the request is refused.
        ConfigurationError: If no gate can judge it here.
    """
    visit = visit_of(context)
    _enforce(await visit.settle(requirement), requirement, visit, context)


def _enforce(verdict: Verdict, requirement: Requirement, visit: Visit, context: object) -> None:
    if isinstance(verdict, AuthgateError):
        raise refusal(verdict, visit, context) from None
    if requirement.shows and visit.shown.get(requirement) is not context:
        visit.shown[requirement] = context  # one request may come in several contexts
        show(context, verdict, requirement.shows)
