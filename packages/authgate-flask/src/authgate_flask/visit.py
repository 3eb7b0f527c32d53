"""One request on its way through the gate: how the gate sees it, and who it was found to be."""

from __future__ import annotations

from typing import Any, Final, cast

from flask import Request, request

from authgate_core import Gate, Policy
from authgate_core.principal import Admission, joined
from authgate_core.request import Memo, RequestView
from authgate_core.servers import wsgi_view

__all__ = ["Visit", "known_visit", "this_request", "view_of", "visit_of"]

_ATTRIBUTE: Final = "_authgate_visit"


class Visit:
    """What authgate knows about one request; evidence for later guards and for the proxies (Law 2.6).

    Attributes:
        subprotocols: The credentials that its client offered as subprotocols: none, for it is no WebSocket.
        memo: What the request was already authenticated as.
        admission: Everyone whom the guards of this request have admitted so far; None before the first.
        optional: Whether a guard that has admitted was optional.
        read: The headers that the guards that have admitted read credentials from, in order.
    """

    __slots__ = ("admission", "memo", "optional", "read")

    subprotocols: Final[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self.memo = Memo()
        self.admission: Admission | None = None
        self.optional = False
        self.read: dict[str, None] = {}

    def add(self, admission: Admission, gate: Gate, policy: Policy, *, optional: bool) -> Admission:
        """Join what one more guard has found to what earlier guards of this request have, and return both."""
        for name in gate.headers_read(policy):
            self.read[name] = None
        self.admission = joined(self.admission, admission)
        self.optional = self.optional or optional
        return self.admission

    def entered(
        self,
        admission: Admission,
        gate: Gate,
        policy: Policy,
        view: RequestView,
        *,
        optional: bool,
        lasts: bool,
    ) -> None:
        """Let in a guard of a library that Flask serves; see ``Visited``."""
        del view, lasts  # only a WebSocket is judged again
        self.add(admission, gate, policy, optional=optional)


def this_request() -> Request:
    """The request at hand itself: each look through Flask's proxy for it costs as much as what is looked at.

    Raises:
        RuntimeError: Flask's own, outside of a request.
    """
    found: Request = cast("Any", request)._get_current_object()  # noqa: SLF001 - werkzeug's, and documented
    return found


def visit_of(request: Request) -> Visit:
    """The visit that belongs to this one request object.

    It lives on the object and neither in ``g``, which handlers write, nor in the WSGI environment, which can
    be replayed: what is not this very request is authenticated anew (Law 2.6).

    Raises:
        RuntimeError: Flask's own, outside of a request.
    """
    attributes: dict[str, Any] = request.__dict__
    known: Visit | None = attributes.get(_ATTRIBUTE)
    if known is not None:
        return known
    visit: Visit = attributes.setdefault(_ATTRIBUTE, Visit())  # on which threads of one request agree
    return visit


def known_visit(request: Request) -> Visit | None:
    """The visit of this request, if any guard has seen it."""
    attributes: dict[str, Any] = request.__dict__
    return attributes.get(_ATTRIBUTE)


def view_of(request: Request, memo: Memo) -> RequestView:
    """The request as the gate sees it, with every header that the server hands over and the socket's peer."""
    return wsgi_view(request.environ, memo=memo, path_params=request.view_args or {})
