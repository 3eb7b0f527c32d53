"""The OpenAPI document of an app, with what its guards ask and answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from authgate_core import AsyncGate
from authgate_core.challenge import PROBLEM_JSON
from authgate_core.headers import RETRY_AFTER

from .blanket import Blanket
from .public import is_public
from .requirements import SCHEMES, Asked, alternatives, described, scheme
from .selection import guards_of

__all__ = ["Documented", "document"]

JSON = dict[str, Any]
"""A part of a document; Any stands for JSON."""

_PROBLEM: Final = "AuthgateProblem"
_POLICY: Final = "x-authgate-policy"
_TEXT: Final[JSON] = {"type": "string"}
_SCHEMA: Final[JSON] = {
    "title": _PROBLEM,
    "description": "A refusal (RFC 9457)",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "code": {**_TEXT, "description": "Stable, for programs"},
        "missing": {"type": "array", "items": _TEXT, "description": "The scopes that are missing"},
        "acr_values": {
            "type": "array",
            "items": _TEXT,
            "description": "Ways to log in, one of which will do",
        },
        "action": {**_TEXT, "description": "The action that the user has to confirm"},
        "max_age": {"type": "integer", "description": "How long ago the login may be, in seconds"},
    },
}
_RETRY: Final[JSON] = {RETRY_AFTER: {"schema": {"type": "integer"}, "description": "Seconds"}}
_REFUSALS: Final = {
    "400": "Malformed or duplicated credentials",
    "401": "Credentials are missing, invalid, expired or revoked; the challenge names the accepted schemes",
    "403": "Not allowed; the policy is {policy}",
    "503": "The credentials could not be checked",
}


class Documented:
    """Stands in the place of ``app.openapi``, whoever made it, and adds security to what it returns.

    What it returns is kept until that is another document: FastAPI makes one when routes are added. What
    routes declare themselves stays, and so does a ``security`` in ``openapi_extra``.

    Args:
        app: The app.
        gate: The gate of the app.
        default: The guard of routes that have none.
        plain_body: Whether refusals have the problem as their body, as no ``on_refusal`` replaces it.
    """

    def __init__(self, app: FastAPI, gate: AsyncGate, default: Blanket | None, *, plain_body: bool) -> None:
        self._app = app
        self._gate = gate
        self._default = default
        self._plain_body = plain_body
        self._inner: Callable[[], JSON] = app.openapi
        self._source: JSON | None = None
        self._document: JSON = {}

    def __call__(self) -> JSON:
        """The document."""
        source = self._inner()
        if source is not self._source:
            self._document = self._secured(deepcopy(source))
            self._source = source
        return self._document

    def _secured(self, whole: JSON) -> JSON:
        used: set[str] = set()
        for route in iter_route_contexts(self._app.routes):
            asked = list(self._asked(route))
            for operation in _undocumented(whole, route) if asked else ():
                ways = alternatives(asked)
                _require(operation, ways, stays="security" in (route.openapi_extra or {}))
                operation[_POLICY] = described(asked)
                if any(ways):
                    _add_refusals(operation, asked)
                used.update(name for way in operation["security"] for name in way)
        _add_components(whole, used, self._gate)
        return whole

    def _asked(self, route: RouteContext) -> Iterator[Asked]:
        open_to_all = is_public(route.endpoint)
        for guard, scopes in guards_of(route):
            if not (open_to_all and isinstance(guard, Blanket)):
                yield Asked.of(
                    guard.policy_for(self._gate, scopes),
                    self._gate,
                    optional=guard.optional,
                    plain_body=self._plain_body and guard.plain_body,
                )
        if self._default is not None and not open_to_all and not any(guards_of(route)):
            policy = self._default.policy_for(self._gate)
            yield Asked.of(policy, self._gate, plain_body=self._plain_body)


def document(app: FastAPI, gate: AsyncGate, default: Blanket | None, *, plain_body: bool) -> None:
    """See to it that the document of an app says what its guards ask; once for each ``app.openapi``."""
    if not isinstance(app.openapi, Documented):
        app.openapi = Documented(app, gate, default, plain_body=plain_body)  # type: ignore[method-assign]


def _undocumented(whole: JSON, route: RouteContext) -> Iterator[JSON]:
    if not isinstance(route.original_route, APIRoute):
        return
    path: JSON = whole.get("paths", {}).get(route.path_format, {})
    for method in route.methods or ():
        operation: JSON | None = path.get(method.lower())
        if operation is not None and _POLICY not in operation:  # one ``openapi`` may call another
            yield operation


def _require(operation: JSON, ways: list[dict[str, list[str]]], *, stays: bool) -> None:
    """Ask for what guards ask, besides what the route declares: FastAPI runs both."""
    declared: list[JSON] = operation.get("security") or [{}]
    if not stays:
        operation["security"] = [{**one, **way} for one in declared for way in ways]


def _add_refusals(operation: JSON, asked: list[Asked]) -> None:
    plain = all(one.plain_body for one in asked)
    problem: JSON = {PROBLEM_JSON: {"schema": {"$ref": f"#/components/schemas/{_PROBLEM}"}}}
    for status, text in _REFUSALS.items():
        answer: JSON = {"description": text.format(policy=described(asked))}
        answer["content"] = problem if plain else {"application/json": {}}
        if status == "503":
            answer["headers"] = _RETRY
        operation.setdefault("responses", {}).setdefault(status, deepcopy(answer))


def _add_components(whole: JSON, used: set[str], gate: AsyncGate) -> None:
    if not used:
        return
    components: JSON = whole.setdefault("components", {})
    schemes = components.setdefault("securitySchemes", {})
    for name in SCHEMES:
        if name in used:
            schemes.setdefault(name, scheme(name, gate))
    components.setdefault("schemas", {}).setdefault(_PROBLEM, deepcopy(_SCHEMA))
