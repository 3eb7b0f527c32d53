"""One connection on its way through the gate: how the gate sees it, and who it was found to be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from starlette.requests import HTTPConnection

from authgate_core import Admission, RequestView
from authgate_core.request import Memo

__all__ = ["Visit", "view_of", "visit_of"]

_ATTRIBUTE: Final = "_authgate_visit"


class Visit:
    """What authgate knows about one request or WebSocket.

    Attributes:
        memo: What the connection was already authenticated as.
        admission: Everyone whom guards have admitted so far, a copy for reading; None before the first.
    """

    __slots__ = ("admission", "memo")

    def __init__(self) -> None:
        self.memo = Memo()
        self.admission: Admission | None = None

    def add(self, admission: Admission) -> None:
        """Join what one more guard has found to what earlier guards of this connection have."""
        held = self.admission
        if held is not None:
            kinds = {type(principal) for principal in admission.principals}
            kept = tuple(principal for principal in held.principals if type(principal) not in kinds)
            refusal = admission.refusal or held.refusal
            admission = replace(admission, principals=kept + admission.principals, refusal=refusal)
        self.admission = admission


def visit_of(connection: HTTPConnection) -> Visit:
    """The visit of this one connection object, which FastAPI hands to all dependencies of a route.

    It does not live in the ASGI scope, which applications copy to send sub-requests through their own routes:
    those authenticate anew and see nobody whom they have not admitted themselves (Law 2.6).
    """
    attributes: dict[str, Any] = vars(connection)
    visit: Visit = attributes.setdefault(_ATTRIBUTE, Visit())
    return visit


def view_of(connection: HTTPConnection, memo: Memo, *, peer: str | None = None) -> RequestView:
    """An HTTP request or a WebSocket handshake as the gate sees it, with every header pair that arrived.

    Guards leave the peer out: servers put into ``client`` what ``X-Forwarded-For`` says (Law 2.7).
    """
    scope = connection.scope
    return RequestView(
        scope.get("method", "GET"),
        _url(connection),
        [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
        peer=peer,
        path_params=scope.get("path_params", {}),
        memo=memo,
    )


def _url(connection: HTTPConnection) -> str:
    scope = connection.scope
    raw: bytes | None = scope.get("raw_path")  # optional in ASGI
    path = quote(scope["path"], errors="replace") if raw is None else raw.decode("latin-1")
    query: bytes = scope.get("query_string", b"")
    return f"{path}?{query.decode('latin-1')}" if query else path
