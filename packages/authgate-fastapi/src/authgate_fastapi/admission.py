"""What a connection was admitted as, and the one source of it that ``dependency_overrides`` can replace."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import HTTPConnection

from authgate_core import Admission, NotAdmitted

from .visit import visit_of

__all__ = ["admitted", "get_admission", "is_overridden", "overridden"]


async def get_admission(connection: HTTPConnection) -> Admission:
    """Everyone whom the guards of this route have admitted; a dependency.

    ``app.dependency_overrides[get_admission] = lambda: Admission((User(id="u1", issuer="test"),))`` puts an
    admission in the place of authentication: guards hold it against their policies and ask nobody. The
    override may be async, and may take the connection.

    Raises:
        NotAdmitted: If no guard has run so far: a bug of the route.
    """
    admission = visit_of(connection).admission
    if admission is None:
        raise NotAdmitted(
            "no guard of this route has run so far: add dependencies=[requires(...)], "
            "or put the parameter with the guard before this one"
        )
    return admission


async def admitted(connection: HTTPConnection) -> Admission:
    """As ``get_admission``, but not replaced with it: no override shows whom no guard asked for."""
    return await get_admission(connection)


def is_overridden(connection: HTTPConnection) -> bool:
    """Whether an admission is put in the place of authentication."""
    return _overrides(connection).get(get_admission) is not None


async def overridden(connection: HTTPConnection) -> Admission:
    """The admission that is put in the place of authentication, where one is.

    Raises:
        TypeError: If the override returns anything but an admission.
    """
    source = _overrides(connection)[get_admission]
    given = source(connection) if inspect.signature(source).parameters else source()
    admission = await given if inspect.isawaitable(given) else given
    if not isinstance(admission, Admission):
        raise TypeError(f"the override of get_admission returned {type(admission).__name__}, not Admission")
    return admission


def _overrides(connection: HTTPConnection) -> Mapping[object, Callable[..., Any]]:
    overrides: Mapping[object, Callable[..., Any]] | None
    overrides = getattr(connection.scope.get("app"), "dependency_overrides", None)
    return overrides or {}
