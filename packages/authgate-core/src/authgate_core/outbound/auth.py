"""Tokens in the requests that an application sends: ``auth=`` for clients of httpx2 and httpx, in both colours."""

from __future__ import annotations

from typing import Final

from ..errors import AuthgateError
from ..headers import AUTHORIZATION
from ..io.outgoing import AsyncSending, OutgoingAuth, Request, Response, Sending
from ..secret import Secret
from .origins import Origins
from .supply import Supply
from .wanted import Wanted

__all__ = ["RelayAuth", "TokenAuth"]

_UNAUTHORIZED: Final = 401


class TokenAuth(OutgoingAuth):
    """Puts a token of the issuer's into each request, and another one once where the callee answers 401.

    Args:
        supply: Where tokens come from.
        wanted: Which is wanted.
        origins: Where it may go.
    """

    def __init__(self, supply: Supply, wanted: Wanted, origins: Origins) -> None:
        self._supply = supply
        self._wanted = wanted
        self._origins = origins

    def header(self) -> str:
        """The whole value of an ``Authorization`` header, for what is no HTTP client of these.

        Where it goes is then the application's to see to (Law 11.1).

        Raises:
            AuthgateError: EndpointUnavailable where no token can be had, EndpointRefused where the issuer gives
                this service none, TokenInactive where what it acts with is not valid any more.
        """
        return _header(self._supply.token(self._wanted))

    async def header_async(self) -> str:
        """``header`` for a coroutine."""
        return _header(await self._supply.token_async(self._wanted))

    def sync_auth_flow(self, request: Request) -> Sending:
        """What a client without ``async`` asks; raises as ``header`` does, and TokenWithheld."""
        self._origins.check(request.url)
        token = self._supply.token(self._wanted)
        request.headers[AUTHORIZATION] = _header(token)
        response = yield request
        if self._may_repeat(request, response):
            try:
                other = self._supply.token(self._wanted, refused=token)
            except AuthgateError:
                return  # the callee's answer stands, and the token, for whoever else accepts it
            request.headers[AUTHORIZATION] = _header(other)
            yield request

    async def async_auth_flow(self, request: Request) -> AsyncSending:
        """The same for a client with ``async``."""
        self._origins.check(request.url)
        token = await self._supply.token_async(self._wanted)
        request.headers[AUTHORIZATION] = _header(token)
        response = yield request
        if self._may_repeat(request, response):
            try:
                other = await self._supply.token_async(self._wanted, refused=token)
            except AuthgateError:
                return  # as above
            request.headers[AUTHORIZATION] = _header(other)
            yield request

    def _may_repeat(self, request: Request, response: Response) -> bool:
        """Whether the callee has refused the token, and the request can be sent once more."""
        is_refused = response.status_code == _UNAUTHORIZED and self._origins.hold(response.url)
        return is_refused and _is_in_memory(request)

    def __repr__(self) -> str:
        return f"TokenAuth(audience={self._wanted.audience!r}, scopes={self._wanted.scopes!r})"


class RelayAuth(OutgoingAuth):
    """Puts the token that a caller has presented into each request.

    Args:
        token: The token.
        origins: Where it may go.
    """

    def __init__(self, token: Secret, origins: Origins) -> None:
        self._token = token
        self._origins = origins

    def auth_flow(self, request: Request) -> Sending:
        """What a client of either colour asks; raises TokenWithheld."""
        self._origins.check(request.url)
        request.headers[AUTHORIZATION] = _header(self._token)
        yield request


def _header(token: Secret) -> str:
    return f"Bearer {token.reveal()}"


def _is_in_memory(request: Request) -> bool:
    """Whether the body is there still; one that was streamed is gone."""
    try:
        _ = request.content
    except RuntimeError:  # what both libraries raise of a body that was not read
        return False
    return True
