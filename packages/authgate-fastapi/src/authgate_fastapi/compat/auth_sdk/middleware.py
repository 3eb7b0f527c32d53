"""The SDK's two middlewares: ours, each with a gate of its own and the SDK's ``request.state.user``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, TypeAlias

from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from authgate_core import (
    Admission,
    ApiKeys,
    AsyncGate,
    ConfigurationError,
    Cookies,
    GateConfig,
    Issuer,
    Policy,
    is_api_key,
    is_service,
    is_user,
)

from ...carrier import Carrier, carried_by
from ...middleware import AuthMiddleware
from ...paths import GivenPaths
from ...visit import view_of
from .csrf import ACCESS_COOKIE, BY_COOKIE, TRANSPORT, csrf_names_of
from .identities import api_key_of, caller_of

__all__ = ["APIKeyAuthMiddleware", "JWTAuthMiddleware"]

_WHO: Final = {"access": is_user | is_service, "m2m": is_service}
"""Who presents tokens of a type: an access token was a user's, or else a program's."""
_BY_HEADER: Final = "authorization"
_SOURCES: Final = ({_BY_HEADER}, {_BY_HEADER, BY_COOKIE})
_YES_SECONDS: Final = 60
"""How long a valid key is remembered, by the SDK and here (Law 7.4)."""
Show: TypeAlias = Callable[[Admission, Scope], Mapping[str, object]]
"""What ``request.state`` says of whom was admitted."""
_NO_CLIENT: Final = "the gate asks the auth service itself; leave it out"


class _Door(AuthMiddleware):
    """Admits by a gate of its own, which it makes for the app that it is in, and closes with its lifespan."""

    def __init__(
        self,
        app: ASGIApp,
        policy: Policy,
        show: Show,
        config: Callable[[object], GateConfig],
        paths: tuple[GivenPaths | None, GivenPaths | None],
    ) -> None:
        shown = _Shown(app, show)
        super().__init__(shown, policy=policy, excluded_paths=paths[0], excluded_prefixes=paths[1])
        self._around = app
        self._config = config
        self._gate: AsyncGate | None = None
        self._inside: ASGIApp = shown

    def __init_subclass__(cls, **options: Any) -> None:  # Any: as for object
        super().__init_subclass__(**options)
        if hasattr(cls, "dispatch"):
            raise TypeError(
                f"{cls.__name__}.dispatch would never be called; what it leaves alone is written"
                " excluded_paths={'/healthz'} or excluded_prefixes={'/docs'}"
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Admit a request or a WebSocket, or answer the refusal."""
        gate = self._gate or self._opened(scope)
        try:
            await self._inside(scope, receive, send)
        finally:
            if scope["type"] == "lifespan":
                await gate.aclose()

    def _opened(self, scope: Scope) -> AsyncGate:
        app = self._around if isinstance(self._around, Starlette) else scope.get("app")
        if carried_by(app) is not None:
            raise ConfigurationError(
                f"{type(self).__name__}: the app has AuthGate(app) already; write AuthMiddleware instead"
            )
        gate = self._gate = AsyncGate(self._config(app))
        self._inside = Carrier(super().__call__, gate)
        return gate

    def _way(self, app: object) -> ASGIApp:  # noqa: ARG002 - whatever gate the app has, this one judges
        return self._pass


