"""The extension: one gate for each application, in ``app.extensions["authgate"]``."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, cast

from flask import Flask, current_app
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.local import LocalProxy

from authgate_core import ConfigurationError, Gate, GateConfig, Policy
from authgate_core.errors import AuthgateError

from .presentation import teach_json
from .refusal import refusal

__all__ = ["POLICIES", "AuthGate", "Installed", "current_gate", "installed", "installed_from_environment"]

NAME: Final = "authgate"
POLICIES: Final = "_authgate_policies"
_SET_G: Final = "AUTHGATE_SET_G"


@dataclass(slots=True)
class Installed:
    """What an application keeps of authgate.

    Args:
        gate: The gate of this application.
        set_g: Whether every guard sets ``g.user`` and ``g.project``.
    """

    gate: Gate
    set_g: bool = False
    _ready: bool = field(default=False, repr=False)

    def check_views(self, app: Flask) -> None:
        """Check the policy of every view registered so far; a later one is checked when it is first used.

        Raises:
            ConfigurationError: Everything that is wrong, with the endpoints concerned (Law 1.6).
        """
        problems: list[str] = []
        for endpoint, policy in _policies(app):
            try:
                self.gate.check_policy(policy)
            except ConfigurationError as error:
                problems += [f"{endpoint}: {problem}" for problem in error.problems]
        if problems:
            raise ConfigurationError(*problems)

    def make_ready(self, app: Flask) -> None:
        """Before the first request: check all views, so that an application never works by halves."""
        if not self._ready:
            teach_json(app)  # once more, since the application may have chosen another provider meanwhile
            self.check_views(app)
            self._ready = True


class AuthGate:
    """Puts a gate in front of a Flask application.

    One object may serve several applications: what belongs to one is kept on that application.

    Args:
        app: The application; leave it out and call ``init_app`` later in an application factory.
        config: What to admit. Without it the settings ``AUTHGATE_*`` of ``app.config`` are read, and where
            there are none, those of the environment.
        gate: A gate of your own making instead, which you also close.

    Raises:
        ConfigurationError: Everything that is wrong with the settings, in one message (Law 1.6).
    """

    def __init__(
        self, app: Flask | None = None, *, config: GateConfig | None = None, gate: Gate | None = None
    ) -> None:
        if config is not None and gate is not None:
            raise ConfigurationError(
                "AuthGate(config=, gate=): a gate has its configuration already; give one of them"
            )
        if gate is not None and not isinstance(gate, Gate):
            raise ConfigurationError(
                f"AuthGate(gate=): Flask needs a Gate, also for async views, not {type(gate).__name__}; "
                "make it with Gate(config)"
            )
        if config is not None and not isinstance(config, GateConfig):
            raise ConfigurationError(
                f"AuthGate(config=): give a GateConfig, not {type(config).__name__}; "
                "app.config is read where config= is left out"
            )
        self._config = config
        self._gate = gate
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
        new = _new(app, self._config, self._gate)
        app.before_request(lambda: new.make_ready(app))
        _install(app, new)


def installed(app: Flask) -> Installed:
    """What this application keeps of authgate.

    Raises:
        ConfigurationError: If it has no gate (Law 1.6).
    """
    found = app.extensions.get(NAME)
    if not isinstance(found, Installed):
        raise ConfigurationError(
            f"the application {app.name!r} has guards but no gate: add AuthGate(app) where it is created"
        )
    return found


current_gate: Gate = cast("Gate", cast("object", LocalProxy(lambda: installed(current_app).gate)))
"""The gate of the application at hand, in views, commands and wherever else there is an application context.

In an application that has no gate, or whose first shortcut has not built it yet, it raises ``ConfigurationError``.
"""

_building = threading.Lock()


def _renew_lock() -> None:
    global _building  # noqa: PLW0603 - a child must not inherit a lock that a thread of its parent holds
    _building = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)  # Law 9.5


def installed_from_environment(app: Flask) -> Installed:
    """Like ``installed``, but an application without a gate gets one from its settings, once (Law 1.6).

    Raises:
        ConfigurationError: If the settings are wrong.
    """
    if NAME not in app.extensions:
        with _building:
            if NAME not in app.extensions:
                _install(app, _new(app))
    return installed(app)


def _new(app: Flask, config: GateConfig | None = None, gate: Gate | None = None) -> Installed:
    set_g: object = _settings(app).get(_SET_G, False)
    problems = [] if isinstance(set_g, bool) else [f"{_SET_G}: write True or False, not {set_g!r}"]
    try:
        new = Installed(gate if gate is not None else Gate(config or _configuration(app)), set_g is True)
        new.check_views(app)
    except ConfigurationError as error:
        raise ConfigurationError(*problems, *error.problems) from None
    if problems:
        raise ConfigurationError(*problems)
    return new


def _install(app: Flask, new: Installed) -> None:
    teach_json(app)
    _answer_outcomes(app, new.gate)
    app.extensions[NAME] = new


def _answer_outcomes(app: Flask, gate: Gate) -> None:
    """Let an outcome that a view raises itself, as from ``gate.verify_token``, be answered like a guard's.

    An error handler for ``AuthgateError`` would hide the application's own for ``HTTPException``, which comes
    later among the bases of a refusal.
    """
    handle = app.handle_user_exception

    def handle_user_exception(error: Exception) -> HTTPException | ResponseReturnValue:
        if isinstance(error, HTTPException) or not isinstance(error, AuthgateError):
            return handle(error)
        return handle(refusal(error, gate.problem(error)))

    vars(app)["handle_user_exception"] = handle_user_exception


def _policies(app: Flask) -> Iterator[tuple[str, Policy]]:
    for name, guarded in (*_views(app), *_hooks(app)):
        for policy in getattr(guarded, POLICIES, ()):
            yield name, policy


def _views(app: Flask) -> Iterator[tuple[str, object]]:
    for endpoint, view in app.view_functions.items():
        yield endpoint, view
        view_class = getattr(view, "view_class", None)
        for method in ("dispatch_request", *(getattr(view_class, "methods", None) or ())):
            yield endpoint, getattr(view_class, method.lower(), None)


def _hooks(app: Flask) -> Iterator[tuple[str, object]]:
    for blueprint, hooks in app.before_request_funcs.items():
        for hook in hooks:
            yield f"before_request of {blueprint or app.name}", hook


def _configuration(app: Flask) -> GateConfig:
    settings = _settings(app)
    return GateConfig.from_mapping(settings) if settings.keys() - {_SET_G} else GateConfig.from_env()


def _settings(app: Flask) -> dict[str, object]:
    config = cast("dict[str, object]", app.config)
    return {name: value for name, value in config.items() if name.startswith("AUTHGATE_")}
