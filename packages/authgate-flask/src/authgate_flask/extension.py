"""The extension: one gate for each application, in ``app.extensions["authgate"]``."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from functools import partial
from typing import Final, cast

from flask import Flask, current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.local import LocalProxy

from authgate_core import ConfigurationError, Gate, GateConfig, Policy
from authgate_core.challenge import OnRefusal, on_refusal_problems
from authgate_core.errors import AuthgateError

from .caching import keep_private
from .checks import check_guards, watch
from .commands import authgate
from .installed import NAME, Installed, installed
from .presentation import teach_json
from .protect import admit_by_route
from .visit import view_of, visit_of

__all__ = ["AuthGate", "current_gate", "installed_from_environment"]

_SET_G: Final = "AUTHGATE_SET_G"


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
        problems = tuple(_problems(config, gate, default, on_refusal))
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
        _install(app, _new(app, self._config, self._gate, self._default, self._on_refusal))
        app.cli.add_command(authgate)


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

    What stands in the way of requests does so from the next one on.

    Raises:
        ConfigurationError: If the settings are wrong.
    """
    if NAME not in app.extensions:
        with _building:
            if NAME not in app.extensions:
                _install(app, _new(app))
    return installed(app)


def _new(
    app: Flask,
    config: GateConfig | None = None,
    gate: Gate | None = None,
    default: Policy | None = None,
    on_refusal: OnRefusal | None = None,
) -> Installed:
    set_g: object = _settings(app).get(_SET_G, False)
    problems = [] if isinstance(set_g, bool) else [f"{_SET_G}: write True or False, not {set_g!r}"]
    watch(app)
    try:
        made = gate if gate is not None else Gate(config or _configuration(app))
        new = Installed(made, set_g is True, default, on_refusal)
        check_guards(app, new)
    except ConfigurationError as error:
        raise ConfigurationError(*problems, *error.problems) from None
    if problems:
        raise ConfigurationError(*problems)
    return new


def _install(app: Flask, new: Installed) -> None:
    teach_json(app)
    _answer_outcomes(app, new)
    # In front of the application's own, and its answers last of all; requests that are under way keep their lists.
    before, after = app.before_request_funcs, app.after_request_funcs
    before[None] = [partial(_before_request, app, new), *before.get(None, ())]
    after[None] = [keep_private, *after.get(None, ())]
    app.extensions[NAME] = new


def _before_request(app: Flask, here: Installed) -> None:
    if not here.ready:  # an application never works by halves
        teach_json(app)  # once more, since the application may have chosen another provider meanwhile
        check_guards(app, here)
        here.ready = True
    admit_by_route(app, here)


def _answer_outcomes(app: Flask, here: Installed) -> None:
    """Let an outcome that a view raises itself, as from ``gate.verify_token``, be answered like a guard's.

    An error handler for ``AuthgateError`` would hide the application's own for ``HTTPException``, which comes
    later among the bases of a refusal.
    """
    handle = app.handle_user_exception

    def handle_user_exception(error: Exception) -> HTTPException | ResponseReturnValue:
        if isinstance(error, HTTPException) or not isinstance(error, AuthgateError):
            return handle(error)
        return handle(here.refusal(error, view_of(request, visit_of(request).memo)))

    vars(app)["handle_user_exception"] = handle_user_exception


def _problems(config: object, gate: object, default: object, on_refusal: object) -> Iterator[str]:
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


def _configuration(app: Flask) -> GateConfig:
    settings = _settings(app)
    return GateConfig.from_mapping(settings) if settings.keys() - {_SET_G} else GateConfig.from_env()


def _settings(app: Flask) -> dict[str, object]:
    config = cast("dict[str, object]", app.config)
    return {name: value for name, value in config.items() if name.startswith("AUTHGATE_")}
