"""From a refusal to the GraphQL error that tells it: the one door by which refusals leave."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final, cast

from graphql import GraphQLError

from authgate_core import AuthgateError
from authgate_core.challenge import Problem
from authgate_core.headers import CACHE_CONTROL, CONTENT_TYPE

from .visit import Visit

__all__ = ["Refusal", "keep_quiet", "refusal", "worded"]

_EXPLAINED: Final = ("reason", "reason_code")  # there for developers on this machine alone (Law 10.3)


class Refusal(GraphQLError):
    """What a guard raises in the place of a field's value.

    Attributes:
        error: The outcome as the core raised it, with its precise ``code`` and ``reason`` for logs.
        problem: What its answer would be elsewhere: status, challenge and ``Retry-After``.
    """

    def __init__(self, error: AuthgateError, problem: Problem) -> None:
        super().__init__(problem.body["detail"], extensions=_extensions(problem))
        self.error = error
        self.problem = problem


def refusal(error: AuthgateError, visit: Visit, context: object) -> Refusal:
    """A refusal as the error that GraphQL answers, in the words of the gate that refused (Laws 1.1, 1.2).

    Args:
        error: The outcome.
        visit: The request that it answers.
        context: The context of the operation, whose response is told not to be kept (Law 1.7).

    Raises:
        AuthgateError: Itself, where no gate has judged the request: whoever raised it is not the gate.
    """
    if visit.judge is None:
        raise error
    problem = visit.judge.problem(error, visit.view)
    _tell(_response(context), problem, status=visit.answers_status)
    return Refusal(error, problem)


def worded(error: AuthgateError, visit: Visit | None, context: object) -> Exception:
    """What a resolver raised, as from ``admission.require(...)``: worded like a guard's where a gate has judged."""
    return error if visit is None or visit.judge is None else refusal(error, visit, context)


def _extensions(problem: Problem) -> dict[str, Any]:
    missing: list[str] = problem.body.get("missing", [])
    told = {"code": problem.graphql_code, "missing": missing, "http": {"status": problem.status}}
    return told | {name: problem.body[name] for name in _EXPLAINED if name in problem.body}


def _response(context: object) -> Any:  # noqa: ANN401 - the response of a framework, or None
    if isinstance(context, Mapping):
        response: object = cast("Mapping[str, object]", context).get("response")
    else:
        response = getattr(context, "response", None)
    return response if hasattr(response, "status_code") and hasattr(response, "headers") else None


def _tell(response: Any, problem: Problem, *, status: bool) -> None:  # noqa: ANN401 - as above
    if response is None:
        return
    if not status:
        response.headers[CACHE_CONTROL] = "no-store"
        return
    response.status_code = problem.status
    for name, value in problem.headers:
        if name != CONTENT_TYPE:
            response.headers[name] = value


class _Quiet(logging.Filter):
    """Lets through what is no refusal: the gate has logged that already, and it has no traceback to show."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record says anything new."""
        raised = record.exc_info[1] if record.exc_info else record.msg
        return not isinstance(raised, Refusal)


_QUIET: Final = _Quiet()


def keep_quiet(logger: str) -> None:
    """Keep refusals out of the log of a library that writes a traceback for each error of a field.

    Args:
        logger: The name of its logger.
    """
    logging.getLogger(logger).addFilter(_QUIET)
