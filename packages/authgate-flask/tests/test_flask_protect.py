from collections.abc import Callable

import pytest
from flask import Blueprint, Flask
from flask.views import MethodView

from authgate_core import (
    ConfigurationError,
    Gate,
    GateConfig,
    Issuer,
    any_role,
    is_project,
    is_service,
    is_user,
)
from authgate_core.testing import FakeIssuer
from authgate_flask import AuthGate, current_project, current_user, flask_jwt_auth, protect, public, requires

Headers = dict[str, str]
PREFLIGHT = {"Origin": "https://shop.example.com", "Access-Control-Request-Method": "POST"}


@pytest.fixture
def shop() -> Blueprint:
    """A blueprint with one bare view."""
    shop = Blueprint("shop", __name__, url_prefix="/shop")
    shop.add_url_rule("/", "index", lambda: "in")
    return shop


@pytest.fixture
def statuses(app: Flask, user: Headers, service: Headers) -> Callable[[str], list[int]]:
    """What nobody, a user and a service get."""

    def ask(path: str) -> list[int]:
        client = app.test_client()
        return [client.get(path, headers=headers).status_code for headers in ({}, user, service)]

    return ask


class TestProtect:
    """A policy for all views of a blueprint."""

    def test_before_it_is_registered(
        self, app: Flask, shop: Blueprint, statuses: Callable[[str], list[int]]
    ) -> None:
        """Where the blueprint is written."""
        protect(shop, is_user)
        app.register_blueprint(shop)
        assert [401, 200, 403] == statuses("/shop/")

    def test_after_it_is_registered(
        self, app: Flask, shop: Blueprint, statuses: Callable[[str], list[int]]
    ) -> None:
        """Where the application is put together."""
        app.register_blueprint(shop)
        protect(shop, is_user)
        assert [401, 200, 403] == statuses("/shop/")

    def test_nothing_else(self, app: Flask, shop: Blueprint, statuses: Callable[[str], list[int]]) -> None:
        """Views of the application and of other blueprints stay as they are."""
        other = Blueprint("shopping", __name__, url_prefix="/shopping")
        other.add_url_rule("/", "index", lambda: "in")
        protect(shop, is_user)
        for blueprint in (shop, other):
            app.register_blueprint(blueprint)
        app.add_url_rule("/", "index", lambda: "in")
        assert [200, 200, 200] == statuses("/") == statuses("/shopping/")

    def test_nested_blueprints(
        self, app: Flask, shop: Blueprint, statuses: Callable[[str], list[int]]
    ) -> None:
        """What is nested is protected by all that it is in; the outside is not protected by the inside."""
        inner = Blueprint("inner", __name__, url_prefix="/inner")
        inner.add_url_rule("/", "index", lambda: "in")
        shop.register_blueprint(inner)
        app.register_blueprint(shop)
        protect(inner, any_role("clerk"))
        assert ([200, 200, 200], [401, 200, 403]) == (statuses("/shop/"), statuses("/shop/inner/"))
        protect(shop, is_service)
        assert [401, 403, 403] == statuses("/shop/inner/")

    def test_adds_up(self, app: Flask, shop: Blueprint, user: Headers, project: Headers) -> None:
        """Called twice, both policies hold."""
        protect(shop, is_user)
        protect(shop, is_project)
        shop.add_url_rule("/who", "who", lambda: {"user": current_user.id, "project": current_project.id})
        app.register_blueprint(shop)
        client = app.test_client()
        assert [401, 401] == [client.get("/shop/who", headers=one).status_code for one in (user, project)]
        assert {"user": "u1", "project": "p1"} == client.get("/shop/who", headers=user | project).json

    def test_registered_twice_under_two_names(
        self, app: Flask, shop: Blueprint, statuses: Callable[[str], list[int]]
    ) -> None:
        """The blueprint is protected, whatever it is called."""
        protect(shop, is_user)
        app.register_blueprint(shop)
        app.register_blueprint(shop, name="market", url_prefix="/market")
        assert [401, 200, 403] == statuses("/shop/") == statuses("/market/")

    def test_static_files(self, app: Flask, user: Headers) -> None:
        """Those of the blueprint are among its views."""
        shop = Blueprint("shop", __name__, url_prefix="/shop", static_folder=".", static_url_path="/files")
        protect(shop, is_user)
        app.register_blueprint(shop)
        client, path = app.test_client(), "/shop/files/conftest.py"
        with client.get(path, headers=user) as answer:
            assert (401, 200) == (client.get(path).status_code, answer.status_code)


