"""What is wrong with the guards of an application, found before its first request (Law 1.6)."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Final

from flask import Flask

from authgate_core import ConfigurationError, Policy

from .installed import Installed
from .marks import PUBLIC, Mark, class_of, layers, marks_of, marks_put_around
from .routes import hooks_of, own_marks, protections, rules_of

__all__ = ["check_guards", "watch"]

_watched: Final[list[weakref.ref[Flask]]] = []


def watch(app: Flask) -> None:
    """Remember an application: what one registers bare, another may register guarded."""
    _watched.append(weakref.ref(app, _watched.remove))


def check_guards(app: Flask, here: Installed) -> None:
    """Check what stands before every view registered so far.

    Raises:
        ConfigurationError: Everything that is wrong, with the endpoints concerned.
    """
    problems = dict.fromkeys((*_policy_problems(app, here), *_order_problems(app), *_contradictions(app)))
    if problems:
        raise ConfigurationError(*problems)


def _policy_problems(app: Flask, here: Installed) -> Iterator[str]:
    for place, policy in _policies(app, here.default):
        try:
            here.gate.check_policy(policy)
        except ConfigurationError as error:
            yield from (f"{place}: {problem}" for problem in error.problems)


def _policies(app: Flask, default: Policy | None) -> Iterator[tuple[str, Policy]]:
    if default is not None:
        yield "AuthGate(default=)", default
    for name, blueprint in app.blueprints.items():
        for policy in protections(blueprint):
            yield f"protect({name})", policy
    for place, mark in (*_marks_of_views(app), *_marks_of_hooks(app)):
        if mark.policy is not None:
            yield place, mark.policy


def _marks_of_views(app: Flask) -> Iterator[tuple[str, Mark]]:
    for endpoint, method in _handled(app):
        for mark in own_marks(app, endpoint, method):
            yield endpoint, mark


def _marks_of_hooks(app: Flask) -> Iterator[tuple[str, Mark]]:
    for name in app.before_request_funcs:
        for hook in hooks_of(app, name):
            for mark in marks_of(hook):
                yield f"before_request of {name or app.name}", mark


def _handled(app: Flask) -> Iterator[tuple[str, str]]:
    """Each endpoint with the methods that it may be asked by."""
    for endpoint, view in app.view_functions.items():
        for method in sorted(getattr(class_of(view), "methods", None) or {"GET"}):
            yield endpoint, method


def _order_problems(app: Flask) -> Iterator[str]:
    """Views that were registered first and decorated afterwards: what was registered is the bare one."""
    for endpoint, view in app.view_functions.items():
        for mark in _lost(view):
            yield (
                f"{endpoint}: {_said(mark)} stands above the route {_rules(app, endpoint)}, which was registered "
                "without it; write it below, between the route and the function"
            )
    for name in app.before_request_funcs:
        for mark in (mark for hook in hooks_of(app, name) for mark in _lost(hook)):
            yield (
                f"before_request of {name or app.name}: {_said(mark)} stands above @before_request, which "
                "registered the function without it; write it below"
            )


def _lost(function: object) -> tuple[Mark, ...]:
    """The marks that were put around a registered function, but not around anything that is registered.

    One function may be registered twice, once guarded and once as it is: that is no mistake.
    """
    put = marks_put_around(function)
    if not put:
        return ()
    placed = {mark for other in _registered() if _is_around(other, function) for mark in marks_of(other)}
    return tuple(mark for mark in put if mark not in placed)


def _is_around(other: object, function: object) -> bool:
    return other is not function and any(layer is function for layer in layers(other))


def _registered() -> Iterator[object]:
    for reference in tuple(_watched):
        app = reference()
        if app is not None:
            for view in tuple(app.view_functions.values()):
                yield from (view, *vars(class_of(view) or object).values())
            yield from (hook for name in tuple(app.before_request_funcs) for hook in hooks_of(app, name))


def _contradictions(app: Flask) -> Iterator[str]:
    """Views that say both: the guard would refuse whom ``@public`` lets in."""
    for endpoint, method in _handled(app):
        view = app.view_functions[endpoint]
        own = own_marks(app, endpoint, method)
        guards = [mark for mark in own if mark is not PUBLIC]
        if PUBLIC in own and guards and not _is_public_elsewhere(app, view):
            yield (
                f"{endpoint}: {_said(guards[0])} and @public are on one view of {_rules(app, endpoint)}"
                f"{f', its {method}' if class_of(view) else ''}; take one of them away"
            )


def _is_public_elsewhere(app: Flask, view: object) -> bool:
    """Whether a layer of a view is a route of its own: public there, guarded here."""
    inner = [layer for layer in layers(view) if layer is not view and PUBLIC in marks_of(layer)]
    return any(layer is other for layer in inner for other in app.view_functions.values())


def _said(mark: Mark) -> str:
    return "@public" if mark is PUBLIC else f"@requires({mark.policy!r})"


def _rules(app: Flask, endpoint: str) -> str:
    return ", ".join(rules_of(app, endpoint)) or endpoint
