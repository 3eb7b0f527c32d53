"""What stands before a route, as a value."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, EntryPoints
from types import ModuleType

import pytest

import authgate_core as ag
from authgate_core import routes
from authgate_core.routes import GuardedRoute, RouteGuard, routes_of


class TestGuards:
    """One guard."""

    def test_in_words(self) -> None:
        """Who put it there, whether it is optional, and the policy as it was written."""
        assert "own: is_user" == str(RouteGuard("own", ag.is_user))
        assert "default (optional): is_user" == str(RouteGuard("default", ag.is_user, optional=True))

    def test_that_all_requests_are_looked_at_decides_of_none(self) -> None:
        """An optional guard before everything is no decision about a route; a strict one is, and one of its own."""
        assert not RouteGuard("before_request", ag.is_user, optional=True).decides
        assert RouteGuard("before_request", ag.is_user).decides
        assert RouteGuard("own", ag.is_user, optional=True).decides

    @pytest.mark.parametrize(
        ("guard", "is_open"),
        [
            (RouteGuard("own", ag.is_user), False),
            (RouteGuard("own", ag.is_user, optional=True), True),
            (RouteGuard("own", ag.UnsafeAllowAnonymous()), True),
            (RouteGuard("own", ag.is_user | ag.UnsafeAllowAnonymous()), True),
            (RouteGuard("own", ag.is_user & ag.UnsafeAllowAnonymous()), False),
        ],
    )
    def test_who_presents_nothing(self, guard: RouteGuard, is_open: bool) -> None:
        """Law 8.6: is let in by what is optional, and by a policy that says so."""
        assert is_open == guard.is_open


class TestRoutes:
    """One way in."""

    def test_nothing_stands_before_it(self) -> None:
        """It is open, and nobody decided so."""
        route = GuardedRoute("http", "/orders", ("GET", "POST"))

        assert route.is_unguarded
        assert route.is_open
        assert None is route.policy
        assert "UNGUARDED" == route.standing
        assert "GET, POST /orders" == str(route)

    def test_somebody_wrote_that_it_is_public(self) -> None:
        """It is open, and that was decided."""
        route = GuardedRoute("websocket", "/ticker", is_public=True)

        assert not route.is_unguarded
        assert route.is_open
        assert "public" == route.standing
        assert "websocket /ticker" == str(route)

    def test_several_guards(self) -> None:
        """All must let the caller in: one that asks for somebody closes it."""
        guards = (RouteGuard("own", ag.is_user, optional=True), RouteGuard("protect", ag.is_project))
        route = GuardedRoute("query", "Query.orders", guards=guards)

        assert not route.is_unguarded
        assert not route.is_open
        assert ag.is_user & ag.is_project == route.policy
        assert "own (optional): is_user, protect: is_project" == route.standing

    def test_an_optional_guard_before_everything(self) -> None:
        """Leaves a route that nobody decided about."""
        route = GuardedRoute(
            "http", "/", ("GET",), (RouteGuard("before_request", ag.is_user, optional=True),)
        )

        assert route.is_unguarded
        assert "before_request (optional): is_user, UNGUARDED" == route.standing


class App:
    """An application of no known framework."""


class Derived(App):
    """One of a class of its own."""


def list_one(app: object) -> list[GuardedRoute]:
    """Lists one route, which is named for the class of the application."""
    return [GuardedRoute("http", f"/{type(app).__name__}", ("GET",))]


class TestListing:
    """Whoever knows the framework lists."""

    def test_the_package_that_made_the_class_names_the_adapter(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Also of a class that somebody derived from the framework's."""
        known = EntryPoint("webframe", "an_adapter:list_one", routes.LISTERS)
        adapter = ModuleType("an_adapter")
        vars(adapter)["list_one"] = list_one

        def installed(*, group: str, name: str) -> EntryPoints:
            return EntryPoints([known]).select(group=group, name=name)

        monkeypatch.setitem(sys.modules, "an_adapter", adapter)
        monkeypatch.setattr(App, "__module__", "webframe.apps")
        monkeypatch.setattr(routes, "entry_points", installed)

        assert ["GET /Derived"] == [str(route) for route in routes_of(Derived())]

    def test_of_what_nobody_knows(self) -> None:
        """Says what to give instead."""
        with pytest.raises(TypeError, match="routes of App: give the Flask or FastAPI application itself"):
            routes_of(App())
