"""Who was admitted to the request at hand, as Flask proxies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar, cast

from flask import request
from werkzeug.local import LocalProxy

from authgate_core.errors import NotAdmitted
from authgate_core.principal import Admission, ApiKey, Principal, Project, Service, User

from .visit import visit_of

__all__ = [
    "PROXIES",
    "current_admission",
    "current_api_key",
    "current_project",
    "current_service",
    "current_user",
]

T = TypeVar("T")
P = TypeVar("P", bound=Principal)


class NobodyAdmitted(NotAdmitted, RuntimeError):
    """A proxy was used where no guard has admitted what it stands for.

    A ``RuntimeError`` as well, because that is how a werkzeug proxy learns that it is unbound: it is then
    false, and has a repr, but nothing else.
    """


def _admission() -> Admission:
    admission = visit_of(request).admission
    if admission is None:
        raise NobodyAdmitted(
            "no guard has admitted this request, so it has no user, service, project or API key: put @requires(...) "
            "between the route and the view"
        )
    return admission


def _name(kind: type[Principal]) -> str:
    return "current_api_key" if kind is ApiKey else f"current_{kind.__name__.lower()}"


def _principal(kind: type[P]) -> Callable[[], P | None]:
    def current() -> P | None:
        admission = _admission()
        principal = admission.get(kind)
        if principal is None and not visit_of(request).optional:
            held = ", ".join(type(other).__name__ for other in admission.principals) or "nobody"
            raise NobodyAdmitted(
                f"no {kind.__name__} was admitted to this request (admitted: {held}): let the policy of its "
                f"guard ask for one, or test {_name(kind)} for truth first"
            )
        return principal

    return current


def _proxy(current: Callable[[], T | None]) -> T:
    return cast("T", LocalProxy(current))


_user, _service, _project, _api_key = (
    _principal(User),
    _principal(Service),
    _principal(Project),
    _principal(ApiKey),
)

current_user: User = _proxy(_user)
"""The user whom a guard of this request has admitted.

False, and equal to None, where the guard was optional and nobody came. Where no guard admits a user it is
false as well, but everything else raises ``NotAdmitted``.
"""

current_service: Service = _proxy(_service)
"""The service that a guard of this request has admitted; otherwise like ``current_user``."""

current_project: Project = _proxy(_project)
"""The project that a guard of this request has admitted; otherwise like ``current_user``."""

current_api_key: ApiKey = _proxy(_api_key)
"""The API key that a guard of this request has admitted; otherwise like ``current_user``."""

current_admission: Admission = _proxy(_admission)
"""Everyone whom the guards of this request admitted; unguarded it is false and raises ``NotAdmitted``."""

PROXIES: Final[tuple[tuple[Principal, Callable[[], Principal | None]], ...]] = (
    (current_user, _user),
    (current_service, _service),
    (current_project, _project),
    (current_api_key, _api_key),
)
"""Each proxy for a principal, with what it stands for at the moment."""
