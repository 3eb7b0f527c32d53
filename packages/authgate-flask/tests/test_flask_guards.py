import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from asgiref.wsgi import WsgiToAsgi
from flask import Blueprint, Flask, Request, current_app, g, request
from flask.views import MethodView, View
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from authgate_core import (
    ConfigurationError,
    Gate,
    GateConfig,
    Policy,
    UnsafeAllowAnonymous,
    all_scopes,
    any_role,
    is_project,
    is_service,
    is_user,
)
from authgate_core.headers import header_pairs
from authgate_core.principal import ProjectRef, TokenRef
from authgate_core.request import Memo
from authgate_flask import (
    AuthGate,
    current_admission,
    current_project,
    current_service,
    current_user,
    flask_combined_auth,
    flask_jwt_auth,
    flask_project_auth,
    requires,
)
from authgate_flask.visit import view_of

Headers = dict[str, str]

VARIABLES = (
    "SCRIPT_NAME",
    "PATH_INFO",
    "QUERY_STRING",
    "REMOTE_ADDR",
    "CONTENT_TYPE",
    "CONTENT_LENGTH",
    "HTTP_CONTENT_TYPE",
    "HTTP_CONTENT_LENGTH",
    "HTTP_AUTHORIZATION",
    "HTTP_X_APP_ID",
    "HTTP_",
    "AUTHORIZATION",
    "SSL_HTTP_X_APP_ID",
)
"""What a WSGI server says of a request; the last two are headers to nobody."""


class TestOutcomes:
    @pytest.fixture
    def app(self, app: Flask) -> Flask:
        """One route for users, one for both, one that asks for a scope."""

        @app.get("/me")
        @requires(is_user)
        def me() -> Headers:
            return {"id": current_user.id}

        @app.get("/both")
        @requires(is_user & is_project)
        def both() -> Headers:
            return {"user": current_user.id, "project": current_project.id}

        @app.get("/orders")
        @requires(is_user & all_scopes("orders:write"))
        def orders() -> str:
            return "written"

        return app

    def test_admits(self, app: Flask, user: Headers, project: Headers) -> None:
        """The view runs and knows who called."""
        client = app.test_client()
        assert {"id": "u1"} == client.get("/me", headers=user).json
        assert {"user": "u1", "project": "p1"} == client.get("/both", headers=user | project).json

    def test_nothing_presented(self, app: Flask) -> None:
        """Law 1: 401, the accepted schemes, and no ``error``."""
        answer = app.test_client().get("/both")
        assert 401 == answer.status_code
        challenges = ", ".join(answer.headers.getlist("WWW-Authenticate"))
        assert "Bearer" in challenges
        assert "AppCredentials" in challenges
        assert "error" not in challenges

    def test_part_of_a_pair(self, app: Flask, user: Headers) -> None:
        """Law 2.3: with half of what ``&`` asks for, only the missing scheme is named."""
        answer = app.test_client().get("/both", headers=user)
        assert 401 == answer.status_code
        challenges = ", ".join(answer.headers.getlist("WWW-Authenticate"))
        assert "AppCredentials" in challenges
        assert "Bearer" not in challenges

    @pytest.mark.parametrize(
        ("shape", "status", "challenge"),
        [
            ({"expires_in": -3600}, 401, 'error="invalid_token"'),
            ({"aud": "another-api"}, 401, 'error="invalid_token"'),
            ({"scope": "orders:read"}, 403, 'error="insufficient_scope"'),
        ],
    )
    def test_refuses_tokens(
        self,
        app: Flask,
        bearer: Callable[..., Headers],
        shape: dict[str, object],
        status: int,
        challenge: str,
    ) -> None:
        """Law 1: invalid is 401, not allowed is 403, and the challenge says which."""
        answer = app.test_client().get("/orders", headers=bearer(**shape))
        assert status == answer.status_code
        assert challenge in answer.headers["WWW-Authenticate"]

    def test_malformed(self, app: Flask, user: Headers) -> None:
        """Law 2.2: repeated headers, which werkzeug's environ joins as servers do, are 400."""
        twice = [*user.items(), *user.items()]
        answer = app.test_client().get("/me", headers=twice)
        assert 400 == answer.status_code
        assert 'error="invalid_request"' in answer.headers["WWW-Authenticate"]

    def test_the_answer_is_a_problem(self, app: Flask) -> None:
        """Laws 1.1 and 1.7: RFC 9457, never stored."""
        answer = app.test_client().get("/me")
        assert "application/problem+json" == answer.content_type
        assert "no-store" == answer.headers["Cache-Control"]
        assert answer.json is not None
        assert {"type", "title", "status", "detail", "code"} == set(answer.json)
        assert (401, "credentials_missing") == (answer.json["status"], answer.json["code"])

    def test_head_and_automatic_options(self, app: Flask, user: Headers) -> None:
        """HEAD is guarded like GET; Flask's own OPTIONS never reaches the view."""
        client = app.test_client()
        assert 401 == client.head("/me").status_code
        assert b"" == client.head("/me").data
        assert 200 == client.head("/me", headers=user).status_code
        assert 200 == client.options("/me").status_code

    def test_gate_judges_what_it_is_shown(self, app: Flask) -> None:
        """A request in a cookie, a form or the query is not looked at (Law 2.2)."""
        answer = app.test_client().get("/me?access_token=abc", headers={"Cookie": "Authorization=Bearer abc"})
        assert answer.json is not None
        assert "credentials_missing" == answer.json["code"]


