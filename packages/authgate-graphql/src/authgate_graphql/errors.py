"""From a refusal to the GraphQL error that tells it: the one door by which refusals leave."""

from __future__ import annotations

import logging
from collections.abc import Container, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from graphql import GraphQLError

from authgate_core import AuthgateError, AuthUnavailable, ConfigurationError
from authgate_core.challenge import OnRefusal, Problem, dressed, on_refusal_problems
from authgate_core.gate.watching import Closed

from .responses import tell
from .visit import Visit

__all__ = ["Refusal", "checked_words", "keep_quiet", "refusal", "worded"]

_MESSAGE: Final = "message"
_NO_WORDS: Final[Mapping[str, Any]] = MappingProxyType({})
_MORE: Final = (
    *("acr_values", "max_age", "action"),  # the login to ask for: most operations answer without a challenge
    *("reason", "reason_code"),  # there for developers on this machine alone (Law 10.3)
)


class Refusal(GraphQLError):
    """What a guard raises in the place of a field's value.

    Args:
        error: As below.
        problem: As below.
        words: What the application says besides, and its ``message`` where it has one (Law 1.10).

    Attributes:
        error: The outcome as the core raised it, with its precise ``code`` and ``reason`` for logs.
        problem: What its answer would be elsewhere: status, challenge and ``Retry-After``.
        is_logged: Whether a gate has logged it, as it does what it decides itself.
    """

    def __init__(self, error: AuthgateError, problem: Problem, words: Mapping[str, Any] = _NO_WORDS) -> None:
        told = {name: word for name, word in words.items() if name != _MESSAGE}
        message = str(words.get(_MESSAGE, problem.body["detail"]))
        super().__init__(message, extensions={**told, **_extensions(problem)})
        self.error = error
        self.problem = problem
        self.is_logged = True


def refusal(error: AuthgateError, visit: Visit, context: object, hidden: Container[int] = ()) -> Refusal:
    """A refusal as the error that GraphQL answers, in the words of the gate that refused (Laws 1.1, 1.2).

    Args:
        error: The outcome.
        visit: The request that it answers.
        context: The context of the operation, whose response is told of it.
        hidden: The statuses that its field hides, and so the response as well.

    Raises:
        AuthgateError: Itself, where no gate has judged the request: whoever raised it is not the gate.
    """
    if visit.judge is None:
        raise error
    problem = visit.judge.problem(error, visit.view)
    tell(context, visit, problem, status=visit.answers_status and problem.status not in hidden)
    words = dressed(error, problem, visit.words).body
    return Refusal(error, problem, _NO_WORDS if words is problem.body else words)


def worded(error: AuthgateError, visit: Visit | None, context: object) -> Exception:
    """What a resolver raised, as from ``admission.require(...)``: worded like a guard's where a gate has judged."""
    if visit is None or visit.judge is None:
        return error
    refused = refusal(error, visit, context)
    refused.is_logged = False
    return refused


def checked_words(on_refusal: OnRefusal | None) -> OnRefusal | None:
    """An application's own words for refusals, if they are some.

    Raises:
        ConfigurationError: If they are not a function that answers at once.
    """
    problems = tuple(on_refusal_problems(on_refusal))
    if problems:
        raise ConfigurationError(*problems)
    return on_refusal


def _extensions(problem: Problem) -> dict[str, Any]:
    missing: list[str] = problem.body.get("missing", [])
    told = {"code": problem.graphql_code, "missing": missing, "http": {"status": problem.status}}
    return told | {name: problem.body[name] for name in _MORE if name in problem.body}


class _Quiet(logging.Filter):
    """Spares a refusal its traceback: it is no bug, and where a guard refused the gate has logged it already."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record says anything new; of what a resolver refused it says what a gate would."""
        raised: object = record.exc_info[1] if record.exc_info else record.msg
        if any(isinstance(error, Closed) for error in _chain(raised)):
            return False
        if isinstance(raised, Refusal):
            if raised.is_logged:
                return False
            raised = raised.error
        if isinstance(raised, AuthgateError):
            _shorten(record, raised)
        return True


def _shorten(record: logging.LogRecord, error: AuthgateError) -> None:
    level = logging.WARNING if isinstance(error, AuthUnavailable) else logging.INFO
    record.levelno, record.levelname = level, logging.getLevelName(level)
    record.msg, record.args = "a resolver refused: %s (%s)", (error.code, error.reason)
    record.exc_info = record.exc_text = None


def _chain(error: object) -> Iterator[BaseException]:
    """An exception and what it was raised from: libraries wrap what a socket raises."""
    while isinstance(error, BaseException):
        yield error
        error = error.__cause__ or error.__context__


_QUIET: Final = _Quiet()


def keep_quiet(logger: str) -> None:
    """Keep out of the log of a library that writes a traceback for each error what the gate refused or closed.

    Args:
        logger: The name of its logger.
    """
    logging.getLogger(logger).addFilter(_QUIET)