class JWTAuthMiddleware(_Door):
    """Admits whoever has a token of the auth service, before routing.

    ``request.state.user`` is a ``UserIdentity`` or ``ServiceIdentity``, and ``request.state.auth_transport`` says
    what the token came in. Guards behind it need no ``AuthGate(app)``.

    Args:
        app: What it is before.
        auth_base_url: Where the auth service is.
        expected_audience: The audience of the tokens; of several, a token names each.
        auth_client: Must be None: the gate asks the auth service itself.
        jwks_cache: Must be None: the gate asks the auth service itself.
        required_token_type: ``access`` for users and programs, ``m2m`` for programs alone.
        token_sources: ``authorization``, or that and ``cookie``; with the second, Law 2.9 holds.
        access_cookie_name: The cookie that holds the token.
        excluded_paths: Paths that are left alone, as for ``AuthMiddleware``.
        excluded_prefixes: Paths that are left alone with everything below them.

    Raises:
        ConfigurationError: If an argument asks for what is not done; where the gate is made, if one is wrong.
    """

    def __init__(  # noqa: PLR0917 - in the order of the SDK
        self,
        app: ASGIApp,
        auth_base_url: str,
        expected_audience: str | Collection[str],
        auth_client: object = None,
        jwks_cache: object = None,
        required_token_type: str = "access",
        token_sources: Collection[str] | None = None,
        access_cookie_name: str = ACCESS_COOKIE,
        *,
        excluded_paths: GivenPaths | None = None,
        excluded_prefixes: GivenPaths | None = None,
    ) -> None:
        sources = {source.strip().lower() for source in token_sources or (_BY_HEADER,)}
        _check(
            auth_client=None if auth_client is None else _NO_CLIENT,
            jwks_cache=None if jwks_cache is None else _NO_CLIENT,
            required_token_type=None
            if required_token_type in _WHO
            else "write 'access' or 'm2m'; no other token opens anything",
            token_sources=None
            if sources in _SOURCES
            else "write ['authorization'] or ['authorization', 'cookie']; the header is always read",
        )
        paths = (excluded_paths, excluded_prefixes)
        super().__init__(app, _WHO[required_token_type], self._shown, self._configured, paths)
        self._issuer = _issuer(auth_base_url, expected_audience)
        self._cookies = Cookies(access=access_cookie_name) if BY_COOKIE in sources else None

    def _configured(self, app: object) -> GateConfig:
        if self._cookies is None:
            return GateConfig(issuers=[self._issuer])
        cookie, header = csrf_names_of(app)
        cookies = Cookies(access=self._cookies.access, csrf=cookie, csrf_header=header)
        return GateConfig(issuers=[self._issuer], cookies=cookies)

    def _shown(self, admission: Admission, scope: Scope) -> Mapping[str, object]:
        # A token in a cookie is refused beside one in the header, so that the cookie is what was read.
        is_cookie = self._cookies is not None and self._cookies.tokens(view_of(HTTPConnection(scope)).headers)
        return {"user": caller_of(admission), TRANSPORT: BY_COOKIE if is_cookie else _BY_HEADER}


class APIKeyAuthMiddleware(_Door):
    """Admits whoever has an API key of the auth service, before routing.

    ``request.state.user`` is an ``APIKeyIdentity``.

    Args:
        app: What it is before.
        auth_base_url: Where the auth service is.
        auth_client: Must be None: the gate asks the auth service itself.
        cache_maxsize: Accepted and of no effect: how many keys are remembered is bounded here.
        valid_ttl_seconds: How long a valid key may be remembered, at least 60 s; it is 60 s and never beyond its end.
        invalid_ttl_seconds: Accepted and of no effect: what is no key is remembered for 10 s.
        excluded_paths: Paths that are left alone, as for ``AuthMiddleware``.
        excluded_prefixes: Paths that are left alone with everything below them.

    Raises:
        ConfigurationError: If an argument asks for what is not done; where the gate is made, if one is wrong.
    """

    def __init__(
        self,
        app: ASGIApp,
        auth_base_url: str,
        auth_client: object = None,
        cache_maxsize: int = 10_000,  # noqa: ARG002 - as the SDK had it
        valid_ttl_seconds: int = _YES_SECONDS,
        invalid_ttl_seconds: int = 10,  # noqa: ARG002 - as the SDK had it
        *,
        excluded_paths: GivenPaths | None = None,
        excluded_prefixes: GivenPaths | None = None,
    ) -> None:
        _check(
            auth_client=None if auth_client is None else _NO_CLIENT,
            valid_ttl_seconds=None
            if valid_ttl_seconds >= _YES_SECONDS
            else f"a valid key is remembered for {_YES_SECONDS} s; give at least that",
        )
        config = GateConfig(api_keys=ApiKeys.auth_service(auth_base_url))
        super().__init__(app, is_api_key, _show_key, lambda _: config, (excluded_paths, excluded_prefixes))


class _Shown:
    """Shows who was admitted as the SDK did."""

    def __init__(self, app: ASGIApp, show: Show) -> None:
        self._app = app
        self._show = show

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        admission = scope.get("state", {}).get("admission")
        if admission:
            scope["state"].update(self._show(admission, scope))
        await self._app(scope, receive, send)


def _show_key(admission: Admission, _scope: Scope) -> Mapping[str, object]:
    return {"user": api_key_of(admission)}


def _issuer(base_url: str, expected_audience: str | Collection[str]) -> Issuer:
    expected = {expected_audience} if isinstance(expected_audience, str) else {*expected_audience}
    if len(expected) == 1:
        return Issuer.auth_service(base_url, audience=expected)

    def names_each(claims: Mapping[str, Any]) -> None:
        named = claims["aud"]
        if isinstance(named, str) or not expected <= {*named}:
            raise ValueError("aud: does not name every audience")

    return Issuer.auth_service(base_url, audience=expected, validators=[names_each], pure=True)


def _check(**problems: str | None) -> None:
    found = [f"{setting}: {problem}" for setting, problem in problems.items() if problem is not None]
    if found:
        raise ConfigurationError(*found)
