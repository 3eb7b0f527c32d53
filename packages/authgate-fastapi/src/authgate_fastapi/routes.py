"""The guards of an app's routes, found before the first caller finds them."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from authgate_core import AsyncGate, ConfigurationError, Policy

from .carrier import carried_by
from .guards import Guard

__all__ = ["check_policies"]


def check_policies(app: FastAPI, gate: AsyncGate) -> None:
    """Check that the gate can judge what the routes of an app, and of apps mounted in it, ask (Law 1.6).

    Raises:
        ConfigurationError: Naming everything that is wrong, with the routes concerned.
    """
    problems = dict.fromkeys(_problems(app, gate, ""))
    if problems:
        raise ConfigurationError(*problems)


def _problems(app: FastAPI, gate: AsyncGate, prefix: str) -> Iterator[str]:
    for context in iter_route_contexts(app.routes):
        path = f"{prefix}{context.path or ''}"
        mounted = getattr(context, "app", None)
        if isinstance(mounted, FastAPI):
            yield from _problems(mounted, carried_by(mounted) or gate, path)
        for policy in _policies(getattr(context, "dependant", None), gate):
            try:
                gate.check_policy(policy)
            except ConfigurationError as error:
                yield from (f"{path}: {problem}" for problem in error.problems)


def _policies(dependant: object, gate: AsyncGate) -> Iterator[Policy]:
    if not isinstance(dependant, Dependant):
        return
    if isinstance(dependant.call, Guard):
        scopes = [*(dependant.parent_oauth_scopes or ()), *(dependant.own_oauth_scopes or ())]
        yield dependant.call.policy_for(gate, scopes)
    for needed in dependant.dependencies:
        yield from _policies(needed, gate)
