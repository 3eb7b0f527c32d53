"""The routes of an application as tests and commands list them."""

from __future__ import annotations

from flask import Flask

from authgate_core.routes import GuardedRoute

from .checks import check_guards
from .installed import installed
from .routes import routes_of

__all__ = ["guarded_routes"]


def guarded_routes(app: Flask) -> tuple[GuardedRoute, ...]:
    """The routes of an application by rule, each with the guards that stand before it.

    Raises:
        ConfigurationError: If it has no gate, or with everything that is wrong with its guards (Law 1.6).
    """
    here = installed(app)
    check_guards(app, here)
    return tuple(routes_of(app, here.default))
