import asyncio
import inspect

import pytest
from flask import Flask
from flask.views import MethodView, View

from authgate_core import ConfigurationError, Gate, NotAdmitted, is_user
from authgate_flask import AuthGate, current_user, public, requires

Headers = dict[str, str]


@pytest.fixture
def app(gate: Gate) -> Flask:
    """An application that is closed by default."""
    app = Flask("orders")
    app.testing = True
    AuthGate(app, gate=gate, default=is_user)
    return app


class TestPublic:
    """Law 8.6: one of the ways to let anyone in, and it is written at the view."""

    def test_functions(self, app: Flask) -> None:
        """Nothing is asked, whatever is presented, and the answer is the view's."""

        @app.get("/health/<int:number>")
        @public
        def health(number: int) -> Headers:
            """Say that all is well."""
            return {"status": f"well {number}"}

        client = app.test_client()
        assert {"status": "well 7"} == client.get("/health/7").json
        assert 200 == client.get("/health/7", headers={"Authorization": "Bearer"}).status_code
        assert ("health", "Say that all is well.") == (health.__name__, health.__doc__)

    def test_async_functions(self, app: Flask) -> None:
        """They stay async."""

        @app.get("/health")
        @public
        async def health() -> str:
            await asyncio.sleep(0)
            return "well"

        assert inspect.iscoroutinefunction(app.view_functions["health"])
        assert "well" == app.test_client().get("/health").text

    def test_nobody_is_known_there(self, app: Flask, user: Headers) -> None:
        """Who was not asked was not admitted either."""
        app.add_url_rule("/", view_func=public(lambda: {"known": bool(current_user), "id": current_user.id}))
        with pytest.raises(NotAdmitted):
            app.test_client().get("/", headers=user)

    def test_below_another_decorator(self, app: Flask) -> None:
        """As with guards, ``functools.wraps`` hands it on."""
        from functools import wraps

        @public
        def view() -> str:
            return "in"

        @wraps(view)
        def logged() -> str:
            return view()

        app.add_url_rule("/", view_func=logged)
        assert 200 == app.test_client().get("/").status_code

    def test_the_function_itself_stays_as_it_is(self, app: Flask) -> None:
        """What is registered elsewhere without it is closed there."""

        def view() -> str:
            return "in"

        app.add_url_rule("/open", "open", public(view))
        app.add_url_rule("/closed", "closed", view)
        app.add_url_rule("/guarded", "guarded", requires(is_user)(view))
        client = app.test_client()
        assert [200, 401, 401] == [client.get(path).status_code for path in ("/open", "/closed", "/guarded")]


class TestClassViews:
    def test_a_class(self, app: Flask) -> None:
        """All of its methods, and none of a class that derives from it."""

        @public
        class Health(MethodView):
            def get(self) -> str:
                return "well"

            async def post(self) -> str:
                return "better"

        class Secrets(Health):
            pass

        app.add_url_rule("/health", view_func=Health.as_view("health"))
        app.add_url_rule("/secrets", view_func=Secrets.as_view("secrets"))
        client = app.test_client()
        assert [200, 200] == [client.get("/health").status_code, client.post("/health").status_code]
        assert [401, 401] == [client.get("/secrets").status_code, client.post("/secrets").status_code]

    def test_methods(self, app: Flask) -> None:
        """One at a time; HEAD goes with GET."""

        class Orders(MethodView):
            @public
            def get(self) -> str:
                return "read"

            def post(self) -> str:
                return "written"

        app.add_url_rule("/", view_func=Orders.as_view("orders"))
        client = app.test_client()
        assert [200, 200, 401] == [
            client.open("/", method=method).status_code for method in ("GET", "HEAD", "POST")
        ]

    def test_decorators(self, app: Flask) -> None:
        """``decorators = [public]`` opens a class and, as Flask has it, those that derive from it."""

        class Health(MethodView):
            decorators = [public]  # noqa: RUF012 - as Flask documents it

            def get(self) -> str:
                return "well"

        class Better(Health):
            pass

        app.add_url_rule("/health", view_func=Health.as_view("health"))
        app.add_url_rule("/better", view_func=Better.as_view("better"))
        client = app.test_client()
        assert [200, 200] == [client.get(path).status_code for path in ("/health", "/better")]

    def test_plain_class_views(self, app: Flask) -> None:
        """On the class or on ``dispatch_request``."""

        @public
        class Open(View):
            def dispatch_request(self) -> str:
                return "in"

        class Opened(View):
            @public
            def dispatch_request(self) -> str:
                return "in"

        app.add_url_rule("/1", view_func=Open.as_view("first"))
        app.add_url_rule("/2", view_func=Opened.as_view("second"))
        client = app.test_client()
        assert [200, 200] == [client.get(path).status_code for path in ("/1", "/2")]


class TestContradictions:
    """A view that is public and guarded: one of the two would be ignored."""

    @pytest.mark.parametrize("guard_above", [True, False])
    def test_functions(self, app: Flask, guard_above: bool) -> None:
        """In either order, found before the first request, with the endpoint and the route."""

        def view() -> str:
            return "in"

        both = requires(is_user)(public(view)) if guard_above else public(requires(is_user)(view))
        app.add_url_rule("/both", "both", both)
        with pytest.raises(
            ConfigurationError, match=r"both: @requires\(is_user\) and @public are on one view of /both;"
        ):
            app.test_client().get("/elsewhere")

    def test_methods(self, app: Flask) -> None:
        """A public method of a class with guards, and a guarded one of a public class."""

        class Guarded(MethodView):
            decorators = [requires(is_user)]  # noqa: RUF012 - as Flask documents it

            @public
            def get(self) -> str:
                return "in"

            def post(self) -> str:
                return "in"

        @public
        class Open(MethodView):
            def get(self) -> str:
                return "in"

            @requires(is_user)
            def post(self) -> str:
                return "in"

        app.add_url_rule("/guarded", view_func=Guarded.as_view("guarded"))
        app.add_url_rule("/open", view_func=Open.as_view("open"))
        with pytest.raises(ConfigurationError) as raised:
            app.test_client().get("/")
        assert [("guarded", "its GET"), ("open", "its POST")] == [
            (problem.partition(":")[0], problem.partition(", ")[2].partition(";")[0])
            for problem in raised.value.problems
        ]

    def test_a_public_view_that_is_guarded_elsewhere(self, app: Flask) -> None:
        """Two routes of one function, one open and one not, contradict nobody."""

        @app.get("/closed", endpoint="closed")
        @requires(is_user)
        @app.get("/open")
        @public
        def view() -> str:
            return "in"

        client = app.test_client()
        assert [200, 401] == [client.get(path).status_code for path in ("/open", "/closed")]


class TestMisuse:
    def test_no_view(self) -> None:
        """A class that Flask does not know as a view, or no function at all."""
        with pytest.raises(TypeError, match="the class int is none"):
            public(int)
        with pytest.raises(TypeError, match="stands above a view function, not str"):
            public("view")  # type: ignore[type-var]  # the mistake under test