class TestOptional:
    @pytest.fixture
    def app(self, app: Flask) -> Flask:
        """One route that welcomes strangers."""

        @app.get("/hello")
        @requires(is_user & any_role("clerk"), optional=True)
        def hello() -> Headers:
            return {"name": current_user.id if current_user else "stranger"}

        @app.get("/both")
        @requires(is_user & is_project, optional=True)
        def both() -> str:
            return "hello"

        return app

    def test_nothing_presented(self, app: Flask) -> None:
        """Law 1.4: nobody is somebody."""
        assert {"name": "stranger"} == app.test_client().get("/hello").json

    def test_presented_and_good(self, app: Flask, user: Headers) -> None:
        """Who is presented is admitted."""
        assert {"name": "u1"} == app.test_client().get("/hello", headers=user).json

    def test_presented_and_bad(self, app: Flask, bearer: Callable[..., Headers]) -> None:
        """Law 1.4: invalid is 401, not satisfying the policy 403, half of a pair 401."""
        client = app.test_client()
        assert 401 == client.get("/hello", headers=bearer(expires_in=-3600)).status_code
        assert 403 == client.get("/hello", headers=bearer(roles=["guest"])).status_code
        assert 401 == client.get("/both", headers=bearer()).status_code


def by_wsgi(app: Flask, headers: Headers) -> int:
    """The status of ``/``, as a WSGI server would ask for it."""
    return app.test_client().get("/", headers=headers).status_code


def by_asgi(app: Flask, headers: Headers) -> int:
    """The status of ``/`` behind asgiref's bridge, which runs async views in the server's own loop."""
    raw = [(name.lower().encode(), value.encode()) for name, value in {"Host": "x", **headers}.items()]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "headers": raw,
        "scheme": "http",
    }
    sent: list[dict[str, int]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, int]) -> None:
        sent.append(message)

    bridge: Callable[..., Coroutine[object, object, None]]
    bridge = WsgiToAsgi(app)  # type: ignore[no-untyped-call]  # asgiref leaves this class untyped
    asyncio.run(bridge(scope, receive, send))
    return sent[0]["status"]


