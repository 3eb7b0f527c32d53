"""The endpoint that an OpenID provider tells when a session has ended."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from authgate_core.errors import InvalidToken
from authgate_core.gate.logouts import LARGEST_FORM, logout_token_in

from .locate import gate_of
from .public import public

__all__ = ["backchannel_logout"]

_NO_STORE = {"Cache-Control": "no-store"}


@public
async def backchannel_logout(request: Request) -> Response:
    """Take a logout token (OpenID Connect Back-Channel Logout 1.0), and refuse what it ends from now on.

    It is an endpoint for a route of your choice: ``app.post("/backchannel-logout")(backchannel_logout)``. The issuer
    has ``logout_clients=``, and the gate a revocation source that can be written to.
    """
    gate = await gate_of(request)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            break
    try:
        token = logout_token_in(bytes(body), request.headers.get("content-type"))
        await gate.revocations.log_out(token)
    except InvalidToken:
        return JSONResponse({"error": "invalid_request"}, 400, _NO_STORE)
    return Response(status_code=204, headers=_NO_STORE)
