"""Guards above the route: what Flask registered is the bare function, and nobody would notice."""

import gc
import weakref
from collections.abc import Callable
from functools import wraps

import pytest
from flask import Blueprint, Flask
from flask.views import MethodView

from authgate_core import ConfigurationError, Gate, GateConfig, any_role, is_user
from authgate_flask import AuthGate, flask_jwt_auth, public, requires

Headers = dict[str, str]
View = Callable[[], str]


@pytest.fixture
def app(app: Flask) -> Flask:
    """An application that says what is wrong with it."""
    app.testing = True
    return app


def problems(app: Flask) -> tuple[str, ...]:
    """What is wrong at the first request."""
    with pytest.raises(ConfigurationError) as raised:
        app.test_client().get("/elsewhere")
    return raised.value.problems


def is_fine(app: Flask) -> bool:
    """Whether it answers at all."""
    return 404 == app.test_client().get("/elsewhere").status_code


class TestAboveTheRoute:
    def test_of_the_application(self, app: Flask) -> None:
        """The message names the endpoint, the guard, the route and the remedy; nothing is answered until then."""

        @requires(is_user & any_role("admin"))
        @app.get("/orders/<int:number>")
        def orders(number: int) -> str:
            raise AssertionError("nobody may come here")

        (problem,) = problems(app)
        assert problem.startswith(
            "orders: @requires(is_user & any_role('admin')) stands above the route /orders/"
        )
        assert "write it below" in problem
        with pytest.raises(ConfigurationError):
            app.test_client().get("/orders/7")

    def test_of_a_blueprint(self, app: Flask) -> None:
        """A blueprint registers later than it is written; that hides nothing."""
        shop = Blueprint("shop", __name__)

        @flask_jwt_auth()
        @shop.get("/orders")
        async def orders() -> str:
            raise AssertionError("nobody may come here")

        app.register_blueprint(shop)
        assert ["shop.orders"] == [problem.partition(":")[0] for problem in problems(app)]

    def test_of_views_that_are_there(self, gate: Gate) -> None:
        """Found when the gate is put in front of them, which leaves nothing behind."""
        app = Flask("orders")
        requires(is_user)(app.get("/")(lambda: "in"))
        with pytest.raises(ConfigurationError, match="stands above the route /"):
            AuthGate(app, gate=gate)
        assert "authgate" not in app.extensions

    def test_in_an_application_factory(self, gate: Gate) -> None:
        """The guard, which nobody kept, is long gone at the first request."""

        def create_app() -> tuple[Flask, weakref.ref[View]]:
            app = Flask("orders")
            app.testing = True
            AuthGate(app, gate=gate)

            @requires(is_user)
            @app.get("/")
            def view() -> str:
                raise AssertionError("nobody may come here")

            return app, weakref.ref(view)

        app, guarded = create_app()
        gc.collect()
        assert guarded() is None
        assert 1 == len(problems(app))

    def test_beyond_another_decorator(self, app: Flask) -> None:
        """What stands between the two does not hide it."""

        def logged(view: View) -> View:
            @wraps(view)
            def logging() -> str:
                return view()

            return logging

        @requires(is_user)
        @logged
        @app.get("/")
        def view() -> str:
            raise AssertionError("nobody may come here")

        assert 1 == len(problems(app))

    def test_one_guard_above_and_one_below(self, app: Flask) -> None:
        """The one below guards; the one above would be believed to."""

        @requires(any_role("admin"))
        @app.get("/")
        @requires(is_user)
        def view() -> str:
            raise AssertionError("nobody may come here")

        (problem,) = problems(app)
        assert "@requires(any_role('admin')) stands above" in problem

    def test_the_same_guard_above_and_below(self, app: Flask) -> None:
        """That it happens to do no harm here makes it no less of a mistake."""
        requires(is_user)(app.get("/")(requires(is_user)(lambda: "in")))
        assert 1 == len(problems(app))

    def test_public(self, app: Flask) -> None:
        """``@public`` does nothing there either."""

        @public
        @app.get("/")
        def view() -> str:
            raise AssertionError("nobody may come here")

        (problem,) = problems(app)
        assert "@public stands above the route /" in problem

    def test_before_request(self, app: Flask) -> None:
        """The same mistake before a whole blueprint."""
        shop = Blueprint("shop", __name__)

        @requires(is_user)
        @shop.before_request
        def only_users() -> None:
            raise AssertionError("nobody may come here")

        app.register_blueprint(shop)
        (problem,) = problems(app)
        assert problem.startswith("before_request of shop: @requires(is_user) stands above @before_request")

    def test_each_is_named(self, app: Flask) -> None:
        """Law 1.6: one message for all of them."""
        for name in ("first", "second"):
            requires(is_user)(app.get(f"/{name}", endpoint=name)(lambda: "in"))
        assert ["first", "second"] == [problem.partition(":")[0] for problem in problems(app)]


