"""The one way in: every guard, and the middleware, admits a connection here."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from authgate_core import Admission, AsyncGate, Policy

from .admission import is_overridden, overridden
from .refusals import answer_refusals
from .visit import Visit, visit_of

__all__ = ["admit"]


async def admit(
    connection: HTTPConnection,
    gate: AsyncGate,
    policy: Policy,
    *,
    optional: bool = False,
    visit: Visit | None = None,
) -> Admission:
    """Admit a connection by a policy, and let its visit know.

    Args:
        connection: The request or WebSocket.
        gate: Who judges, and answers for what is refused from here on.
        policy: Who is let in.
        optional: Whether a connection that presents nothing goes on (Law 1.4).
        visit: The visit of the connection, where it was looked for already.

    Raises:
        AuthgateError: If it is refused.
    """
    answer_refusals(connection, gate)
    if visit is None:
        visit = visit_of(connection)
    view = visit.view(connection.scope)
    if is_overridden(connection):
        admission = gate.judge(await overridden(connection), policy, view, optional=optional)
        lasts = False
    else:
        admission = await gate.admit(view, policy, optional=optional)
        lasts = bool(admission)
    visit.entered(admission, gate, policy, view, optional=optional, lasts=lasts)
    return admission
