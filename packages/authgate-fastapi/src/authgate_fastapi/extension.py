"""The extension: one line that gives a FastAPI app its gate."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

from authgate_core import AsyncGate, AuthgateError, ConfigurationError, GateConfig
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from starlette.types import ASGIApp, Receive, Scope, Send

from .guards import Guard
from .locate import carry
from .refusals import refuse

__all__ = ["AuthGate"]


class AuthGate:
    """Gives an app its gate: error handlers, warm-up and close with the lifespan, and the guards' way to it.

    Args:
        app: The app; guards of its routes, and of apps mounted in it, use this gate.
        config: What to build the gate from; default: the environment (``GateConfig.from_env()``).
        gate: A gate that is already built; whoever built it closes it.

    Raises:
        ConfigurationError: If the configuration is wrong, naming everything that is (Law 1.6).
    """

    def __init__(self, app: FastAPI, *, config: GateConfig | None = None, gate: AsyncGate | None = None) -> None:
        if config is not None and gate is not None:
            raise ConfigurationError("AuthGate: give config=... or gate=..., not both")
        self._closes: Final = gate is None
        self.gate: Final = gate if gate is not None else AsyncGate(config or GateConfig.from_env())
        app.add_middleware(_Carrier, gate=self.gate)
        app.add_exception_handler(AuthgateError, refuse)
        self._wrap_lifespan(app)

    def _wrap_lifespan(self, app: FastAPI) -> None:
        inner = app.router.lifespan_context

        @asynccontextmanager
        async def lifespan(inner_app: Any) -> AsyncIterator[Any]:
            _check_policies(app, self.gate)
            await self.gate.warm_up()
            try:
                async with inner(inner_app) as state:
                    yield state
            finally:
                if self._closes:
                    await self.gate.aclose()

        app.router.lifespan_context = lifespan


class _Carrier:
    """Carries the gate in the ASGI scope; pure ASGI, one assignment a request."""

    def __init__(self, app: ASGIApp, gate: AsyncGate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            carry(scope, self._gate)
        await self._app(scope, receive, send)


def _check_policies(app: FastAPI, gate: AsyncGate) -> None:
    """Find at start what would otherwise be found by the first caller (Law 1.6)."""
    problems: dict[str, None] = {}
    for guard in _guards(app):
        try:
            gate.check_policy(guard.policy_for(gate))
        except ConfigurationError as error:
            problems.update(dict.fromkeys(error.problems))
    if problems:
        raise ConfigurationError(*problems)


def _guards(app: FastAPI) -> Iterator[Guard[Any]]:
    for context in iter_route_contexts(app.routes):
        dependant = getattr(context, "dependant", None)
        if isinstance(dependant, Dependant):
            yield from _guards_of(dependant)


def _guards_of(dependant: Dependant) -> Iterator[Guard[Any]]:
    if isinstance(dependant.call, Guard):
        yield dependant.call
    for child in dependant.dependencies:
        yield from _guards_of(child)
