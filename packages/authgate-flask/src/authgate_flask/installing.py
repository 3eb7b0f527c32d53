"""How an application gets its gate, and where the gate stands in its way."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import partial
from typing import Final, cast

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from authgate_core import ConfigurationError, Gate, GateConfig, Policy
from authgate_core.challenge import OnRefusal
from authgate_core.config.environment import own_variables
from authgate_core.errors import AuthgateError, NotAdmitted

from .caching import keep_private
from .checks import check_guards, watch
from .installed import NAME, Installed, installed
from .presentation import teach_json
from .protect import admit_by_route
from .visit import view_of, visit_of

__all__ = ["install", "installed_from_settings", "installed_once", "make"]

_SET_G: Final = "AUTHGATE_SET_G"

_building = threading.Lock()


def _renew_lock() -> None:
    global _building  # noqa: PLW0603 - a child must not inherit a lock that a thread of its parent holds
    _building = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)  # Law 9.5


def installed_once(app: Flask, build: Callable[[Flask], Installed]) -> Installed:
    """Like ``installed``, but an application without a gate is given what ``build`` makes, once (Law 1.6).

    What stands in the way of requests does so from the next one on.

    Raises:
        ConfigurationError: If the settings are wrong.
    """
    if NAME not in app.extensions:
        with _building:
            if NAME not in app.extensions:
                install(app, build(app))
    return installed(app)


def installed_from_settings(app: Flask) -> Installed:
    """``installed_once`` from the settings of the application or, without any, those of the environment."""
    return installed_once(app, make)


def make(
    app: Flask,
    config: GateConfig | None = None,
    gate: Gate | None = None,
    default: Policy | None = None,
    on_refusal: OnRefusal | None = None,
) -> Installed:
    """Make what an application is to keep, and check the guards that are there.

    Raises:
        ConfigurationError: Everything that is wrong, in one message.
    """
    set_g = _settings(app).get(_SET_G, False)
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


def install(app: Flask, new: Installed) -> None:
    """Have the gate stand in the way of the requests and responses of an application."""
    teach_json(app)
    _answer_outcomes(app, new)
    # In front of the application's own, and its answers last of all; requests that are under way keep their lists.
    before, after = app.before_request_funcs, app.after_request_funcs
    before[None] = [partial(_before_request, app, new), *before.get(None, ())]
    after[None] = [keep_private, *after.get(None, ())]
    app.extensions[NAME] = new


def _before_request(app: Flask, here: Installed) -> Response | None:
    metadata = here.gate.resource_metadata
    if metadata is not None and metadata.answers(
        request.method, request.path, request.root_path + request.path
    ):
        return Response(metadata.body, headers=[*metadata.headers])
    if not here.ready:  # an application never works by halves
        teach_json(app)  # once more, since the application may have chosen another provider meanwhile
        check_guards(app, here)
        here.ready = True
    admit_by_route(app, here)
    return None


def _answer_outcomes(app: Flask, here: Installed) -> None:
    """Let an outcome that a view raises itself, as from ``gate.verify_token``, be answered like a guard's.

    An error handler for ``AuthgateError`` would hide the application's own for ``HTTPException``, which comes
    later among the bases of a refusal.
    """
    handle = app.handle_user_exception

    def handle_user_exception(error: Exception) -> HTTPException | ResponseReturnValue:
        visit = visit_of(request)
        # Law 8.6: in shadow mode a view that cannot run without a principal is refused as the request would be.
        shadowed = visit.admission.refusal if visit.admission is not None else None
        outcome = shadowed if shadowed is not None and isinstance(error, NotAdmitted) else error
        if isinstance(outcome, HTTPException) or not isinstance(outcome, AuthgateError):
            return handle(error)
        return handle(here.refusal(outcome, view_of(request, visit.memo)))

    vars(app)["handle_user_exception"] = handle_user_exception


def _configuration(app: Flask) -> GateConfig:
    # Handed on whole: a profile reads variables with names of their own.
    settings = _settings(app)
    here = sorted(name for name in settings if name.startswith("AUTHGATE_") and name != _SET_G)
    if not here:
        return GateConfig.from_env()
    try:
        return GateConfig.from_mapping(settings)
    except ConfigurationError as error:
        passed_over = own_variables() - {*settings}
        if not passed_over:
            raise
        # Otherwise a variable that is set would be called missing, and nobody would see why.
        where = f"app.config: has {here[0]}, so the environment's {min(passed_over)} is not read"
        raise ConfigurationError(*error.problems, f"{where}; keep all settings in one place") from None


def _settings(app: Flask) -> dict[str, object]:
    return cast("dict[str, object]", app.config)
