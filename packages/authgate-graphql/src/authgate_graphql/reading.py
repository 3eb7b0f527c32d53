"""Who was let in, for resolvers to read: from what the guards of the request found, never from the context."""

from __future__ import annotations

from typing import Any, Protocol

from authgate_core import Admission, AuthgateError, NotAdmitted, Project, User
from authgate_core.principal import Rule

from .context import known_visit
from .errors import worded

__all__ = [
    "get_admission",
    "get_current_project",
    "get_current_user",
    "is_authenticated",
    "is_project_authenticated",
]


class Info(Protocol):
    """What either library hands to resolvers."""

    @property
    def context(self) -> Any:  # noqa: ANN401 - whatever the view made
        """The context of the operation."""
        ...


class _Told(Admission):
    """An admission whose refusals are told like those of guards, in whichever resolver they are raised.

    Args:
        found: Whom guards have let in.
        context: The context of the operation.
    """

    __slots__ = ("_context", "_found")

    def __init__(self, found: Admission, context: object) -> None:
        super().__init__(found.principals, found.refusal, found.request, found.moment)
        self._context = context
        self._found = found

    def require(self, policy: Rule) -> None:
        """As in ``Admission``."""
        try:
            self._found.require(policy)  # which in shadow mode only reports (Law 8.6)
        except AuthgateError as refused:
            raise worded(refused, known_visit(self._context), self._context) from None


def get_admission(info: Info) -> Admission:
    """Everyone whom guards of this request have let in so far.

    Raises:
        NotAdmitted: If no guard has let it in: a bug of the schema, not a refusal.
    """
    admission = _admission(info)
    if admission is None:
        raise NotAdmitted(
            "no guard of this request has let anybody in so far: guard the field, or one above it"
        )
    return _Told(admission, info.context)


def get_current_user(info: Info) -> User | None:
    """The user whom a guard of this request has let in, if any; ``get_admission(info).user`` where one must be."""
    admission = _admission(info)
    return None if admission is None else admission.get(User)


def get_current_project(info: Info) -> Project | None:
    """The project that a guard of this request has let in, if any."""
    admission = _admission(info)
    return None if admission is None else admission.get(Project)


def is_authenticated(info: Info) -> bool:
    """Whether a guard of this request has let a user in."""
    return get_current_user(info) is not None


def is_project_authenticated(info: Info) -> bool:
    """Whether a guard of this request has let a project in."""
    return get_current_project(info) is not None


def _admission(info: Info) -> Admission | None:
    visit = known_visit(info.context)
    return None if visit is None else visit.admission
