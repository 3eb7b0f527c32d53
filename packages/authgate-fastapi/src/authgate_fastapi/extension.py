"""The extension: one line that gives a FastAPI app its gate."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

from fastapi import FastAPI

from authgate_core import AsyncGate, AuthgateError, ConfigurationError, GateConfig, Policy
from authgate_core.challenge import OnRefusal, on_refusal_problems

from .blanket import Blanket
from .carrier import Carrier, carried_by
from .doorkeeper import keep
from .openapi import document
from .refusals import REFUSE
from .routes import check_policies, mounted_without_gate

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
        default: Who is let in where a route has no guard of its own and no ``@public`` (Law 8.8): every route
            of the app, its documentation pages too, and of apps mounted in it that have no gate of their own.
            Without it such routes are open.
        on_refusal: The app's own words for a refusal: a function of (error, problem) that returns another
            body, or None; status, challenge and ``Retry-After`` stand (Law 1.10).

    Attributes:
        gate: The gate.

    Raises:
        ConfigurationError: Everything that is wrong with the settings, in one message (Law 1.6).
    """

    def __init__(
        self,
        app: FastAPI,
        *,
        config: GateConfig | None = None,
        gate: AsyncGate | None = None,
        default: Policy | None = None,
        on_refusal: OnRefusal | None = None,
    ) -> None:
        _check_arguments(app, config, gate, on_refusal)
        blanket = None if default is None else Blanket("AuthGate(default=)", default)
        self._closes: Final = gate is None
        self.gate: Final = gate or AsyncGate(config or GateConfig.from_env())
        if default is not None:
            self.gate.check_policy(default)
        app.add_middleware(Carrier, gate=self.gate, default=blanket, on_refusal=on_refusal)
        keep(app.router)
        self._document: Final = partial(
            document, gate=self.gate, default=blanket, plain_body=on_refusal is None
        )
        self._document(app)
        if AuthgateError not in app.exception_handlers:  # the app's own stands, registered before or after
            app.add_exception_handler(AuthgateError, REFUSE)
        self._wrap_lifespan(app)

    def _reach(self, app: FastAPI) -> None:
        """Document what was mounted, or was given an ``openapi`` of its own, since."""
        for one in (app, *mounted_without_gate(app)):
            self._document(one)

    def _wrap_lifespan(self, app: FastAPI) -> None:
        inner = app.router.lifespan_context

        @asynccontextmanager
        async def lifespan(started: FastAPI) -> AsyncGenerator[Any]:  # Any: whatever the app's own yields
            check_policies(app, self.gate)
            self._reach(app)
            try:
                await self.gate.warm_up()
                async with inner(started) as state:
                    yield state
            finally:
                if self._closes:
                    await self.gate.aclose()

        app.router.lifespan_context = lifespan


def _check_arguments(
    app: FastAPI, config: GateConfig | None, gate: AsyncGate | None, on_refusal: OnRefusal | None
) -> None:
    given: object = app
    if not isinstance(given, FastAPI):
        raise ConfigurationError(
            f"AuthGate(app): give the FastAPI application, not {type(given).__name__}; write AuthGate(app, config=...)"
        )
    wrong = tuple(on_refusal_problems(on_refusal))
    if wrong:
        raise ConfigurationError(*wrong)
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
