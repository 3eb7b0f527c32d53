"""The endpoint that an OpenID provider tells when a session has ended."""

from __future__ import annotations

from flask import Response, current_app, request

from authgate_core.errors import InvalidToken
from authgate_core.gate.logouts import LARGEST_FORM, logout_token_in

from .installed import installed
from .public import public

__all__ = ["backchannel_logout"]


@public
def backchannel_logout() -> Response:
    """Take a logout token (OpenID Connect Back-Channel Logout 1.0), and refuse what it ends from now on.

    It is a view for a route of your choice: ``app.post("/backchannel-logout")(backchannel_logout)``. The issuer
    has ``logout_clients=``, and the gate a revocation source that can be written to.
    """
    body = request.stream.read(LARGEST_FORM + 1)
    try:
        token = logout_token_in(body, request.content_type)
        installed(current_app).gate.revocations.log_out(token)
    except InvalidToken:
        return Response('{"error":"invalid_request"}', 400, {"Cache-Control": "no-store"}, "application/json")
    return Response(status=204, headers={"Cache-Control": "no-store"})
