import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask, g, request
from flask.views import MethodView, View
from werkzeug.test import TestResponse

from authgate_core import (
    ConfigurationError,
    Gate,
    GateConfig,
    Issuer,
    UnsafeAllowAnonymous,
    any_role,
    is_project,
    is_service,
    is_user,
    same_tenant,
)
from authgate_core.testing import FakeIssuer
from authgate_flask import AuthGate, current_user, public, requires

Headers = dict[str, str]
PREFLIGHT = {"Origin": "https://shop.example.com", "Access-Control-Request-Method": "POST"}


@pytest.fixture
def app(gate: Gate) -> Flask:
    """An application that lets users in and nobody else, unless a view says otherwise."""
    app = Flask("orders", static_url_path="/static", static_folder=str(Path(__file__).parent))
    AuthGate(app, gate=gate, default=is_user)
    return app


class TestDefault:
    """Law 8.8: nothing stands open because somebody forgot it."""

    def test_guards_a_view_that_says_nothing(self, app: Flask, user: Headers, service: Headers) -> None:
        """By the default policy, with the same answers as a guard's, and the view knows who called."""
        app.add_url_rule("/", view_func=lambda: {"id": current_user.id})
        client = app.test_client()
        assert {"id": "u1"} == client.get("/", headers=user).json
        answer = client.get("/")
        assert (401, "application/problem+json") == (answer.status_code, answer.content_type)
        assert "Bearer" in answer.headers["WWW-Authenticate"]
        assert 403 == client.get("/", headers=service).status_code

    def test_guards_every_method_of_a_view(self, app: Flask, user: Headers) -> None:
        """HEAD and Flask's own OPTIONS as well."""
        app.add_url_rule("/", view_func=lambda: "in", methods=["GET", "POST"])
        client = app.test_client()
        for method in ("GET", "HEAD", "POST", "OPTIONS"):
            assert 401 == client.open("/", method=method).status_code
            assert 200 == client.open("/", method=method, headers=user).status_code

    def test_guards_async_views(self, app: Flask, user: Headers) -> None:
        """They are guarded by the request's own thread."""

        @app.get("/")
        async def view() -> Headers:
            await asyncio.sleep(0)
            return {"id": current_user.id}

        client = app.test_client()
        assert (401, {"id": "u1"}) == (client.get("/").status_code, client.get("/", headers=user).json)

    def test_leaves_a_guarded_view_to_its_guard(self, app: Flask, service: Headers, user: Headers) -> None:
        """Which may ask for somebody else, or let strangers in."""
        app.add_url_rule("/job", "job", requires(is_service)(lambda: "in"))
        app.add_url_rule("/hello", "hello", requires(is_user, optional=True)(lambda: "in"))
        app.add_url_rule("/open", "open", requires(UnsafeAllowAnonymous())(lambda: "in"))
        client = app.test_client()
        assert (200, 403) == (
            client.get("/job", headers=service).status_code,
            client.get("/job", headers=user).status_code,
        )
        assert [200, 200] == [client.get(path).status_code for path in ("/hello", "/open")]

    def test_guards_besides_a_guard_out_of_sight(self, app: Flask, service: Headers, user: Headers) -> None:
        """A guard that the view calls by itself is no decision that can be seen."""

        @requires(is_service)
        def inner() -> str:
            return "in"

        @app.get("/")
        def view() -> str:
            return inner()

        client = app.test_client()
        assert [401, 403, 403] == [
            client.get("/", headers=headers).status_code for headers in ({}, service, user)
        ]

    def test_guards_static_files(self, app: Flask, user: Headers) -> None:
        """They are routes like any other; ``public`` around their view opens them."""
        path = f"/static/{Path(__file__).name}"
        client = app.test_client()
        with client.get(path, headers=user) as answer:
            assert (401, 200) == (client.get(path).status_code, answer.status_code)
        other = Flask("other", static_url_path="/static", static_folder=str(Path(__file__).parent))
        other.view_functions["static"] = public(other.view_functions["static"])
        AuthGate(other, gate=app.extensions["authgate"].gate, default=is_user)
        with other.test_client().get(path) as answer:
            assert 200 == answer.status_code

    def test_leaves_what_is_no_route_alone(self, app: Flask, user: Headers) -> None:
        """404, 405 and redirects are answered as without authgate: there is nothing to guard."""
        app.add_url_rule("/orders/", view_func=lambda: "in")
        bare = Flask("bare")
        bare.add_url_rule("/orders/", view_func=lambda: "in")

        def asked(client_of: Flask) -> list[int]:
            client = client_of.test_client()
            answers = (client.get("/nowhere"), client.post("/orders/"), client.get("/orders"))
            return [answer.status_code for answer in answers]

        assert [404, 405, 308] == asked(app) == asked(bare)

    def test_stands_before_the_hooks_of_the_application(self, app: Flask, user: Headers) -> None:
        """Nothing of the application runs for a request that is refused; hooks know who was admitted."""
        ran: list[str] = []

        @app.before_request
        def hook() -> None:
            ran.append(current_user.id)

        app.add_url_rule("/", view_func=lambda: "in")
        client = app.test_client()
        assert 401 == client.get("/").status_code
        assert 200 == client.get("/", headers=user).status_code
        assert ["u1"] == ran

    def test_stands_before_hooks_that_were_there_first(self, gate: Gate) -> None:
        """Also where the extension is put in front last of all."""
        app = Flask("orders")
        app.before_request(lambda: "answered by a hook")
        app.add_url_rule("/", view_func=lambda: "in")
        AuthGate(app, gate=gate, default=is_user)
        assert 401 == app.test_client().get("/").status_code

    def test_compares_path_parameters(self, config: GateConfig, issuer: FakeIssuer) -> None:
        """A default policy sees what the router took from the path."""
        trusted = Issuer.static(issuer.jwks(), issuer=issuer.url, audience=issuer.audience, tenant="tenant")
        app = Flask("orders")
        AuthGate(app, config=GateConfig(issuers=[trusted]), default=is_user & same_tenant(path="tenant"))
        app.add_url_rule("/<tenant>", view_func=lambda tenant: tenant)
        headers = {"Authorization": f"Bearer {issuer.token('u1', tenant='a')}"}
        client = app.test_client()
        assert (200, 403) == (
            client.get("/a", headers=headers).status_code,
            client.get("/b", headers=headers).status_code,
        )

    def test_sets_g_where_all_guards_do(self, gate: Gate, user: Headers) -> None:
        """``AUTHGATE_SET_G`` means the default too."""
        app = Flask("orders")
        app.config["AUTHGATE_SET_G"] = True
        AuthGate(app, gate=gate, default=is_user)
        app.add_url_rule("/", view_func=lambda: {"id": g.user.id})
        assert {"id": "u1"} == app.test_client().get("/", headers=user).json


