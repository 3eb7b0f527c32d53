"""One connection on its way through the gate: how the gate sees it, and who it was found to be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from starlette.requests import HTTPConnection
from starlette.types import Scope

from authgate_core import Admission, AsyncGate, Policy, RequestView
from authgate_core.gate.watching import Grant
from authgate_core.principal import joined
from authgate_core.request import Memo
from authgate_core.servers import asgi_view

__all__ = ["Visit", "carried_visit", "is_preflight", "view_of", "visit_of"]

Entry: TypeAlias = tuple[AsyncGate, Policy, bool, bool]
"""What makes a guard the same as another one: its gate, its policy, whether it is optional and whether it lasts."""

_ATTRIBUTE: Final = "_authgate_visit"
_KEY: Final = "authgate.visit"


class Visit:
    """What authgate knows about one request or WebSocket.

    Args:
        scope: The connection that it belongs to.
        subprotocols: The credentials that its client offered as subprotocols.

    Attributes:
        memo: What the connection was already authenticated as.
        admission: Everyone whom guards have admitted so far, a copy for reading; None before the first.
        passed: How often a guard has let it in.
        on_grant: Called after each of them; None where nobody listens.
        subprotocols: The credentials that its client offered as subprotocols.
        is_copy: Whether an application made the scope from that of another request.
    """

    __slots__ = (
        "_answering",
        "_entered",
        "_headers",
        "_line",
        "admission",
        "is_copy",
        "memo",
        "on_grant",
        "passed",
        "subprotocols",
    )

    def __init__(self, scope: Scope, subprotocols: tuple[str, ...] = ()) -> None:
        self._line = _line_of(scope)
        self._headers = [*scope["headers"]]
        self._answering: Visit | None = None
        self.memo = Memo()
        self.admission: Admission | None = None
        self.passed = 0
        self._entered: list[tuple[Entry, RequestView]] = []
        self.on_grant: Callable[[], None] | None = None
        self.subprotocols = subprotocols
        self.is_copy = False

    def entered(
        self,
        admission: Admission,
        gate: AsyncGate,
        policy: Policy,
        view: RequestView,
        *,
        optional: bool,
        lasts: bool,
    ) -> None:
        """Join what one more guard has found, here or in a library that FastAPI serves, to what earlier guards have.

        This is how it is a ``Visited`` of the core, which says what the arguments are.
        """
        entry = (gate, policy, optional, lasts)
        self.admission = admission if self.admission is None else joined(self.admission, admission)
        self.passed += 1
        if not self._entered or all(known != entry for known, _ in self._entered):
            self._entered.append((entry, view))
        heard_by = (self._answering or self).on_grant
        if heard_by is not None:
            heard_by()

    @property
    def grants(self) -> list[Grant]:
        """The guards that have let it in, each once."""
        return [
            Grant(gate, policy, optional, view, lasts)
            for (gate, policy, optional, lasts), view in self._entered
        ]

    def read(self) -> tuple[str, ...] | None:
        """The headers that those guards read credentials from, each once; None where no guard has let it in."""
        if not self._entered:
            return None
        if len(self._entered) == 1:
            (gate, policy, _, _), _ = self._entered[0]
            return gate.headers_read(policy)
        names = (name for (gate, policy, _, _), _ in self._entered for name in gate.headers_read(policy))
        return tuple(dict.fromkeys(names))

    def of(self, scope: Scope) -> Visit:
        """The visit of a scope that carries this one: another where it says something else by now.

        Applications copy scopes to send sub-requests through their own routes, and those authenticate anew and
        see nobody whom they have not admitted themselves (Law 2.6). So does a request to which middleware on the
        way adds a header; whoever began the visit still hears of its guards.
        """
        if self.is_of(scope):
            return self
        visit = self.anew(scope)
        visit.report_to(self)
        return visit

    def is_of(self, scope: Scope) -> bool:
        """Whether a scope is still that of the request which this visit began with (Law 2.6)."""
        headers = scope["headers"]
        if not isinstance(headers, list):  # as some servers and middleware have them
            headers = [*headers]
        return headers == self._headers and self._line == _line_of(scope)

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
        visit.memo.succeed(self.memo, is_same=visit._line == self._line)
        visit.carry(scope)
        return visit

    def report_to(self, origin: Visit) -> None:
        """Let another visit answer for the guards of this one: it marks the response, or closes the socket.

        A socket does not answer for requests that its handler sends.
        """
        if self._line[0] == origin._line[0]:
            self._entered = origin._entered
            self._answering = origin._answering or origin

    def view(self, scope: Scope) -> RequestView:
        """The connection as the gate sees it."""
        return asgi_view(scope, memo=self.memo, subprotocols=self.subprotocols)

    def carry(self, scope: Scope) -> None:
        """Put this visit where guards find it."""
        scope[_KEY] = self


def _line_of(scope: Scope) -> tuple[object, ...]:
    """All that says which request a scope is about, but for its headers and its body."""
    return scope["type"], scope.get("method"), scope["path"], scope.get("query_string")


def carried_visit(scope: Scope) -> Visit | None:
    """The visit that a scope carries, be it its own or that of the request which it was copied from."""
    visit = scope.get(_KEY)
    return visit if isinstance(visit, Visit) else None


def visit_of(connection: HTTPConnection) -> Visit:
    """The visit of a connection, the same for middleware and all guards.

    Where its scope carries none, it is kept on the connection object, which FastAPI hands to all dependencies of
    a route.
    """
    scope = connection.scope
    carried = scope.get(_KEY)
    if isinstance(carried, Visit):
        return carried.of(scope)
    attributes: dict[str, Any] = vars(connection)
    own: Visit | None = attributes.get(_ATTRIBUTE)
    if own is None:
        own = attributes[_ATTRIBUTE] = Visit(scope)
    return own


def view_of(connection: HTTPConnection) -> RequestView:
    """An HTTP request or a WebSocket handshake as the gate sees it."""
    return visit_of(connection).view(connection.scope)


def is_preflight(connection: HTTPConnection) -> bool:
    """Whether it is a CORS preflight, which carries no credentials (Law 1.11)."""
    return connection.scope.get("method") == "OPTIONS" and view_of(connection).is_preflight
