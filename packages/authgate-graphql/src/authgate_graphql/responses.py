"""What the HTTP response of an operation is told of who was refused and who was let in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from authgate_core.challenge import Problem, admitted_headers
from authgate_core.headers import CACHE_CONTROL, CONTENT_TYPE, VARY

from .visit import Visit

__all__ = ["mark", "tell"]

_RISING: Final = (403, 503, 401, 400)
"""Law 2.3: which refusal of several is the answer, the last of these that there is."""


def tell(context: object, visit: Visit, problem: Problem, *, status: bool) -> None:
    """Tell the response of an operation that somebody was refused.

    Args:
        context: The context of the operation, which may have a response.
        visit: The request.
        problem: The refusal.
        status: Whether it becomes the status of the response, with its challenge and ``Retry-After``.
    """
    response = _response(context)
    if response is None:
        return
    response.headers[CACHE_CONTROL] = "no-store"  # Law 1.7
    if not status or _rank(problem) <= _rank(visit.answered):
        return
    for name in () if visit.answered is None else _names(visit.answered):
        del response.headers[name]
    visit.answered = problem
    response.status_code = problem.status
    for name in _names(problem):
        response.headers[name] = dict(problem.headers)[name]


def mark(context: object, visit: Visit) -> None:
    """Mark the response as one that depends on who was let in, where no other adapter does (Law 1.7).

    Args:
        context: The context of the operation, which may have a response.
        visit: The request.
    """
    response = _response(context)
    if response is None:
        return
    cache_control = response.headers.get(CACHE_CONTROL)
    vary = [value for name, value in response.headers.items() if name.lower() == VARY.lower()]
    for name, value in admitted_headers(cache_control, vary, visit.unmarked).items():
        response.headers[name] = value
    visit.unmarked.clear()


def _rank(problem: Problem | None) -> int:
    return -1 if problem is None else _RISING.index(problem.status)


def _names(problem: Problem) -> list[str]:
    return [name for name, _ in problem.headers if name != CONTENT_TYPE]


def _response(context: object) -> Any:  # noqa: ANN401 - the response of a framework, or None
    if isinstance(context, Mapping):
        response: object = cast("Mapping[str, object]", context).get("response")
    else:
        response = getattr(context, "response", None)
    return response if hasattr(response, "status_code") and hasattr(response, "headers") else None
