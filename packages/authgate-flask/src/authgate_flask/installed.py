"""What an application keeps of authgate, in ``app.extensions["authgate"]``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from flask import Flask, Request

from authgate_core import ConfigurationError, Gate, Policy
from authgate_core.challenge import OnRefusal, dressed
from authgate_core.errors import AuthgateError
from authgate_core.request import RequestView

from .refusal import Refusal, refusal
from .visit import Visit, visit_of

__all__ = ["NAME", "Installed", "gate_of", "installed"]

NAME: Final = "authgate"


@dataclass(slots=True)
class Installed:
    """What an application keeps of authgate.

    Args:
        gate: The gate of this application.
        set_g: Whether every guard sets ``g.user`` and ``g.project``.
        default: What is asked where a view says nothing itself; None asks nothing.
        on_refusal: The application's own words for refusals.
        ready: Whether the guards were checked, as they are before the first request.
    """

    gate: Gate
    set_g: bool = False
    default: Policy | None = None
    on_refusal: OnRefusal | None = None
    ready: bool = field(default=False, repr=False)

    def refusal(self, error: AuthgateError, view: RequestView, words: OnRefusal | None = None) -> Refusal:
        """An outcome as the error that Flask answers, in the application's own words or in others (Law 1.10)."""
        return refusal(error, dressed(error, self.gate.problem(error, view), self.on_refusal or words))

    def visit(self, request: Request) -> Visit:
        """What is known about a request: the way in for guards of a library that Flask serves; see ``Visited``."""
        return visit_of(request)


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


def gate_of(app: object) -> Gate | None:
    """The gate of an application, for the command line of the core; None where it has none."""
    found: object = app.extensions.get(NAME) if isinstance(app, Flask) else None
    return found.gate if isinstance(found, Installed) else None
