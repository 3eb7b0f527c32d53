"""The routes of an application, for tests and commands; the table of the command has the details."""

import pytest
from flask import Flask
from flask.views import MethodView
from werkzeug.routing import Rule

from authgate_core import ConfigurationError, Gate, any_role, is_user
from authgate_core.routes import GuardedRoute, RouteGuard, routes_of
from authgate_flask import AuthGate, guarded_routes, public, requires


class TestRoutes:
    """What stands before each."""

    def test_one_for_each_answer(self, gate: Gate) -> None:
        """By rule, with the guards in the order in which they ask."""
        app = Flask("orders", static_folder=None)
        AuthGate(app, gate=gate, default=is_user)

        class Orders(MethodView):
            @public
            def get(self) -> str:
                return "in"

            @requires(any_role("clerk"), optional=True)
            def post(self) -> str:
                return "in"

        app.add_url_rule("/orders", view_func=Orders.as_view("orders"))
        app.add_url_rule("/forgotten", "forgotten", lambda: "in")

        assert (
            GuardedRoute("http", "/forgotten", ("GET",), (RouteGuard("default", is_user),)),
            GuardedRoute("http", "/orders", ("GET",), is_public=True),
            GuardedRoute(
                "http", "/orders", ("POST",), (RouteGuard("own", any_role("clerk"), optional=True),)
            ),
        ) == guarded_routes(app)

    def test_a_handler_of_head(self, gate: Gate) -> None:
        """Is an answer of its own, which no guard of ``get`` stands before."""
        app = Flask("orders", static_folder=None)
        AuthGate(app, gate=gate)

        class Orders(MethodView):
            @requires(is_user)
            def get(self) -> str:
                return "in"

            def head(self) -> str:
                return "in"

        app.add_url_rule("/orders", view_func=Orders.as_view("orders"))

        client = app.test_client()
        assert (401, 200) == (client.get("/orders").status_code, client.head("/orders").status_code)
        assert ["HEAD /orders"] == [str(route) for route in guarded_routes(app) if route.is_unguarded]

    def test_a_rule_that_names_no_method(self, gate: Gate) -> None:
        """Law 8.8: one that was put into the map by hand answers any, and is listed."""
        app = Flask("orders", static_folder=None)
        AuthGate(app, gate=gate)
        app.url_map.add(Rule("/orders", endpoint="orders"))
        app.endpoint("orders")(lambda: "in")

        assert "in" == app.test_client().post("/orders").text
        every = ("DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT")
        assert (GuardedRoute("http", "/orders", every),) == guarded_routes(app)

    def test_the_core_finds_them(self, app: Flask) -> None:
        """Also those of a class of one's own."""
        assert guarded_routes(app) == routes_of(app)

        class Ours(Flask):
            pass

        ours = Ours("ours")
        AuthGate(ours, gate=app.extensions["authgate"].gate)
        assert ["GET /static/<path:filename>"] == [str(route) for route in routes_of(ours)]

    def test_a_guard_that_the_route_lost(self, app: Flask) -> None:
        """Law 1.6: says what the first request would say, and not just that the route is open."""
        requires(is_user)(app.get("/")(lambda: "in"))
        with pytest.raises(ConfigurationError, match="stands above the route /"):
            guarded_routes(app)

    def test_without_a_gate(self) -> None:
        """Names the line that is missing."""
        with pytest.raises(ConfigurationError, match=r"add AuthGate\(app\)"):
            guarded_routes(Flask("orders"))
