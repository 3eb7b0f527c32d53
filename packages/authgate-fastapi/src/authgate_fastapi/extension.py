"""The extension: one line that gives a FastAPI app its gate."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI

from authgate_core import AsyncGate, AuthgateError, ConfigurationError, GateConfig

from .carrier import Carrier, carried_by
from .refusals import REFUSE
from .routes import check_policies

__all__ = ["AuthGate"]


class AuthGate:
    """Gives an app its gate, warms it up and closes it with the lifespan, and answers what it refuses.

    Guards of its routes and of apps mounted in it use this gate; a mounted app may have one of its own.
    Without a lifespan, as under a ``TestClient`` that is no context manager, keys are fetched when first
    needed, and a wrong policy is found by the first caller.

    Args:
        app: The app.
        config: What to build the gate from; by default the environment (``GateConfig.from_env()``).
        gate: A gate of your own making instead, which you also close.

    Attributes:
        gate: The gate.

    Raises:
        ConfigurationError: Everything that is wrong with the settings, in one message (Law 1.6).
    """

    def __init__(
        self, app: FastAPI, *, config: GateConfig | None = None, gate: AsyncGate | None = None
    ) -> None:
        _check_arguments(app, config, gate)
        self._closes: Final = gate is None
        self.gate: Final = gate or AsyncGate(config or GateConfig.from_env())
        app.add_middleware(Carrier, gate=self.gate)
        if AuthgateError not in app.exception_handlers:  # the app's own stands, registered before or after
            app.add_exception_handler(AuthgateError, REFUSE)
        self._wrap_lifespan(app)

    def _wrap_lifespan(self, app: FastAPI) -> None:
        inner = app.router.lifespan_context

        @asynccontextmanager
        async def lifespan(started: FastAPI) -> AsyncGenerator[Any]:  # Any: whatever the app's own yields
            check_policies(app, self.gate)
            try:
                await self.gate.warm_up()
                async with inner(started) as state:
                    yield state
            finally:
                if self._closes:
                    await self.gate.aclose()

        app.router.lifespan_context = lifespan


def _check_arguments(app: FastAPI, config: GateConfig | None, gate: AsyncGate | None) -> None:
    if config is not None and gate is not None:
        raise ConfigurationError(
            "AuthGate(config=, gate=): a gate has its configuration already; give one of them"
        )
    if gate is not None and not isinstance(gate, AsyncGate):
        raise ConfigurationError(
            f"AuthGate(gate=): FastAPI needs an AsyncGate, not {type(gate).__name__}; "
            "make it with AsyncGate(config)"
        )
    if carried_by(app) is not None:
        raise ConfigurationError(f"the app {app.title!r} has a gate already: write AuthGate(app) once")
