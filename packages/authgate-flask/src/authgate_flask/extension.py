"""The extension: one gate for each application, in ``app.extensions["authgate"]``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from flask import Flask, current_app
from werkzeug.local import LocalProxy

from authgate_core import ConfigurationError, Gate, GateConfig, Policy
from authgate_core.challenge import OnRefusal, on_refusal_problems

from .commands import authgate
from .installed import NAME, installed
from .installing import install, make

__all__ = ["AuthGate", "current_gate"]


class AuthGate:
    """Puts a gate in front of a Flask application.

    One object may serve several applications: what belongs to one is kept on that application.

    Args:
        app: The application; leave it out and call ``init_app`` later in an application factory.
        config: What to admit. Without it the settings ``AUTHGATE_*`` of ``app.config`` are read, and where
            there are none, those of the environment.
        gate: A gate of your own making instead, which you also close.
        default: What to ask of requests for views without a guard of their own, so that nothing stands open
            by oversight (Law 8.8); ``protect`` and ``@public`` say otherwise. None asks nothing.
        on_refusal: Called with the error and the problem of each refusal, and returns another body for it, or
            None; status, challenge and ``Retry-After`` stand (Law 1.10).

    Raises:
        ConfigurationError: Everything that is wrong with the settings, in one message (Law 1.6).
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        config: GateConfig | None = None,
        gate: Gate | None = None,
        default: Policy | None = None,
        on_refusal: OnRefusal | None = None,
    ) -> None:
        problems = tuple(_problems(app, config, gate, default, on_refusal))
        if problems:
            raise ConfigurationError(*problems)
        self._config = config
        self._gate = gate
        self._default = default
        self._on_refusal = on_refusal
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Give an application its gate; call it after ``app.config`` is filled.

        Raises:
            ConfigurationError: If the settings are wrong, if a registered view has a policy that the gate
                cannot judge, or if the application has a gate already.
        """
        if NAME in app.extensions:
            raise ConfigurationError(
                f"the application {app.name!r} has a gate already: call AuthGate(app) once"
            )
        install(app, make(app, self._config, self._gate, self._default, self._on_refusal))
        app.cli.add_command(authgate)


current_gate: Gate = cast("Gate", cast("object", LocalProxy(lambda: installed(current_app).gate)))
"""The gate of the application at hand, in views, commands and wherever else there is an application context.

In an application that has no gate, or whose first shortcut has not built it yet, it raises ``ConfigurationError``.
"""


def _problems(
    app: object, config: object, gate: object, default: object, on_refusal: object
) -> Iterator[str]:
    if app is not None and not isinstance(app, (Flask, LocalProxy)):
        yield f"AuthGate(app): give the Flask application, not {type(app).__name__}; write AuthGate(app, config=...)"
    if config is not None and gate is not None:
        yield "AuthGate(config=, gate=): a gate has its configuration already; give one of them"
    if gate is not None and not isinstance(gate, Gate):
        yield (
            f"AuthGate(gate=): Flask needs a Gate, also for async views, not {type(gate).__name__}; "
            "make it with Gate(config)"
        )
    if config is not None and not isinstance(config, GateConfig):
        yield (
            f"AuthGate(config=): give a GateConfig, not {type(config).__name__}; "
            "app.config is read where config= is left out"
        )
    if default is not None and not isinstance(default, Policy):
        yield f"AuthGate(default=): give a policy like is_user, not {default!r}"
    yield from on_refusal_problems(on_refusal)