class TestClassViews:
    """Whether a view has a guard of its own is asked of each method."""

    @pytest.fixture
    def statuses(self, app: Flask, user: Headers, service: Headers) -> Callable[[str, str], list[int]]:
        """What nobody, a user and a service get."""

        def ask(method: str, path: str) -> list[int]:
            client = app.test_client()
            return [
                client.open(path, method=method, headers=headers).status_code
                for headers in ({}, user, service)
            ]

        return ask

    def test_methods(self, app: Flask, statuses: Callable[[str, str], list[int]]) -> None:
        """One with a guard is judged by it, one without by the default, whatever its neighbours say."""

        class Orders(MethodView):
            def get(self) -> str:
                return "in"

            @requires(is_service)
            def post(self) -> str:
                return "in"

            @requires(is_user, optional=True)
            async def put(self) -> str:
                return "in"

        app.add_url_rule("/", view_func=Orders.as_view("orders"))
        assert [401, 200, 403] == statuses("GET", "/")
        assert [401, 200, 403] == statuses("HEAD", "/")
        assert [401, 403, 200] == statuses("POST", "/")
        assert [200, 200, 403] == statuses("PUT", "/")

    def test_head_of_its_own(self, app: Flask, statuses: Callable[[str, str], list[int]]) -> None:
        """A class that answers HEAD itself is asked what its ``head`` says."""

        class Orders(MethodView):
            @requires(is_service)
            def get(self) -> str:
                return "in"

            def head(self) -> str:
                return ""

        app.add_url_rule("/", view_func=Orders.as_view("orders"))
        assert [401, 403, 200] == statuses("GET", "/")
        assert [401, 200, 403] == statuses("HEAD", "/")

    def test_decorators_guard_all_methods(
        self, app: Flask, statuses: Callable[[str, str], list[int]]
    ) -> None:
        """They are the view's own guard."""

        class Orders(MethodView):
            decorators = [requires(is_service)]  # noqa: RUF012 - as Flask documents it

            def get(self) -> str:
                return "in"

        app.add_url_rule("/", view_func=Orders.as_view("orders"))
        assert [401, 403, 200] == statuses("GET", "/")

    def test_plain_class_views(self, app: Flask, statuses: Callable[[str, str], list[int]]) -> None:
        """``dispatch_request`` is the view; a guarded method that Flask never calls is none of it."""

        class Guarded(View):
            @requires(is_service)
            def dispatch_request(self) -> str:
                return "in"

        class Bare(View):
            def dispatch_request(self) -> str:
                return "in"

            @requires(is_service)
            def get(self) -> str:
                raise AssertionError("a View has no methods")

        app.add_url_rule("/guarded", view_func=Guarded.as_view("guarded"))
        app.add_url_rule("/bare", view_func=Bare.as_view("bare"))
        assert [401, 403, 200] == statuses("GET", "/guarded")
        assert [401, 200, 403] == statuses("GET", "/bare")

    def test_what_only_looks_like_one(self, app: Flask, statuses: Callable[[str, str], list[int]]) -> None:
        """A function with an attribute of that name is judged as a function."""

        def view() -> str:
            return "in"

        vars(view)["view_class"] = "no class"
        app.add_url_rule("/", view_func=view)
        assert [401, 200, 403] == statuses("GET", "/")


