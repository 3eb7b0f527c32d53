"""What stands before an app's routes, found before the first caller finds it."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts

from authgate_core import AsyncGate, ConfigurationError, Policy

from .blanket import Blanket
from .carrier import carried_by
from .middleware import policies_before
from .public import is_public
from .selection import guards_of

__all__ = ["check_policies", "mounted_without_gate"]


def check_policies(app: FastAPI, gate: AsyncGate) -> None:
    """Check that the gate can judge what an app, its routes and apps mounted in it ask (Law 1.6).

    Raises:
        ConfigurationError: Naming everything that is wrong, with the routes concerned.
    """
    problems = dict.fromkeys(_problems(app, gate, ""))
    if problems:
        raise ConfigurationError(*problems)


def mounted_without_gate(app: FastAPI) -> Iterator[FastAPI]:
    """The apps that are mounted in an app, and in those, and ask its gate."""
    for route in iter_route_contexts(app.routes):
        mounted = getattr(route, "app", None)
        if isinstance(mounted, FastAPI) and carried_by(mounted) is None:
            yield mounted
            yield from mounted_without_gate(mounted)


def _problems(app: FastAPI, gate: AsyncGate, prefix: str) -> Iterator[str]:
    for policy in policies_before(app):
        yield from (
            f"{prefix or '/'}: AuthMiddleware: {problem}" for problem in _policy_problems(policy, gate)
        )
    for route in iter_route_contexts(app.routes):
        path = f"{prefix}{route.path or ''}"
        mounted = getattr(route, "app", None)
        if isinstance(mounted, FastAPI):
            yield from _problems(mounted, carried_by(mounted) or gate, path)
        yield from (f"{path}: {problem}" for problem in _problems_of(route, gate))


def _problems_of(route: RouteContext, gate: AsyncGate) -> Iterator[str]:
    for guard, scopes in guards_of(route):
        if is_public(route.endpoint) and not isinstance(guard, Blanket):
            yield (
                f"@public lifts no guard, and {guard!r} guards this endpoint: remove one of them; "
                "protect(router, ...) and AuthGate(app, default=...) are what @public opts out of"
            )
        yield from _policy_problems(guard.policy_for(gate, scopes), gate)


def _policy_problems(policy: Policy, gate: AsyncGate) -> Iterator[str]:
    try:
        gate.check_policy(policy)
    except ConfigurationError as error:
        yield from error.problems
