"""What stops a command: told in one line that says what to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

from ..errors import AuthgateError, ConfigurationError

__all__ = ["Mistake", "one_line", "without_arguments", "without_values"]

_LONGEST: Final = 400
_TELLING: Final = 8
"""A shorter argument is no secret worth the name, and may be part of any word."""


class Mistake(Exception):
    """A command cannot do what it was asked.

    Args:
        text: Why, and what to do; one line that holds no credential.
    """


def one_line(error: BaseException) -> str:
    """What a command says of an error; of one that nobody foresaw only where it was raised.

    The text of such an error may hold whatever it was about, a token or a password as well (Law 2.5).
    """
    if isinstance(error, ConfigurationError):
        return _configuration(error.problems)
    if isinstance(error, AuthgateError):
        return _flat(error.reason)
    if isinstance(error, Mistake):
        return _flat(str(error))
    return f"{type(error).__name__} was raised {_place(error.__traceback__)}: a bug, please report it"


def without_values(error: BaseException, task: str) -> str:
    """What is said of an error in the code of an application: its kind and place, never its text."""
    return f"{task} raised {type(error).__name__} {_place(error.__traceback__)}"


def without_arguments(message: str, arguments: Sequence[str]) -> str:
    """A complaint about arguments that repeats none of their values: one of them may be a secret (Law 2.5)."""
    for argument in arguments:
        value = argument.partition("=")[2] if argument.startswith("-") else argument
        if len(value) >= _TELLING:
            message = message.replace(value, "...")
    return _flat(message)


def _configuration(problems: Sequence[str]) -> str:
    more = f" ({len(problems) - 1} more: authgate doctor lists them)" if len(problems) > 1 else ""
    return f"not configured correctly: {_flat(problems[0]) if problems else 'nothing said'}{more}"


def _flat(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST else f"{flat[:_LONGEST]}..."


def _place(trace: TracebackType | None) -> str:
    if trace is None:
        return "nowhere"
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"in {Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno}"