class TestPreflights:
    """Law 1.11: a preflight carries no credentials, so nothing that stands before a whole application asks for any."""

    def options(self, app: Flask, headers: Headers) -> TestResponse:
        return app.test_client().options("/", headers=headers)

    def test_pass_the_default(self, app: Flask) -> None:
        """Flask's own answer to OPTIONS, or the view's."""
        app.add_url_rule("/", view_func=lambda: "in")
        assert 200 == self.options(app, PREFLIGHT).status_code

    def test_reach_a_view_that_answers_them(self, app: Flask) -> None:
        """A view for OPTIONS is let through for preflights alone."""
        app.add_url_rule("/", view_func=lambda: request.method, methods=["OPTIONS", "POST"])
        assert "OPTIONS" == self.options(app, PREFLIGHT).text
        assert 401 == app.test_client().post("/", headers=PREFLIGHT).status_code

    @pytest.mark.parametrize("missing", [*PREFLIGHT])
    def test_are_told_by_both_headers(self, app: Flask, missing: str) -> None:
        """Any other OPTIONS is a request like the rest."""
        app.add_url_rule("/", view_func=lambda: "in")
        headers = {name: value for name, value in PREFLIGHT.items() if name != missing}
        assert 401 == self.options(app, headers).status_code

    def test_do_not_pass_a_guard_of_the_route(self, app: Flask) -> None:
        """Who puts a guard on a view for OPTIONS means it."""
        app.add_url_rule("/", view_func=requires(is_user)(lambda: "in"), methods=["OPTIONS"])
        assert 401 == self.options(app, PREFLIGHT).status_code


class TestConfiguration:
    """Law 1.6: what is wrong with a default is found when the gate is put in front."""

    @pytest.mark.parametrize("default", [True, "is_user", requires(is_user)])
    def test_it_is_a_policy(self, config: GateConfig, default: object) -> None:
        """What only looks like one would guard nothing."""
        with pytest.raises(ConfigurationError, match=r"AuthGate\(default=\): give a policy"):
            AuthGate(config=config, default=default)  # type: ignore[arg-type]  # the mistake under test

    def test_the_gate_can_judge_it(self, issuer: FakeIssuer) -> None:
        """A kind without a source, or a contradiction, is named with its place."""
        trusted = Issuer.static(issuer.jwks(), issuer=issuer.url, audience=issuer.audience)
        app = Flask("orders")
        for default in (is_project, is_user & is_project & any_role("admin")):
            with pytest.raises(ConfigurationError, match=r"AuthGate\(default=\): ") as raised:
                AuthGate(app, config=GateConfig(issuers=[trusted]), default=default)
            assert 1 == len(raised.value.problems)
        assert "authgate" not in app.extensions

    def test_everything_at_once(self, config: GateConfig) -> None:
        """One message for all that is wrong."""
        with pytest.raises(ConfigurationError) as raised:
            AuthGate(config="config", gate="gate", default="default")  # type: ignore[arg-type]  # as above
        assert [
            "AuthGate(config=, gate=)",
            "AuthGate(gate=)",
            "AuthGate(config=)",
            "AuthGate(default=)",
        ] == [problem.partition(":")[0] for problem in raised.value.problems]