class TestBesidesTheViews:
    """What a view says itself."""

    def test_both_must_admit(
        self, app: Flask, shop: Blueprint, user: Headers, bearer: Callable[..., Headers]
    ) -> None:
        """A view's own guard is asked as well, and cannot let in whom the blueprint refuses."""
        shop.add_url_rule("/own", "own", requires(any_role("clerk"))(lambda: "in"))
        shop.add_url_rule("/hello", "hello", requires(is_user, optional=True)(lambda: "in"))
        protect(shop, is_user)
        app.register_blueprint(shop)
        client = app.test_client()
        assert [401, 403, 200] == [
            client.get("/shop/own", headers=headers).status_code
            for headers in ({}, bearer(roles=["guest"]), user)
        ]
        assert 401 == client.get("/shop/hello").status_code

    def test_public_opts_out(self, app: Flask, shop: Blueprint, statuses: Callable[[str], list[int]]) -> None:
        """Of the blueprint's protection and of the default alike."""
        shop.add_url_rule("/open", "open", public(lambda: "in"))
        protect(shop, is_user)
        app.register_blueprint(shop)
        assert [200, 200, 200] == statuses("/shop/open")

    def test_takes_the_place_of_the_default(self, gate: Gate, shop: Blueprint, service: Headers) -> None:
        """A blueprint for services lives in an application for users."""
        app = Flask("orders")
        AuthGate(app, gate=gate, default=is_user)
        protect(shop, is_service)
        app.register_blueprint(shop)
        app.add_url_rule("/", "index", lambda: "in")
        client = app.test_client()
        assert (200, 403) == (
            client.get("/shop/", headers=service).status_code,
            client.get("/", headers=service).status_code,
        )

    def test_preflights_pass(self, app: Flask, shop: Blueprint) -> None:
        """Law 1.11, but for a guard of the view itself."""
        shop.add_url_rule("/own", "own", requires(is_user)(lambda: "in"), methods=["OPTIONS"])
        protect(shop, is_user)
        app.register_blueprint(shop)
        client = app.test_client()
        assert 200 == client.options("/shop/", headers=PREFLIGHT).status_code
        assert 401 == client.options("/shop/").status_code
        assert 401 == client.options("/shop/own", headers=PREFLIGHT).status_code

    def test_class_views(
        self, app: Flask, shop: Blueprint, user: Headers, statuses: Callable[[str], list[int]]
    ) -> None:
        """A public method is let out, the others are not."""

        class Orders(MethodView):
            @public
            def get(self) -> str:
                return "in"

            def post(self) -> str:
                return "in"

        shop.add_url_rule("/orders", view_func=Orders.as_view("orders"))
        protect(shop, is_user)
        app.register_blueprint(shop)
        client = app.test_client()
        assert [200, 200, 200] == statuses("/shop/orders")
        assert (401, 200) == (
            client.post("/shop/orders").status_code,
            client.post("/shop/orders", headers=user).status_code,
        )


class TestWithoutAGate:
    """Law 1.6: a blueprint that is protected never stands open because nobody put a gate in front."""

    @pytest.fixture
    def bare(self) -> Flask:
        """An application without a gate."""
        app = Flask("bare")
        app.testing = True
        return app

    @pytest.mark.parametrize("late", [False, True])
    def test_the_missing_line_is_named(self, bare: Flask, shop: Blueprint, late: bool) -> None:
        """Whether it was registered before or after."""
        if late:
            bare.register_blueprint(shop)
        protect(shop, is_user)
        if not late:
            bare.register_blueprint(shop)
        with pytest.raises(ConfigurationError, match=r"add AuthGate\(app\)"):
            bare.test_client().get("/shop/")

    def test_the_rest_works(self, bare: Flask, shop: Blueprint) -> None:
        """Applications that have nothing to do with it are left alone."""
        protect(shop, is_user)
        bare.add_url_rule("/", view_func=lambda: "in")
        client = bare.test_client()
        assert (200, 404) == (client.get("/").status_code, client.get("/nowhere").status_code)

    def test_with_the_gate_of_a_shortcut(
        self, bare: Flask, shop: Blueprint, issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """From the request on that builds one, it guards the blueprint as well."""
        monkeypatch.setenv("AUTHGATE_ISSUER", issuer.url)
        monkeypatch.setenv("AUTHGATE_AUDIENCE", "orders-api")
        protect(shop, is_user)
        bare.register_blueprint(shop)
        bare.add_url_rule("/me", view_func=flask_jwt_auth()(lambda: "in"))
        client = bare.test_client()
        with pytest.raises(ConfigurationError):
            client.get("/shop/")
        assert [401, 401] == [client.get(path).status_code for path in ("/me", "/shop/")]
        bare.extensions["authgate"].gate.close()


class TestMisuse:
    def test_an_application(self, app: Flask) -> None:
        """The message says what does that."""
        with pytest.raises(TypeError, match=r"AuthGate\(app, default=policy\)"):
            protect(app, is_user)  # type: ignore[arg-type]  # the mistake under test

    def test_no_policy(self, shop: Blueprint) -> None:
        """What only looks like one would guard nothing."""
        with pytest.raises(TypeError, match=r"protect\(blueprint, is_user\)"):
            protect(shop, requires(is_user))  # type: ignore[arg-type]  # the mistake under test

    def test_a_contradictory_policy(self, shop: Blueprint) -> None:
        """Law 8.3: found when the module is imported, and the blueprint is left as it was."""
        with pytest.raises(ConfigurationError):
            protect(shop, is_user & is_project & any_role("admin"))

    def test_a_policy_without_a_source(self, shop: Blueprint, issuer: FakeIssuer) -> None:
        """Law 1.6: found at start, with the name of the blueprint."""
        inner = Blueprint("inner", __name__)
        shop.register_blueprint(inner)
        protect(inner, is_project)
        app = Flask("orders")
        app.register_blueprint(shop)
        trusted = Issuer.static(issuer.jwks(), issuer=issuer.url, audience=issuer.audience)
        with pytest.raises(ConfigurationError, match=r"protect\(shop\.inner\): .*nobody knows projects"):
            AuthGate(app, config=GateConfig(issuers=[trusted]))
