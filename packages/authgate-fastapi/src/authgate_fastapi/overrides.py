"""What a connection was admitted as, and the one source of it that ``app.dependency_overrides`` can replace."""

from __future__ import annotations

import inspect
from typing import Final

from authgate_core import Admission, NotAdmitted
from starlette.requests import HTTPConnection

__all__ = ["get_admission", "overridden", "record"]

_ADMISSION: Final = "authgate.admission"


async def get_admission(connection: HTTPConnection) -> Admission:
    """Everyone whom the guards of this route have admitted; a dependency.

    ``app.dependency_overrides[get_admission] = lambda: Admission((User(id="u1", issuer="test"),))`` puts an
    admission in the place of authentication: guards then judge it by their policies and ask nobody.

    Raises:
        NotAdmitted: If no guard ran before: a bug of the route.
    """
    admission = connection.scope.get(_ADMISSION)
    if not isinstance(admission, Admission):
        raise NotAdmitted("no guard ran on this route; add dependencies=[requires(...)]")
    return admission


def record(connection: HTTPConnection, admission: Admission) -> None:
    """Keep an admission for ``get_admission``; a later guard adds to what earlier ones admitted.

    It is a copy for reading, and no guard ever takes it as evidence (Law 2.6).
    """
    earlier = connection.scope.get(_ADMISSION)
    kinds = {type(principal) for principal in admission.principals}
    kept = () if not isinstance(earlier, Admission) else earlier.principals
    merged = admission.principals + tuple(principal for principal in kept if type(principal) not in kinds)
    connection.scope[_ADMISSION] = Admission(merged, admission.refusal)


async def overridden(connection: HTTPConnection) -> Admission | None:
    """The admission that a test has put in the place of authentication, if one has."""
    overrides = getattr(connection.scope.get("app"), "dependency_overrides", None)
    source = overrides.get(get_admission) if overrides else None
    if source is None:
        return None
    wants_connection = bool(inspect.signature(source).parameters)
    admission = source(connection) if wants_connection else source()
    if inspect.isawaitable(admission):
        admission = await admission
    if not isinstance(admission, Admission):
        raise TypeError(f"the override of get_admission returned {type(admission).__name__}, not an Admission")
    return admission
