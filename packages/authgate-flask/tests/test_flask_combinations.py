"""Every combination of what a view, its blueprints and its application may say, against the table of the README."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from flask import Blueprint, Flask
from flask.views import MethodView

from authgate_core import Gate, Policy, is_service, is_user
from authgate_flask import AuthGate, protect, public, requires

Headers = dict[str, str]

POLICIES: dict[str, Policy] = {"user": is_user, "service": is_service}
OWN = ("nothing", "user", "service", "user or nobody", "public")
PLACES = ("app", "outer", "inner")
SAID = ("nothing", *POLICIES)


def shaped(own: str, shape: str) -> Callable[..., Any]:
    """A view of some shape that says something, in one of the ways that there are."""

    def view(*_: object) -> str:
        return "in"

    say: dict[str, Callable[[Callable[..., str]], Callable[..., str]]] = {
        "user": requires(is_user),
        "service": requires(is_service),
        "user or nobody": requires(is_user, optional=True),
        "public": public,
    }
    said = say[own](view) if own in say else view
    if shape == "function":
        return said

    class View(MethodView):
        get = said

    return View.as_view("view")


def standing(own: str, place: str, default: str, outer: str, inner: str) -> Iterator[str]:
    """Which guards are asked, by the README."""
    if own != "public":
        around = {"app": (), "outer": (outer,), "inner": (outer, inner)}[place]
        protecting = [said for said in around if said != "nothing"]
        yield from protecting
        if own != "nothing":
            yield own
        elif not protecting and default != "nothing":
            yield default


def promised(caller: str, asked: list[str]) -> int:
    """What they answer to a caller (section 1 of the laws)."""
    if caller == "nobody":
        return 401 if {"user", "service"} & {*asked} else 200
    return 200 if all(one.startswith(caller) for one in asked) else 403


class TestCombinations:
    """Laws 8.6 and 8.8: who comes in is said by what is written, and by nothing else."""

    @pytest.mark.parametrize(("shape", "protect_first"), [("function", True), ("method", False)])
    @pytest.mark.parametrize("default", SAID)
    def test_each(
        self,
        gate: Gate,
        user: Headers,
        service: Headers,
        shape: str,
        protect_first: bool,
        default: str,
    ) -> None:
        """Wherever a view is, whatever is said of it, and whoever calls."""
        callers: dict[str, Headers] = {"nobody": {}, "user": user, "service": service}
        wrong = []
        for outer, inner in product(SAID, SAID):
            app = build(gate, shape, default, outer, inner, protect_first=protect_first)
            client = app.test_client()
            for place, (number, own), caller in product(PLACES, enumerate(OWN), callers):
                expected = promised(caller, [*standing(own, place, default, outer, inner)])
                actual = client.get(f"/{place}/{number}", headers=callers[caller]).status_code
                if expected != actual:
                    wrong.append((outer, inner, place, own, caller, expected, actual))
        assert [] == wrong


def build(gate: Gate, shape: str, default: str, outer: str, inner: str, *, protect_first: bool) -> Flask:
    """An application with a view of every kind in each place."""
    app = Flask("orders")
    AuthGate(app, gate=gate, default=POLICIES.get(default))
    blueprints = {"outer": Blueprint("outer", __name__), "inner": Blueprint("inner", __name__)}
    for place, (number, own) in product(PLACES, enumerate(OWN)):
        where = app if place == "app" else blueprints[place]
        where.add_url_rule(f"/{place}/{number}", f"view{number}", shaped(own, shape))
    blueprints["outer"].register_blueprint(blueprints["inner"])
    if not protect_first:
        app.register_blueprint(blueprints["outer"])
    for place, said in (("outer", outer), ("inner", inner)):
        if said != "nothing":
            protect(blueprints[place], POLICIES[said])
    if protect_first:
        app.register_blueprint(blueprints["outer"])
    return app
