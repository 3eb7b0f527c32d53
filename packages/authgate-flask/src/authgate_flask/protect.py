"""What is asked of requests besides what their views ask: by blueprint, and by default (Law 8.8)."""

from __future__ import annotations

from flask import Blueprint, Flask, request, request_started

from authgate_core import Policy
from authgate_core.policy import compile_policy

from .admit import admit, put_on_g
from .installed import NAME, Installed, installed
from .routes import PROTECTIONS, blueprint_names, imposed, protections
from .visit import this_request, view_of, visit_of

__all__ = ["admit_by_route", "protect"]


def protect(blueprint: Blueprint, policy: Policy) -> None:
    """Guard all views of a blueprint and of those nested in it: ``protect(admin, any_role("admin"))``.

    It may be called before the blueprint is registered or after. A view's own guard must admit as well; a view
    that is ``@public`` is let out, and a CORS preflight is not asked (Law 1.11). Called again, it adds up.

    Args:
        blueprint: The blueprint, in whichever applications it is registered.
        policy: What to ask of a request; it takes the place of ``AuthGate(default=)``.

    Raises:
        TypeError: If that is no blueprint, or no policy.
        ConfigurationError: If the policy can never be judged.
    """
    if not isinstance(blueprint, Blueprint):
        raise TypeError(
            f"protect takes a blueprint, not {type(blueprint).__name__}: "
            "a whole application is protected by AuthGate(app, default=policy)"
        )
    if not isinstance(policy, Policy):
        raise TypeError(f"protect takes a policy, not {policy!r}: write protect(blueprint, is_user)")
    compile_policy(policy)
    vars(blueprint)[PROTECTIONS] = (*protections(blueprint), policy)
    request_started.connect(_refuse_without_gate)


def _refuse_without_gate(app: Flask, **_: object) -> None:
    # In an application without a gate nothing of authgate would run, and the blueprint would stand open.
    if NAME not in app.extensions and any(
        protections(app.blueprints.get(name)) for name in blueprint_names(request.endpoint or "")
    ):
        installed(app)


def admit_by_route(app: Flask, here: Installed) -> None:
    """Ask of the request at hand what its blueprints or the default ask.

    Where no route matched (404, 405, a redirect) there is nothing to guard.

    Raises:
        Refusal: If it is not admitted.
    """
    asked = this_request()
    endpoint = asked.endpoint
    if endpoint is None or (here.default is None and "." not in endpoint):  # in no blueprint
        return
    stands = imposed(app, here.default, endpoint, asked.method)
    if asked.method == "OPTIONS" and view_of(asked, visit_of(asked).memo).is_preflight:
        return
    for stand in stands:
        admitted = admit(here, asked, stand.policy)
        put_on_g(admitted, ("user", "project") if here.set_g else ())
