"""An outcome of the gate as an error that Flask knows how to answer (Law 1.10)."""

from __future__ import annotations

from typing import Final, cast

from werkzeug.exceptions import HTTPException, default_exceptions

from authgate_core.challenge import Problem
from authgate_core.errors import AuthgateError

__all__ = ["Refusal", "refusal"]


class Refusal(HTTPException):
    """What a guard raises: the outcome's own class, and a werkzeug ``HTTPException`` of its status.

    A refusal of an expired token is a ``TokenExpired`` and an ``Unauthorized``, so error handlers for the
    status, for ``HTTPException`` and for any class of authgate's error tree run. Where both families use a
    name it means what Flask expects: ``code`` is the status, ``description`` the public text.

    Attributes:
        error: The outcome as the core raised it, with its precise ``code`` and ``reason`` for logs.
        problem: Status, headers and body of the answer.
    """

    def __init__(self, error: AuthgateError, problem: Problem) -> None:
        HTTPException.__init__(self, error.detail)  # the next class in line is the outcome's own
        self.__dict__.update(vars(error))
        self.error = error
        self.problem = problem

    def get_body(
        self,
        environ: object = None,  # noqa: ARG002 - werkzeug's signature
        scope: object = None,  # noqa: ARG002 - as above
    ) -> str:
        """The problem details (RFC 9457), as JSON."""
        return self.problem.json().decode()

    def get_headers(
        self,
        environ: object = None,  # noqa: ARG002 - werkzeug's signature
        scope: object = None,  # noqa: ARG002 - as above
    ) -> list[tuple[str, str]]:
        """Content type, challenges, ``Cache-Control`` and ``Retry-After``."""
        return list(self.problem.headers)


def refusal(error: AuthgateError, problem: Problem) -> Refusal:
    """Make an error that Flask answers with this problem, unless a handler of the application does."""
    outcome = type(error)
    return (_classes.get(outcome) or _classes.setdefault(outcome, _class_for(outcome)))(error, problem)


_classes: Final[dict[type[AuthgateError], type[Refusal]]] = {}


def _class_for(outcome: type[AuthgateError]) -> type[Refusal]:
    # Flask looks handlers up by the class's own status and its line of bases: werkzeug's class for the status
    # must be among them for errorhandler(401) to run, behind the outcome's classes, which say more.
    bases = (Refusal, outcome, default_exceptions[outcome.status])
    members = {"code": outcome.status, "__module__": __name__, "__doc__": outcome.__doc__}
    return cast("type[Refusal]", type(outcome.__name__, bases, members))
