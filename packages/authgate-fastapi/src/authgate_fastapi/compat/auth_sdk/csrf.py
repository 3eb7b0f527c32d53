"""The SDK's own look at requests that a browser sends with a token in a cookie (Law 2.9)."""

from __future__ import annotations

from typing import Final

from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from authgate_core import AuthgateError, ConfigurationError, Cookies, CrossSiteRefused
from authgate_core.challenge import problem

from ...visit import view_of

__all__ = ["ACCESS_COOKIE", "BY_COOKIE", "TRANSPORT", "CookieCSRFMiddleware", "csrf_names_of"]

ACCESS_COOKIE: Final = "__Host-auth_access"
"""The cookie that holds the token, unless another one is named."""
CSRF_COOKIE: Final = "__Host-auth_csrf"
CSRF_HEADER: Final = "X-CSRF-Token"
TRANSPORT: Final = "auth_transport"
"""Where ``JWTAuthMiddleware`` says what a token came in: ``request.state.auth_transport``."""
BY_COOKIE: Final = "cookie"


class CookieCSRFMiddleware:
    """Refuses what a page of another site may have sent: 403 ``cross_site``.

    ``JWTAuthMiddleware`` in the same app asks for the same, under the names that are given here; alone this stands
    before whatever else reads the cookie.

    Args:
        app: What it is before.
        csrf_cookie_name: The cookie that holds the value which requests that change something repeat.
        csrf_header_name: The header in which they do.
        access_cookie_name: The cookie that holds the token.

    Raises:
        ConfigurationError: If a name is none, or that of a cookie without ``__Host-``.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        csrf_cookie_name: str = CSRF_COOKIE,
        csrf_header_name: str = CSRF_HEADER,
        access_cookie_name: str = ACCESS_COOKIE,
    ) -> None:
        self._app = app
        self._cookies = Cookies(
            access=access_cookie_name, csrf=csrf_cookie_name, csrf_header=csrf_header_name
        )
        problems = [f"CookieCSRFMiddleware: {found}" for found in self._cookies.problems()]
        if problems:
            raise ConfigurationError(*problems)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer the refusal."""
        reason = self._foreign(scope) if scope["type"] == "http" else None
        if reason is None:
            await self._app(scope, receive, send)
        else:
            await _refused(CrossSiteRefused(reason))(scope, receive, send)

    def _foreign(self, scope: Scope) -> str | None:
        view = view_of(HTTPConnection(scope))
        transport = scope.get("state", {}).get(TRANSPORT)
        is_cookie = self._cookies.tokens(view.headers) if transport is None else transport == BY_COOKIE
        return self._cookies.foreign(view.method, view.headers) if is_cookie else None


def csrf_names_of(app: object) -> tuple[str, str]:
    """The cookie and the header that ``CookieCSRFMiddleware`` was given in an app, or its own."""
    for middleware in app.user_middleware if isinstance(app, Starlette) else ():
        factory: object = middleware.cls
        if isinstance(factory, type) and issubclass(factory, CookieCSRFMiddleware):
            given = middleware.kwargs
            cookie, header = given.get("csrf_cookie_name"), given.get("csrf_header_name")
            return str(cookie or CSRF_COOKIE), str(header or CSRF_HEADER)
    return CSRF_COOKIE, CSRF_HEADER


def _refused(error: AuthgateError) -> Response:
    """The answer as a gate gives it, which there need not be one of here."""
    said = problem(error, realm="api", jitter=0.0)
    return Response(said.json(), said.status, dict(said.headers))
