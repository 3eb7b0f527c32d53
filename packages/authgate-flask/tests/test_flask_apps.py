"""Several applications in one process: what belongs to one is not seen in another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Blueprint, Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from authgate_core import ConfigurationError, Gate, GateConfig, Issuer, any_role, is_service, is_user
from authgate_core.testing import FakeIssuer
from authgate_flask import AuthGate, current_gate, current_user, protect, public, requires

Headers = dict[str, str]


@pytest.fixture
def others() -> FakeIssuer:
    """Another issuer, whom only the other application believes."""
    return FakeIssuer(audience="orders-api", url="https://other.example.com")


@pytest.fixture
def other(others: FakeIssuer) -> Iterator[Flask]:
    """The other application."""
    trusted = Issuer.static(others.jwks(), issuer=others.url, audience=others.audience)
    app = Flask("other")
    with Gate(GateConfig(issuers=[trusted])) as gate:
        AuthGate(app, gate=gate, default=is_user)
        app.add_url_rule("/", view_func=lambda: {"other": current_user.id})
        yield app


class TestOneProcess:
    def test_behind_one_dispatcher(self, app: Flask, other: Flask, user: Headers, others: FakeIssuer) -> None:
        """Each judges by its own gate and its own default."""
        app.add_url_rule("/", "index", lambda: "open")
        app.add_url_rule("/me", "me", requires(is_user)(lambda: {"id": current_user.id}))
        client = Client(DispatcherMiddleware(app.wsgi_app, {"/other": other.wsgi_app}))
        theirs = {"Authorization": f"Bearer {others.token('o1')}"}
        assert (200, 401) == (client.get("/").status_code, client.get("/other/").status_code)
        assert ({"id": "u1"}, {"other": "o1"}) == (
            client.get("/me", headers=user).json,
            client.get("/other/", headers=theirs).json,
        )
        assert [401, 401] == [
            client.get("/me", headers=theirs).status_code,
            client.get("/other/", headers=user).status_code,
        ]

    def test_one_asks_the_other(self, app: Flask, other: Flask, user: Headers, others: FakeIssuer) -> None:
        """A request within a request is one of its own, and leaves the outer one as it was."""

        @app.get("/")
        @requires(is_user)
        def view() -> dict[str, object]:
            theirs = {"Authorization": f"Bearer {others.token('o1')}"}
            inner = other.test_client().get("/", headers=theirs).json
            return {"inner": inner, "outer": current_user.id}

        assert {"inner": {"other": "o1"}, "outer": "u1"} == app.test_client().get("/", headers=user).json

    def test_at_the_same_time(self, app: Flask, other: Flask, user: Headers, others: FakeIssuer) -> None:
        """In two threads."""
        gathered = threading.Barrier(2)
        app.add_url_rule("/", view_func=requires(is_user)(lambda: {"id": current_user.id}))

        def meet() -> None:
            gathered.wait(timeout=10)

        for one in (app, other):
            one.before_request(meet)
        answers: dict[str, object] = {}

        def call(one: Flask, headers: Headers) -> None:
            answers[one.name] = one.test_client().get("/", headers=headers).json

        calls = ((app, user), (other, {"Authorization": f"Bearer {others.token('o1')}"}))
        threads = [threading.Thread(target=call, args=arguments) for arguments in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {"orders": {"id": "u1"}, "other": {"other": "o1"}} == answers

    def test_current_gate(self, app: Flask, other: Flask) -> None:
        """It is the one of the application at hand, also where contexts are nested."""
        gates = [one.extensions["authgate"].gate for one in (app, other)]
        with app.app_context():
            outer = current_gate.config
            with other.app_context():
                inner = current_gate.config
            again = current_gate.config
        assert [gates[0].config, gates[1].config, gates[0].config] == [outer, inner, again]


class TestOneExtension:
    """``authgate = AuthGate(...)`` in a module, ``authgate.init_app(app)`` in each factory."""

    def test_brings_its_options_along(self, config: GateConfig, service: Headers) -> None:
        """Default and words are the extension's; gates are made for each application."""
        authgate = AuthGate(
            config=config, default=is_user, on_refusal=lambda error, problem: {"no": problem.status}
        )
        apps = [Flask("one"), Flask("two")]
        for app in apps:
            authgate.init_app(app)
            app.add_url_rule("/", view_func=lambda: "in")
        assert [{"no": 401}, {"no": 401}] == [app.test_client().get("/").json for app in apps]
        assert [{"no": 403}] * 2 == [app.test_client().get("/", headers=service).json for app in apps]
        assert 2 == len({id(app.extensions["authgate"].gate) for app in apps})

    def test_one_gate_for_all(self, gate: Gate, user: Headers) -> None:
        """``gate=`` is shared, with its keys and its caches."""
        authgate = AuthGate(gate=gate, default=is_user)
        apps = [Flask("one"), Flask("two")]
        for app in apps:
            authgate.init_app(app)
        assert [gate, gate] == [app.extensions["authgate"].gate for app in apps]

    def test_a_mistake_in_one_application(self, config: GateConfig) -> None:
        """The other works on."""
        authgate = AuthGate(config=config)
        right, wrong = Flask("right"), Flask("wrong")
        requires(is_user)(wrong.get("/")(lambda: "in"))
        authgate.init_app(right)
        with pytest.raises(ConfigurationError):
            authgate.init_app(wrong)
        assert 404 == right.test_client().get("/").status_code
        assert "authgate" not in wrong.extensions


class TestFactories:
    @pytest.fixture
    def create_app(self, config: GateConfig) -> Callable[[], Flask]:
        """A factory over a blueprint that is there once for all."""
        authgate = AuthGate(default=is_user, config=config)
        shop = Blueprint("shop", __name__, url_prefix="/shop")
        shop.add_url_rule("/", "index", lambda: "in")
        shop.add_url_rule("/admin", "admin", requires(any_role("admin"))(lambda: "in"))
        shop.add_url_rule("/open", "open", public(lambda: "in"))
        protect(shop, is_service)

        def create_app() -> Flask:
            app = Flask("orders")
            authgate.init_app(app)
            app.register_blueprint(shop)
            app.add_url_rule("/", "index", lambda: "in")
            return app

        return create_app

    def test_each_application_is_guarded(
        self, create_app: Callable[[], Flask], user: Headers, service: Headers
    ) -> None:
        """The second as the first."""
        for app in (create_app(), create_app()):
            client = app.test_client()
            assert [401, 200, 403] == [
                client.get("/", headers=headers).status_code for headers in ({}, user, service)
            ]
            assert [401, 403, 200] == [
                client.get("/shop/", headers=headers).status_code for headers in ({}, user, service)
            ]
            assert (403, 200) == (
                client.get("/shop/admin", headers=service).status_code,
                client.get("/shop/open").status_code,
            )

    def test_after_the_blueprints(self, config: GateConfig, user: Headers) -> None:
        """The order of ``init_app`` and ``register_blueprint`` changes nothing."""
        shop = Blueprint("shop", __name__)
        shop.add_url_rule("/", "index", lambda: "in")
        app = Flask("orders")
        app.register_blueprint(shop)
        AuthGate(app, config=config, default=is_user)
        client = app.test_client()
        assert (401, 200) == (client.get("/").status_code, client.get("/", headers=user).status_code)
