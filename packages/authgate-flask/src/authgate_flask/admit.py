"""A guard's work: one request, one policy."""

from __future__ import annotations

from functools import partial

from flask import Request, g

from authgate_core import Admission, Policy, Project, User
from authgate_core.challenge import OnRefusal
from authgate_core.errors import AuthgateError
from authgate_core.servers import kept_body

from .installed import Installed
from .visit import view_of, visit_of

__all__ = ["admit", "put_on_g"]


def admit(
    here: Installed,
    request: Request,
    policy: Policy,
    *,
    optional: bool = False,
    words: OnRefusal | None = None,
) -> Admission:
    """Admit a request.

    Args:
        here: The gate that decides, and how its application wants it.
        request: The request.
        policy: What to ask of it.
        optional: Whether a request that presents nothing is let in.
        words: What a refusal says where the application has no words of its own.

    Returns:
        Everyone whom the guards of this request have admitted so far.

    Raises:
        Refusal: If it is not admitted.
        ConfigurationError: If the gate has no source for what the policy names.
    """
    visit = visit_of(request)
    if here.gate.reads_bodies:
        visit.memo.body = partial(kept_body, request)
    view = view_of(request, visit.memo)
    try:
        admission = here.gate.admit(view, policy, optional=optional)
    except AuthgateError as error:
        raise here.refusal(error, view, words) from error
    return visit.add(admission, here.gate, policy, optional=optional)


def put_on_g(admitted: Admission, names: tuple[str, ...]) -> None:
    """Set ``g.user`` and ``g.project``, which are copies for reading (Law 2.6)."""
    if "user" in names:
        g.user = admitted.get(User)
    if "project" in names:
        g.project = admitted.get(Project)