class TestShapesOfViews:
    def test_async_views_stay_async(self, app: Flask, user: Headers) -> None:
        """A coroutine function goes in and comes out; Flask runs it as it always does."""

        @app.get("/me")
        @requires(is_user)
        async def me() -> Headers:
            await asyncio.sleep(0)
            return {"id": current_user.id}

        assert inspect.iscoroutinefunction(app.view_functions["me"])
        client = app.test_client()
        assert {"id": "u1"} == client.get("/me", headers=user).json
        assert 401 == client.get("/me").status_code

    @pytest.mark.parametrize("default", [None, is_user])
    @pytest.mark.parametrize("server", [by_wsgi, by_asgi])
    def test_the_gate_blocks_no_event_loop(
        self,
        config: GateConfig,
        user: Headers,
        server: Callable[[Flask, Headers], int],
        default: Policy | None,
    ) -> None:
        """Law 9.2: under an async view the gate decides on a thread without a loop, whoever serves the app."""
        loops: list[bool] = []

        class Store:
            def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
                loops.append(asyncio._get_running_loop() is not None)
                return False

        app = Flask("orders")
        asking = GateConfig(issuers=config.issuers, revocation=Store())
        AuthGate(app, config=asking, default=default)

        async def me() -> Headers:
            loops.append(asyncio._get_running_loop() is not None)
            return {"id": current_user.id}

        app.add_url_rule("/", view_func=requires(is_user)(me) if default is None else me)
        assert (200, [False, True]) == (server(app, user), loops)

    def test_sync_views_see_no_event_loop(self, app: Flask, user: Headers, no_new_loops: None) -> None:
        """Law 9.2: nothing sync starts one, admitting or refusing."""

        @app.get("/me")
        @requires(is_user)
        def me() -> str:
            with pytest.raises(RuntimeError, match="no running event loop"):
                asyncio.get_running_loop()
            return "no loop"

        client = app.test_client()
        assert "no loop" == client.get("/me", headers=user).text
        assert 401 == client.get("/me").status_code

    def test_method_views(self, app: Flask, user: Headers, service: Headers) -> None:
        """``decorators`` guard every method; a decorated method adds its own guard."""

        class Orders(MethodView):
            decorators = [requires(is_user | is_service)]  # noqa: RUF012 - as Flask documents it

            def get(self) -> str:
                return "read"

            @requires(is_user)
            def post(self) -> Headers:
                return {"id": current_user.id}

            @requires(is_user)
            async def put(self) -> Headers:
                return {"id": current_user.id}

        app.add_url_rule("/orders", view_func=Orders.as_view("orders"))
        client = app.test_client()
        assert 401 == client.get("/orders").status_code
        assert "read" == client.get("/orders", headers=service).text
        assert 403 == client.post("/orders", headers=service).status_code
        assert {"id": "u1"} == client.post("/orders", headers=user).json
        assert {"id": "u1"} == client.put("/orders", headers=user).json

    def test_plain_class_views(self, app: Flask, user: Headers) -> None:
        """A ``View`` is guarded through ``decorators``."""

        class Me(View):
            decorators = [requires(is_user)]  # noqa: RUF012 - as Flask documents it

            def dispatch_request(self) -> Headers:
                return {"id": current_user.id}

        app.add_url_rule("/me", view_func=Me.as_view("me"))
        client = app.test_client()
        assert (401, {"id": "u1"}) == (client.get("/me").status_code, client.get("/me", headers=user).json)

    def test_blueprints(self, app: Flask, user: Headers) -> None:
        """A guard knows its application at request time, so blueprints need nothing special."""
        shop = Blueprint("shop", __name__, url_prefix="/shop")

        @shop.get("/me")
        @requires(is_user)
        def me() -> Headers:
            return {"id": current_user.id}

        app.register_blueprint(shop)
        client = app.test_client()
        assert (401, {"id": "u1"}) == (
            client.get("/shop/me").status_code,
            client.get("/shop/me", headers=user).json,
        )

    def test_before_request(self, app: Flask, user: Headers) -> None:
        """A guarded function stands before a whole blueprint."""
        shop = Blueprint("shop", __name__, url_prefix="/shop")

        @shop.before_request
        @requires(is_user)
        def only_users() -> None:
            return None

        @shop.get("/me")
        def me() -> Headers:
            return {"id": current_user.id}

        app.register_blueprint(shop)
        client = app.test_client()
        assert (401, {"id": "u1"}) == (
            client.get("/shop/me").status_code,
            client.get("/shop/me", headers=user).json,
        )

    def test_keeps_the_name_of_the_view(self) -> None:
        """Endpoints, documentation and arguments are those of the view."""

        @requires(is_user)
        def orders(number: int) -> str:
            """Show one order."""
            return f"order {number}"

        assert ("orders", "Show one order.") == (orders.__name__, orders.__doc__)

    def test_path_parameters_reach_the_view(self, app: Flask, user: Headers) -> None:
        """Arguments pass through untouched."""

        @app.get("/orders/<int:number>")
        @requires(is_user)
        def order(number: int) -> str:
            return f"order {number + 1}"

        assert "order 8" == app.test_client().get("/orders/7", headers=user).text


class Counter:
    """A revocation store that counts how often it is asked, and revokes on demand."""

    def __init__(self) -> None:
        self.asked = 0
        self.revoked = False

    def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
        """Count."""
        self.asked += 1
        return self.revoked


