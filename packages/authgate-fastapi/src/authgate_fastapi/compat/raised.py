"""Refusals as the older client of Mercury raised them: FastAPI's ``HTTPException``, and authgate's outcome as well."""

from __future__ import annotations

from typing import Final, cast

from fastapi import HTTPException

from authgate_core import AuthgateError
from authgate_core.challenge import Problem
from authgate_core.headers import CONTENT_TYPE

__all__ = ["raised"]


class _Raised(HTTPException):
    """What an older guard raises; FastAPI looks for a handler of ``HTTPException`` first, which it always has.

    Args:
        error: The outcome.
        problem: What it says.
    """

    def __init__(self, error: AuthgateError, problem: Problem) -> None:
        headers = {name: value for name, value in problem.headers if name != CONTENT_TYPE}
        HTTPException.__init__(self, problem.status, problem.body["detail"], headers)
        self.__dict__.update({**vars(error), **vars(self)})


def raised(error: AuthgateError, problem: Problem) -> HTTPException:
    """The error of both families that a refusal is raised as."""
    outcome = type(error)
    return (_classes.get(outcome) or _classes.setdefault(outcome, _class_for(outcome)))(error, problem)


_classes: Final[dict[type[AuthgateError], type[_Raised]]] = {}


def _class_for(outcome: type[AuthgateError]) -> type[_Raised]:
    # HTTPException stands first: an application that has a handler for it has its own words for a refusal.
    members = {"__module__": __name__, "__doc__": outcome.__doc__}
    return cast("type[_Raised]", type(outcome.__name__, (_Raised, outcome), members))