class TestNoMistake:
    """One function may be registered more than once, and not everywhere guarded."""

    @pytest.fixture
    def view(self) -> View:
        """A view of nobody's."""

        def view() -> str:
            return "in"

        return view

    def test_guarded_here_and_open_there(self, app: Flask, view: View, user: Headers) -> None:
        """Whichever comes first."""
        app.add_url_rule("/open", "open", view)
        app.add_url_rule("/closed", "closed", requires(is_user)(view))
        app.add_url_rule("/open-too", "open_too", view)
        client = app.test_client()
        assert [200, 401, 200] == [client.get(path).status_code for path in ("/open", "/closed", "/open-too")]

    def test_in_one_stack_of_decorators(self, app: Flask) -> None:
        """Who guards the upper route of two knows which one."""

        @app.get("/closed", endpoint="closed")
        @requires(is_user)
        @app.get("/open")
        def view() -> str:
            return "in"

        client = app.test_client()
        assert [200, 401] == [client.get(path).status_code for path in ("/open", "/closed")]

    def test_public_here_and_guarded_there(self, app: Flask, view: View) -> None:
        """Each decorator leaves the function itself alone."""
        app.add_url_rule("/closed", "closed", requires(is_user)(view))
        app.add_url_rule("/open", "open", public(view))
        client = app.test_client()
        assert [200, 401] == [client.get(path).status_code for path in ("/open", "/closed")]

    def test_said_to_be_public(self, app: Flask, view: View) -> None:
        """A guard that is called by hand is none of a route that says what it is."""
        requires(is_user)(view)
        app.add_url_rule("/open", "open", public(view))
        assert is_fine(app)

    def test_guarded_below_another_decorator(self, app: Flask, view: View) -> None:
        """What is registered holds the guard."""
        guarded = requires(is_user)(view)

        @wraps(guarded)
        def logged() -> str:
            return guarded()

        app.add_url_rule("/closed", "closed", logged)
        app.add_url_rule("/open", "open", view)
        assert is_fine(app)

    def test_a_hook_that_is_a_view_as_well(self, app: Flask, view: View) -> None:
        """A guard before a blueprint is registered too."""
        shop = Blueprint("shop", __name__)
        shop.before_request(requires(is_user)(view))
        app.register_blueprint(shop)
        app.add_url_rule("/open", "open", view)
        assert is_fine(app)

    def test_a_method_that_is_a_view_as_well(self, app: Flask) -> None:
        """A class may take its methods from anywhere."""

        def show(self: object = None) -> str:
            return "in"

        class Orders(MethodView):
            get = requires(is_user)(show)

        app.add_url_rule("/closed", view_func=Orders.as_view("closed"))
        app.add_url_rule("/open", "open", show)
        client = app.test_client()
        assert [200, 401] == [client.get(path).status_code for path in ("/open", "/closed")]

    @pytest.mark.parametrize("ours_first", [True, False])
    def test_guarded_in_another_application(self, config: GateConfig, view: View, ours_first: bool) -> None:
        """Two applications may disagree about a function."""
        ours, theirs = Flask("ours"), Flask("theirs")
        for app in (ours, theirs) if ours_first else (theirs, ours):
            app.testing = True
            AuthGate(app, config=config)
        ours.add_url_rule("/", view_func=view)
        theirs.add_url_rule("/", view_func=requires(is_user)(view))
        assert is_fine(ours)
        assert is_fine(theirs)

    def test_after_applications_that_are_gone(self, gate: Gate, view: View) -> None:
        """What a factory made before counts for nothing."""

        def create_app() -> Flask:
            app = Flask("orders")
            app.testing = True
            AuthGate(app, gate=gate)
            app.add_url_rule("/closed", "closed", requires(is_user)(view))
            app.add_url_rule("/open", "open", view)
            return app

        gone = weakref.ref(create_app())
        gc.collect()
        assert gone() is None
        assert is_fine(create_app())

    def test_a_guard_made_within_a_request(self, app: Flask, gate: Gate, view: View, user: Headers) -> None:
        """Nothing is registered there: it is put around a helper, and asked at once."""

        @app.get("/")
        def dynamic() -> str:
            return requires(is_user)(view)()

        assert "in" == app.test_client().get("/", headers=user).text
        other = Flask("other")
        other.testing = True
        AuthGate(other, gate=gate)
        other.add_url_rule("/open", "open", view)
        assert is_fine(other)

    def test_what_is_no_plain_function(self, app: Flask, user: Headers) -> None:
        """Bound methods and callable objects are guarded as ever."""

        class Desk:
            def show(self) -> str:
                return "in"

            def __call__(self) -> str:
                return "in"

        desk = Desk()
        app.add_url_rule("/1", "first", requires(is_user)(desk.show))
        app.add_url_rule("/2", "second", requires(is_user)(wraps(desk.show)(desk)))
        client = app.test_client()
        for path in ("/1", "/2"):
            assert (401, 200) == (
                client.get(path).status_code,
                client.get(path, headers=user).status_code,
            )