class TestStackedGuards:
    @pytest.fixture
    def counter(self) -> Counter:
        """Counts verifications: every one asks about revocation (Law 5.1)."""
        return Counter()

    @pytest.fixture
    def app(self, config: GateConfig, counter: Counter) -> Flask:
        """A route with three guards."""
        app = Flask("orders")
        gate = Gate(GateConfig(issuers=config.issuers, projects=config.projects, revocation=counter))
        AuthGate(app, gate=gate)

        @app.get("/")
        @requires(is_user)
        @requires(any_role("clerk"))
        @requires(is_project)
        def view() -> Headers:
            return {"user": current_user.id, "project": current_project.id}

        return app

    def test_all_must_admit(self, app: Flask, user: Headers, project: Headers) -> None:
        """Guards add up, and so does who was admitted."""
        client = app.test_client()
        assert {"user": "u1", "project": "p1"} == client.get("/", headers=user | project).json
        assert 401 == client.get("/", headers=user).status_code
        assert 401 == client.get("/", headers=project).status_code

    def test_each_kind_is_authenticated_once(
        self, app: Flask, counter: Counter, user: Headers, project: Headers
    ) -> None:
        """Law 2.6: three guards, one look at the token and one at the project."""
        app.test_client().get("/", headers=user | project)
        assert 2 == counter.asked

    def test_the_next_request_is_authenticated_anew(
        self, app: Flask, counter: Counter, user: Headers, project: Headers
    ) -> None:
        """Law 2.6: the memo belongs to one request object; what is revoked meanwhile is refused."""
        client = app.test_client()
        assert 200 == client.get("/", headers=user | project).status_code
        counter.revoked = True
        assert 401 == client.get("/", headers=user | project).status_code

    def test_a_replayed_environment_is_authenticated_anew(
        self, app: Flask, counter: Counter, user: Headers, project: Headers
    ) -> None:
        """Law 2.6: the memo does not live in the WSGI environment."""
        environ = EnvironBuilder(headers=[*user.items(), *project.items()]).get_environ()
        statuses: list[str] = []

        def start_response(status: str, *_: object) -> Callable[[bytes], object]:
            statuses.append(status)
            return bytes

        for counter.revoked in (False, True):
            list(app(environ, start_response))
        assert ["200 OK", "401 UNAUTHORIZED"] == statuses

    def test_another_credential_is_authenticated_anew(
        self, app: Flask, bearer: Callable[..., Headers], user: Headers, project: Headers
    ) -> None:
        """Law 2.6: a header that a handler rewrites is looked at again."""

        @app.get("/rewritten")
        @requires(is_user)
        def rewritten() -> Headers:
            request.environ["HTTP_AUTHORIZATION"] = bearer("u2")["Authorization"]

            @requires(is_user)
            def inner() -> Headers:
                return {"id": current_user.id}

            return inner()

        assert {"id": "u2"} == app.test_client().get("/rewritten", headers=user).json


class TestCopiesAreNoEvidence:
    def test_writing_g_changes_nothing(self, app: Flask, bearer: Callable[..., Headers]) -> None:
        """Law 2.6: what ``g`` holds is for reading, never evidence."""

        @app.get("/")
        @flask_jwt_auth()
        def view() -> Headers:
            g.user = "root"
            guarded()
            return {"id": current_user.id, "g": g.user}

        @requires(is_user & any_role("root"))
        def guarded() -> None:
            raise AssertionError("g.user was believed")

        assert 403 == app.test_client().get("/", headers=bearer()).status_code

    def test_filling_g_beforehand_admits_nobody(self, app: Flask) -> None:
        """Law 2.6: a guard reads the request alone."""

        @app.before_request
        def forge() -> None:
            g.user = g.admission = "root"

        @app.get("/")
        @requires(is_user)
        def view() -> str:
            raise AssertionError("nobody may come here")

        assert 401 == app.test_client().get("/").status_code


