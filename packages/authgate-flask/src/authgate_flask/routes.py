"""The routes of an application, and what stands before each: its own guards, its blueprint's, the default."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, cast

from flask import Flask
from flask.views import MethodView
from werkzeug.routing import Rule

from authgate_core import Policy
from authgate_core.routes import GuardedRoute, RouteGuard

from .marks import PUBLIC, Mark, class_of, marks_of, marks_of_class

__all__ = [
    "PROTECTIONS",
    "blueprint_names",
    "hooks_of",
    "imposed",
    "own_marks",
    "protections",
    "routes_of",
    "rules_of",
]

PROTECTIONS: Final = "_authgate_protections"
_METHODS: Final = ("DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT")


def routes_of(app: Flask, default: Policy | None) -> Iterator[GuardedRoute]:
    """The routes of an application, by rule; one of a ``MethodView`` once for each answer."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (_shown(app, rule), rule.endpoint)):
        answers: dict[tuple[tuple[RouteGuard, ...], bool], list[str]] = {}
        for method in _methods(rule, class_of(app.view_functions.get(rule.endpoint))):
            answers.setdefault(_answer(app, default, rule.endpoint, method), []).append(method)
        for (stands, is_public), methods in answers.items():
            yield GuardedRoute("http", _shown(app, rule), tuple(methods), stands, is_public)


def _answer(
    app: Flask, default: Policy | None, endpoint: str, method: str
) -> tuple[tuple[RouteGuard, ...], bool]:
    own = own_marks(app, endpoint, method)
    hooks = (hook for name in (None, *blueprint_names(endpoint)) for hook in hooks_of(app, name))
    stands = (
        *imposed(app, default, endpoint, method),
        *_stands("before_request", (mark for hook in hooks for mark in marks_of(hook))),
        *_stands("own", own),
    )
    return stands, PUBLIC in own


def _stands(source: str, marks: Iterable[Mark]) -> Iterator[RouteGuard]:
    for mark in marks:
        if mark.policy is not None:
            yield RouteGuard(source, mark.policy, mark.optional)


def imposed(app: Flask, default: Policy | None, endpoint: str, method: str) -> tuple[RouteGuard, ...]:
    """What is asked of a request besides what its view asks: nothing if that is public.

    ``protect`` takes the place of the default, and is asked besides the view's own guard, which does so as well.
    """
    own = own_marks(app, endpoint, method)
    is_guarded = any(mark is not PUBLIC for mark in own)
    if own and not is_guarded:
        return ()
    held = tuple(
        RouteGuard("protect", policy)
        for name in blueprint_names(endpoint)
        for policy in protections(app.blueprints.get(name))
    )
    if held or is_guarded or default is None:
        return held
    return (RouteGuard("default", default),)


def own_marks(app: Flask, endpoint: str, method: str) -> tuple[Mark, ...]:
    """What a view says itself about requests of one method: by its decorators, its class and its method."""
    view = app.view_functions.get(endpoint)
    view_class = class_of(view)
    if view_class is None:
        return marks_of(view)
    within = [mark for handler in _handlers(view_class, method) for mark in marks_of(handler)]
    return (*marks_of(view), *marks_of_class(view_class), *within)


def _handlers(view_class: type, method: str) -> Iterator[object]:
    """What Flask calls for a method: ``dispatch_request``, and from there, for HEAD, ``get`` if need be."""
    yield getattr(view_class, "dispatch_request", None)
    if issubclass(view_class, MethodView):
        by_get: object = getattr(view_class, "get", None) if method == "HEAD" else None
        yield getattr(view_class, method.lower(), by_get)


def hooks_of(app: Flask, name: str | None) -> tuple[object, ...]:
    """The functions that run before each request for a blueprint; None is the application itself."""
    return tuple(app.before_request_funcs.get(name, ()))


def protections(blueprint: object) -> tuple[Policy, ...]:
    """The policies by which a blueprint is protected."""
    return cast("tuple[Policy, ...]", getattr(blueprint, PROTECTIONS, ()))


def blueprint_names(endpoint: str) -> tuple[str, ...]:
    """The blueprints that an endpoint is in, the outermost first."""
    parts = endpoint.split(".")[:-1]
    return tuple(".".join(parts[: depth + 1]) for depth in range(len(parts)))


def rules_of(app: Flask, endpoint: str) -> tuple[str, ...]:
    """The rules of an endpoint, as ``flask authgate routes`` shows them."""
    return tuple(_shown(app, rule) for rule in app.url_map.iter_rules() if rule.endpoint == endpoint)


def _methods(rule: Rule, view_class: type | None) -> Iterator[str]:
    """The methods that somebody wrote: Flask adds HEAD to GET, if no handler is there, and answers OPTIONS itself.

    A rule that was put into the map by hand may name none, and takes any.
    """
    if rule.methods is None:
        yield from _METHODS
        return
    is_added = "GET" in rule.methods and not hasattr(view_class, "head")
    automatic = {"HEAD"} if is_added else set[str]()
    if getattr(rule, "provide_automatic_options", False):
        automatic.add("OPTIONS")
    yield from sorted(rule.methods - automatic)


def _shown(app: Flask, rule: Rule) -> str:
    if app.url_map.host_matching:
        return f"{rule.host or ''}{rule.rule}"
    return f"{rule.subdomain}.{rule.rule}" if rule.subdomain else rule.rule
