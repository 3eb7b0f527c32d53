"""A guard's work: one request, one policy."""

from __future__ import annotations

from flask import g, request

from authgate_core import Policy, Project, User
from authgate_core.errors import AuthgateError

from .installed import Installed
from .visit import view_of, visit_of

__all__ = ["admit"]


def admit(here: Installed, policy: Policy, *, optional: bool = False, sets_g: tuple[str, ...] = ()) -> None:
    """Admit the request at hand.

    Args:
        here: The gate that decides, and how its application wants it.
        policy: What to ask of the request.
        optional: Whether a request that presents nothing is let in.
        sets_g: Which of ``user`` and ``project`` to put on ``g``.

    Raises:
        Refusal: If it is not admitted.
        ConfigurationError: If the gate has no source for what the policy names.
    """
    visit = visit_of(request)
    view = view_of(request, visit.memo)
    try:
        admission = here.gate.admit(view, policy, optional=optional)
    except AuthgateError as error:
        raise here.refusal(error, view) from error
    admitted = visit.add(admission, optional=optional)
    visit.read.update(dict.fromkeys(here.gate.headers_read(policy)))
    if here.set_g or "user" in sets_g:
        g.user = admitted.get(User)
    if here.set_g or "project" in sets_g:
        g.project = admitted.get(Project)