class TestShortcuts:
    @pytest.fixture
    def app(self, app: Flask) -> Flask:
        """One route for each."""

        @app.get("/jwt")
        @flask_jwt_auth()
        def jwt() -> Headers:
            return {"user": g.user.id}

        @app.get("/project")
        @flask_project_auth()
        def project() -> Headers:
            return {"project": g.project.id}

        @app.get("/combined")
        @flask_combined_auth()
        def combined() -> Headers:
            return {"user": g.user.id, "project": g.project.id}

        @app.get("/requires")
        @requires(is_user)
        def plain() -> Headers:
            return {"user": str(g.get("user"))}

        return app

    def test_set_g(self, app: Flask, user: Headers, project: Headers) -> None:
        """Each admits by its policy and puts principals on ``g``."""
        client = app.test_client()
        assert {"user": "u1"} == client.get("/jwt", headers=user).json
        assert {"project": "p1"} == client.get("/project", headers=project).json
        assert {"user": "u1", "project": "p1"} == client.get("/combined", headers=user | project).json

    def test_refuse(self, app: Flask, user: Headers, service: Headers, project: Headers) -> None:
        """They are ``requires`` by another name."""
        client = app.test_client()
        assert 401 == client.get("/jwt", headers=project).status_code
        assert 403 == client.get("/jwt", headers=service).status_code
        assert 401 == client.get("/project", headers=user).status_code
        assert 401 == client.get("/combined", headers=user).status_code

    def test_requires_leaves_g_alone(self, app: Flask, user: Headers) -> None:
        """Only the shortcuts set ``g``."""
        assert {"user": "None"} == app.test_client().get("/requires", headers=user).json

    def test_set_g_for_all(self, gate: Gate, user: Headers) -> None:
        """``AUTHGATE_SET_G=True`` sets both names for every guard, absent ones to None."""
        app = Flask("orders")
        app.config["AUTHGATE_SET_G"] = True
        AuthGate(app, gate=gate)

        @app.get("/")
        @requires(is_user)
        def view() -> Headers:
            return {"user": g.user.id, "project": str(g.project)}

        assert {"user": "u1", "project": "None"} == app.test_client().get("/", headers=user).json


class TestMisuse:
    def test_requires_without_a_policy(self) -> None:
        """A bare decorator is found when the module is imported."""
        with pytest.raises(TypeError, match=r"@requires\(is_user\)"):

            @requires  # type: ignore[arg-type]  # the mistake under test
            def view() -> str:
                return "open to all"

    @pytest.mark.parametrize("shortcut", [flask_jwt_auth, flask_project_auth, flask_combined_auth])
    def test_shortcuts_without_parentheses(self, shortcut: Callable[..., object]) -> None:
        """The message is the fix."""
        with pytest.raises(TypeError, match=rf"@{shortcut.__name__}\(\)"):
            shortcut(lambda: "open to all")

    def test_a_class(self) -> None:
        """A class is guarded from inside."""
        with pytest.raises(TypeError, match="decorators = "):
            requires(is_user)(MethodView)

    def test_no_function(self) -> None:
        """A guard on something else says where it belongs."""
        with pytest.raises(TypeError, match="below the route"):
            requires(is_user)("view")  # type: ignore[type-var]  # the mistake under test

    def test_a_contradictory_policy(self) -> None:
        """Law 8.3: a policy that can never be judged is found when the module is imported."""
        with pytest.raises(ConfigurationError):
            requires(is_user & is_project & any_role("admin"))

    def test_without_a_gate(self, user: Headers) -> None:
        """Law 1.6: the missing line is named, and nobody gets in."""
        app = Flask("orders")
        app.testing = True

        @app.get("/")
        @requires(is_user)
        def view() -> str:
            raise AssertionError("nobody may come here")

        with pytest.raises(ConfigurationError, match=r"AuthGate\(app\)"):
            app.test_client().get("/", headers=user)

    def test_even_an_open_policy_needs_a_gate(self) -> None:
        """Law 1.6: an application without a gate has no open door either."""
        app = Flask("orders")
        app.testing = True
        app.add_url_rule("/", view_func=requires(UnsafeAllowAnonymous())(lambda: "open"))
        with pytest.raises(ConfigurationError):
            app.test_client().get("/")


class TestBugs:
    def test_of_the_view(self, app: Flask, user: Headers) -> None:
        """Law 1.3: the view's own exceptions are never caught."""

        @app.get("/")
        @requires(is_user)
        def view() -> str:
            raise ZeroDivisionError("mine")

        app.testing = True
        with pytest.raises(ZeroDivisionError, match="mine"):
            app.test_client().get("/", headers=user)

    def test_of_the_gate(self, config: GateConfig, user: Headers) -> None:
        """Law 1.3: a failing port is no refusal; it reaches Flask as itself."""

        class Broken:
            def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
                raise ZeroDivisionError("the store's")

        app = Flask("orders")
        app.testing = True
        AuthGate(app, gate=Gate(GateConfig(issuers=config.issuers, revocation=Broken())))
        app.add_url_rule("/", view_func=requires(is_user)(lambda: "in"))
        with pytest.raises(ZeroDivisionError, match="the store's"):
            app.test_client().get("/", headers=user)
        app.testing = False
        assert 500 == app.test_client().get("/", headers=user).status_code


