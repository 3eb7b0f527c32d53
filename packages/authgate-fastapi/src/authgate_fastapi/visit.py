"""One connection on its way through the gate: how the gate sees it, and who it was found to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.requests import HTTPConnection
from starlette.types import Scope

from authgate_core import Admission, AsyncGate, Policy, RequestView
from authgate_core.principal import joined
from authgate_core.request import Memo
from authgate_core.servers import asgi_view

__all__ = ["Grant", "Visit", "carried_visit", "view_of", "visit_of"]

_ATTRIBUTE: Final = "_authgate_visit"
_KEY: Final = "authgate.visit"


@dataclass(frozen=True, slots=True)
class Grant:
    """A guard that let a connection in, and all that it takes to ask it again; equal where it would be the same.

    Args:
        gate: The gate that judged.
        policy: What the guard asks.
        optional: Whether it also lets nobody in.
        view: The connection as it was judged.
        lasts: Whether somebody was admitted who may be revoked; nobody is, and no stand-in of a test.
    """

    gate: AsyncGate
    policy: Policy
    optional: bool
    view: RequestView = field(compare=False)
    lasts: bool

    async def renew(self, memo: Memo) -> None:
        """Admit the connection once more, as if it had come now.

        Args:
            memo: What it was found to be this time, by other guards.

        Raises:
            AuthgateError: If it would be refused now.
        """
        await self.gate.admit(self.view.with_memo(memo), self.policy, optional=self.optional)


class Visit:
    """What authgate knows about one request or WebSocket.

    Args:
        scope: The connection that it belongs to.
        subprotocols: The credentials that its client offered as subprotocols.

    Attributes:
        memo: What the connection was already authenticated as.
        admission: Everyone whom guards have admitted so far, a copy for reading; None before the first.
        passed: How often a guard has let it in.
        grants: The guards that have, each once.
        on_grant: Called after each of them.
        subprotocols: The credentials that its client offered as subprotocols.
        is_copy: Whether an application made the scope from that of another request.
    """

    __slots__ = (
        "_answering",
        "_request",
        "admission",
        "grants",
        "is_copy",
        "memo",
        "on_grant",
        "passed",
        "subprotocols",
    )

    def __init__(self, scope: Scope, subprotocols: tuple[str, ...] = ()) -> None:
        self._request = _request_in(scope)
        self._answering: Visit | None = None
        self.memo = Memo()
        self.admission: Admission | None = None
        self.passed = 0
        self.grants: list[Grant] = []
        self.on_grant: Callable[[], None] = _nothing
        self.subprotocols = subprotocols
        self.is_copy = False

    def add(self, admission: Admission, grant: Grant) -> None:
        """Join what one more guard has found to what earlier guards of this connection have."""
        self.admission = joined(self.admission, admission)
        self.passed += 1
        if grant not in self.grants:
            self.grants.append(grant)
        (self._answering or self).on_grant()

    def is_of(self, scope: Scope) -> bool:
        """Whether a scope is still that of the request which this visit began with (Law 2.6)."""
        return self._request == _request_in(scope)

    def anew(self, scope: Scope, subprotocols: tuple[str, ...] = ()) -> Visit:
        """A visit of a scope that was made of this one's and says something else: nobody is admitted to it yet.

        Whom its guards admit must go with whom others of the connection have (Law 6.8).

        Args:
            scope: What it says now.
            subprotocols: The credentials that it offered, if others than before.
        """
        visit = Visit(scope, subprotocols or self.subprotocols)
        visit.is_copy = True
        visit.memo.admitted = self.memo.admitted
        visit.carry(scope)
        return visit

    def report_to(self, origin: Visit) -> None:
        """Let another visit answer for the guards of this one: it marks the response, or closes the socket.

        A socket does not answer for requests that its handler sends.
        """
        if self._request[0] == origin._request[0]:
            self.grants = origin.grants
            self._answering = origin._answering or origin

    def carry(self, scope: Scope) -> None:
        """Put this visit where guards find it."""
        scope[_KEY] = self


def _nothing() -> None:
    """Nobody listens."""


def _request_in(scope: Scope) -> tuple[object, ...]:
    """All that says which request a scope is about, but for its body."""
    line = (scope["type"], scope.get("method"), scope["path"], scope.get("query_string"))
    return (*line, tuple(scope["headers"]))


def carried_visit(scope: Scope) -> Visit | None:
    """The visit that a scope carries, be it its own or that of the request which it was copied from."""
    visit = scope.get(_KEY)
    return visit if isinstance(visit, Visit) else None


def visit_of(connection: HTTPConnection) -> Visit:
    """The visit of a connection, the same for middleware and all guards.

    It is that in the scope only while the scope says what it said at first: applications copy scopes to send
    sub-requests through their own routes, and those authenticate anew and see nobody whom they have not
    admitted themselves (Law 2.6). So does a request to which middleware on the way adds a header; whoever began
    the visit still hears of its guards. Where nothing carries one, it is kept on the connection object, which
    FastAPI hands to all dependencies of a route.
    """
    scope = connection.scope
    visit = carried_visit(scope)
    if visit is not None:
        if not visit.is_of(scope):
            origin, visit = visit, visit.anew(scope)
            visit.report_to(origin)
        return visit
    attributes: dict[str, Any] = vars(connection)
    own: Visit | None = attributes.get(_ATTRIBUTE)
    if own is None:
        own = attributes[_ATTRIBUTE] = Visit(connection.scope)
    return own


def view_of(connection: HTTPConnection) -> RequestView:
    """An HTTP request or a WebSocket handshake as the gate sees it."""
    visit = visit_of(connection)
    return asgi_view(connection.scope, memo=visit.memo, subprotocols=visit.subprotocols)
