"""The middleware of the older FastAPI client: ours, with its defaults and its ``request.state.user``."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from authgate_core import Service, User

from ...carrier import CONNECTIONS, Carrier, carried_by
from ...locate import carried_gate, gate_of_keycloak_environment
from ...middleware import OLDER_EXCLUSIONS
from ...middleware import AuthMiddleware as OurMiddleware
from ...paths import GivenPaths
from .contexts import context_of

__all__ = ["AuthMiddleware"]


class AuthMiddleware(OurMiddleware):
    """Admits every request before it is routed; ``request.state.user`` is a ``UserContext`` or ``ServiceContext``.

    In an app without ``AuthGate(app)`` it has a gate built from the variables that the older client read, once in a
    process, and carries it to the guards behind it.

    Args:
        app: What it is before.
        excluded_paths: Paths that are left alone; by default those that the older client left alone.
        excluded_prefixes: Prefixes that are left alone, by whole segments (Law 8.7); by default the same.
        optional_auth_paths: Paths for which a request that presents nothing goes on.
    """

    def __init__(
        self,
        app: ASGIApp,
        excluded_paths: GivenPaths | None = None,
        excluded_prefixes: GivenPaths | None = None,
        optional_auth_paths: GivenPaths | None = None,
    ) -> None:
        super().__init__(
            _Shown(app),
            excluded_paths=OLDER_EXCLUSIONS["excluded_paths"] if excluded_paths is None else excluded_paths,
            excluded_prefixes=OLDER_EXCLUSIONS["excluded_prefixes"]
            if excluded_prefixes is None
            else excluded_prefixes,
            optional_auth_paths=optional_auth_paths,
        )
        self._around = app
        self._with_gate: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ours; where nobody brings a gate, with that of the environment."""
        way: ASGIApp = super().__call__
        if scope["type"] in CONNECTIONS and self._lacks_gate(scope):
            way = self._with_gate or await self._environment_way()
        await way(scope, receive, send)

    def _lacks_gate(self, scope: Scope) -> bool:
        return carried_gate(scope) is None and carried_by(scope.get("app") or self._around) is None

    async def _environment_way(self) -> ASGIApp:
        self._with_gate = Carrier(super().__call__, await gate_of_keycloak_environment())
        return self._with_gate


class _Shown:
    """Shows who was admitted as the older client did."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        admission = scope.get("state", {}).get("admission")
        if admission is not None:
            scope["state"]["user"] = context_of(admission.get(User) or admission.get(Service))
        await self._app(scope, receive, send)