class TestWhatTheGateSees:
    def test_the_view_of_a_request(self, config: GateConfig, user: Headers) -> None:
        """Method, URL with its prefix and query, path parameters and the socket's peer."""
        from authgate_core import Admission, RequestView, check

        seen: list[RequestView] = []

        def look(admission: Admission, view: RequestView) -> bool:
            seen.append(view)
            return True

        app = Flask("orders")
        AuthGate(app, config=config)
        app.add_url_rule("/o/<int:n>", view_func=requires(is_user & check("look", look))(lambda n: "in"))
        client = app.test_client()
        client.get(
            "/o/7?q=1", base_url="http://h/api", headers=user, environ_overrides={"REMOTE_ADDR": "192.0.2.7"}
        )
        assert [("GET", "/api/o/7?q=1", "192.0.2.7", {"n": 7})] == [
            (view.method, view.url, view.peer, dict(view.path_params)) for view in seen
        ]

    @given(
        st.fixed_dictionaries(
            {"REQUEST_METHOD": st.sampled_from(["GET", "put"])},
            optional={name: st.text(st.characters(max_codepoint=255), max_size=5) for name in VARIABLES},
        )
    )
    def test_is_what_werkzeug_sees(self, environ: dict[str, Any]) -> None:
        """Headers, path and query are those that handlers see, whatever the server says."""
        theirs = Request(environ)
        path, query = theirs.root_path + theirs.path, theirs.query_string.decode("latin-1")
        ours = view_of(theirs, Memo())
        assert (header_pairs(theirs.headers), theirs.method) == (ours.headers, ours.method)
        assert (f"{path}?{query}" if query else path, theirs.remote_addr or None) == (ours.url, ours.peer)

    def test_the_peer_behind_proxy_fix(self, config: GateConfig, user: Headers) -> None:
        """Law 2.7: the peer is who holds the socket, never what a header says."""
        from werkzeug.middleware.proxy_fix import ProxyFix

        from authgate_core import Admission, RequestView, check

        seen: list[str | None] = []

        def look(admission: Admission, view: RequestView) -> bool:
            seen.append(view.peer)
            return True

        app = Flask("orders")
        AuthGate(app, config=config)
        app.wsgi_app = ProxyFix(app.wsgi_app)  # type: ignore[method-assign]  # as Flask documents it
        app.add_url_rule(
            "/", view_func=requires(is_user & check("look", look))(lambda: str(request.remote_addr))
        )
        answer = app.test_client().get(
            "/",
            headers=user | {"X-Forwarded-For": "203.0.113.9"},
            environ_overrides={"REMOTE_ADDR": "192.0.2.7"},
        )
        assert ("203.0.113.9", ["192.0.2.7"]) == (answer.text, seen)

    def test_threads_do_not_share_visits(self, app: Flask, bearer: Callable[..., Headers]) -> None:
        """Each request knows its own caller."""

        @app.get("/")
        @requires(is_user)
        def view() -> Headers:
            gathered.wait(timeout=10)
            return {"id": current_user.id}

        gathered = threading.Barrier(2)
        answers: dict[str, object] = {}

        def call(sub: str) -> None:
            answers[sub] = app.test_client().get("/", headers=bearer(sub)).json

        threads = [threading.Thread(target=call, args=(sub,)) for sub in ("u1", "u2")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {"u1": {"id": "u1"}, "u2": {"id": "u2"}} == answers


class TestServices:
    def test_a_service_is_no_user(self, app: Flask, service: Headers) -> None:
        """Law 3.13: what matches is a ``Service`` and never satisfies ``is_user``."""

        @app.get("/")
        @requires(is_service)
        def view() -> Headers:
            return {
                "id": current_service.id,
                "anyone": current_admission.principal.id,
                "app": current_app.name,
            }

        assert {"id": "s1", "anyone": "s1", "app": "orders"} == app.test_client().get(
            "/", headers=service
        ).json
