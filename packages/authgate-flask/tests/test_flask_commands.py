from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Blueprint, Flask
from flask.views import MethodView

from authgate_core import Gate, all_scopes, any_role, is_project, is_user
from authgate_flask import AuthGate, protect, public, requires


@pytest.fixture
def routes(app: Flask) -> Callable[..., Result]:
    """Runs ``flask authgate routes``."""

    def run(*options: str) -> Result:
        return app.test_cli_runner().invoke(args=["authgate", "routes", *options])

    return run


@pytest.fixture
def guards(routes: Callable[..., Result]) -> Callable[[], list[tuple[str, ...]]]:
    """The lines of the table: methods, rule and guards; without those of static files."""

    def read() -> list[tuple[str, ...]]:
        lines = routes().output.splitlines()
        columns = [len(dashes) + 2 for dashes in lines[1].split("  ")[:2]]
        cut = (0, columns[0], sum(columns))
        cells = [
            tuple(line[start:end].strip() for start, end in zip(cut, (*cut[1:], None), strict=True))
            for line in lines[2:]
        ]
        return [line for line in cells if "static" not in line[1]]

    return read


class TestTable:
    """Who may use what, as somebody reads it before a release."""

    def test_the_whole_of_it(self, app: Flask, routes: Callable[..., Result]) -> None:
        """Methods, rule and guards of each route, in order, and where nothing stands in the way."""
        app.add_url_rule("/me", "me", requires(is_user)(lambda: "in"))
        app.add_url_rule("/health", "health", public(lambda: "in"))
        app.add_url_rule("/forgotten", "forgotten", lambda: "in", methods=["POST", "GET"])
        result = routes()
        assert 0 == result.exit_code
        assert [
            "Methods    Rule                     Guards",
            "---------  -----------------------  ------",
            "GET, POST  /forgotten               UNGUARDED",
            "GET        /health                  public",
            "GET        /me                      own: is_user",
            "GET        /static/<path:filename>  UNGUARDED",
        ] == result.output.splitlines()

    def test_policies_in_words(self, app: Flask, guards: Callable[[], list[tuple[str, ...]]]) -> None:
        """As they are written, the outermost guard first."""
        view = requires(is_project)(
            requires(is_user & all_scopes("orders:read"), optional=True)(lambda: "in")
        )
        app.add_url_rule("/", view_func=view)
        assert [
            ("GET", "/", "own: is_project, own (optional): is_user & all_scopes('orders:read')")
        ] == guards()

    def test_what_stands_before_a_blueprint(
        self, app: Flask, guards: Callable[[], list[tuple[str, ...]]]
    ) -> None:
        """``protect``, from the outside in, and functions that run before each request."""
        shop, inner = Blueprint("shop", __name__, url_prefix="/shop"), Blueprint("inner", __name__)
        shop.before_request(requires(is_project)(lambda: None))
        inner.add_url_rule("/own", "own", requires(any_role("clerk"))(lambda: "in"))
        inner.add_url_rule("/public", "public", public(lambda: "in"))
        shop.register_blueprint(inner)
        app.register_blueprint(shop)
        protect(inner, any_role("staff"))
        protect(shop, is_user)
        before = "protect: is_user, protect: any_role('staff'), before_request: is_project"
        assert [
            ("GET", "/shop/own", f"{before}, own: any_role('clerk')"),
            ("GET", "/shop/public", "before_request: is_project, public"),
        ] == guards()

    def test_methods_of_class_views(self, app: Flask, guards: Callable[[], list[tuple[str, ...]]]) -> None:
        """A line for each answer."""

        class Orders(MethodView):
            @public
            def get(self) -> str:
                return "in"

            @requires(is_user)
            def post(self) -> str:
                return "in"

            @requires(is_user)
            def put(self) -> str:
                return "in"

            def delete(self) -> str:
                return "in"

        app.add_url_rule("/", view_func=Orders.as_view("orders"))
        assert [
            ("DELETE", "/", "UNGUARDED"),
            ("GET", "/", "public"),
            ("POST, PUT", "/", "own: is_user"),
        ] == guards()

    def test_methods_that_somebody_wrote(
        self, app: Flask, guards: Callable[[], list[tuple[str, ...]]]
    ) -> None:
        """Flask's own HEAD and OPTIONS are left out, others are not."""
        app.add_url_rule("/1", "first", lambda: "in", methods=["GET", "OPTIONS"])
        app.add_url_rule("/2", "second", lambda: "in", methods=["HEAD"])
        assert [("GET, OPTIONS", "/1", "UNGUARDED"), ("HEAD", "/2", "UNGUARDED")] == guards()

    def test_the_default(self, gate: Gate) -> None:
        """Static files are guarded by it as well."""
        app = Flask("orders")
        AuthGate(app, gate=gate, default=is_user)
        output = app.test_cli_runner().invoke(args=["authgate", "routes"]).output
        assert "GET      /static/<path:filename>  default: is_user" == output.splitlines()[2]

    @pytest.mark.parametrize("host_matching", [True, False])
    def test_hosts_and_subdomains(self, gate: Gate, host_matching: bool) -> None:
        """They tell routes of one path apart."""
        if host_matching:
            app = Flask("orders", host_matching=True, static_host="static.example.com")
            app.add_url_rule("/", view_func=lambda: "in", host="api.example.com")
        else:
            app = Flask("orders", subdomain_matching=True)
            app.add_url_rule("/", view_func=lambda: "in", subdomain="api")
        AuthGate(app, gate=gate)
        output = app.test_cli_runner().invoke(args=["authgate", "routes"]).output
        assert f"  {'api.example.com/' if host_matching else 'api./'}  " in output


class TestExitCode:
    """For those who release by machine."""

    def test_of_an_application_with_holes(self, app: Flask, routes: Callable[..., Result]) -> None:
        """1, if one asks for it, and the number of holes; the table is there all the same."""
        app.add_url_rule("/", view_func=lambda: "in")
        assert 0 == routes().exit_code
        result = routes("--fail-unguarded")
        assert 1 == result.exit_code
        assert "GET      /                        UNGUARDED" in result.output
        assert "unguarded routes: 2" in result.output

    def test_of_a_closed_application(self, app: Flask, routes: Callable[..., Result]) -> None:
        """0: every route was decided about."""
        app.view_functions["static"] = public(app.view_functions["static"])
        app.add_url_rule("/", view_func=requires(is_user, optional=True)(lambda: "in"))
        assert 0 == routes("--fail-unguarded").exit_code

    def test_an_optional_guard_before_everything(self, app: Flask, routes: Callable[..., Result]) -> None:
        """That somebody looks at who comes decides about no route."""
        app.before_request(requires(is_user, optional=True)(lambda: None))
        result = routes("--fail-unguarded")
        assert 1 == result.exit_code
        assert "before_request (optional): is_user, UNGUARDED" in result.output

    def test_a_guard_before_everything(self, app: Flask, routes: Callable[..., Result]) -> None:
        """That one does."""
        app.before_request(requires(is_user)(lambda: None))
        assert 0 == routes("--fail-unguarded").exit_code

    def test_of_a_wrong_application(self, app: Flask, routes: Callable[..., Result]) -> None:
        """What would stop the first request stops the command, in the same words."""
        requires(is_user)(app.get("/")(lambda: "in"))
        result = routes()
        assert 1 == result.exit_code
        assert "stands above the route /" in result.output
        assert "Traceback" not in result.output

    def test_without_a_gate(self) -> None:
        """The command comes with the gate."""
        assert 2 == Flask("orders").test_cli_runner().invoke(args=["authgate", "routes"]).exit_code
