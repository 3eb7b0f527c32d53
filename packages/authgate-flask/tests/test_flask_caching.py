from collections.abc import Callable, Iterator
from functools import wraps

import pytest
from flask import Blueprint, Flask, Response, redirect, session
from werkzeug.wrappers import Response as WerkzeugResponse

from authgate_core import Gate, UnsafeAllowAnonymous, any_role, is_project, is_user
from authgate_flask import AuthGate, current_admission, flask_jwt_auth, protect, public, requires

Headers = dict[str, str]


@pytest.fixture
def said(app: Flask, user: Headers) -> Callable[..., tuple[str | None, list[str]]]:
    """What the answer to a user says to caches: ``Cache-Control`` and each ``Vary``."""

    def ask(path: str = "/", headers: Headers = user) -> tuple[str | None, list[str]]:
        with app.test_client().get(path, headers=headers) as answer:
            return answer.headers.get("Cache-Control"), answer.headers.getlist("Vary")

    return ask


Said = Callable[..., tuple[str | None, list[str]]]


class TestAdmitted:
    """Law 1.7: no shared cache hands what one caller may see to another."""

    def test_by_a_guard(self, app: Flask, said: Said) -> None:
        """Private, and varying with the headers that the policy reads."""
        app.add_url_rule("/", view_func=requires(is_user)(lambda: "in"))
        assert ("private", ["Authorization"]) == said()

    def test_by_a_policy_of_several_kinds(self, app: Flask, said: Said) -> None:
        """Also headers that this request did not carry: another answer would depend on them."""
        app.add_url_rule("/", view_func=requires(is_user | is_project)(lambda: "in"))
        assert ("private", ["Authorization, X-App-Id, X-App-Secret"]) == said()

    def test_by_several_guards(self, app: Flask, said: Said, user: Headers, project: Headers) -> None:
        """All that was read, each once."""
        view = requires(is_project)(requires(is_user)(requires(any_role("clerk"))(lambda: "in")))
        app.add_url_rule("/", view_func=view)
        assert ("private", ["X-App-Id, X-App-Secret, Authorization"]) == said(headers=user | project)

    def test_by_an_optional_guard(self, app: Flask, said: Said) -> None:
        """Whoever came, and nobody: what strangers see is not for users."""
        app.add_url_rule("/", view_func=requires(is_user, optional=True)(lambda: "in"))
        assert ("private", ["Authorization"]) == said() == said(headers={})

    def test_by_the_default_and_by_a_blueprint(self, gate: Gate, user: Headers, project: Headers) -> None:
        """What stands before a view without its doing counts as well."""
        app = Flask("orders")
        AuthGate(app, gate=gate, default=is_user)
        shop = Blueprint("shop", __name__, url_prefix="/shop")
        for one in (app, shop):
            one.add_url_rule("/", "index", lambda: "in")
        protect(shop, is_project)
        app.register_blueprint(shop)
        client = app.test_client()
        answers = [client.get("/", headers=user), client.get("/shop/", headers=project)]
        assert [("private", "Authorization"), ("private", "X-App-Id, X-App-Secret")] == [
            (answer.headers["Cache-Control"], answer.headers["Vary"]) for answer in answers
        ]

    def test_by_the_gate_of_a_shortcut(self, issuer: object, monkeypatch: pytest.MonkeyPatch) -> None:
        """From the first answer on, although the gate was built in the middle of it."""
        monkeypatch.setenv("AUTHGATE_ISSUER", "https://id.example.com")
        monkeypatch.setenv("AUTHGATE_AUDIENCE", "orders-api")
        monkeypatch.setattr("authgate_flask.guard.is_user", UnsafeAllowAnonymous())
        app = Flask("orders")
        app.add_url_rule("/", view_func=flask_jwt_auth()(lambda: "in"))
        client = app.test_client()
        assert ["private", "private"] == [client.get("/").headers["Cache-Control"] for _ in range(2)]
        app.extensions["authgate"].gate.close()

    def test_and_then_a_bug(self, app: Flask, said: Said) -> None:
        """An error page may show as much as a page."""

        @app.get("/")
        @requires(is_user)
        def view() -> str:
            raise ZeroDivisionError

        assert ("private", ["Authorization"]) == said()


class TestWhatTheHandlerSays:
    """It knows better."""

    @pytest.mark.parametrize("value", ["no-store", "public, max-age=60", "max-age=0, must-revalidate"])
    def test_cache_control_stands(self, app: Flask, said: Said, value: str) -> None:
        """Whatever it is."""
        app.add_url_rule("/", view_func=requires(is_user)(lambda: ("in", {"Cache-Control": value})))
        assert (value, ["Authorization"]) == said()

    @pytest.mark.parametrize("late", [False, True])
    def test_also_in_a_hook(self, gate: Gate, user: Headers, late: bool) -> None:
        """``after_request`` of the application belongs to it, whichever came first."""
        app = Flask("orders")
        if late:
            AuthGate(app, gate=gate)

        @app.after_request
        def cache(response: Response) -> Response:
            response.headers.setdefault("Cache-Control", "private, max-age=60")
            response.vary.add("Accept")
            return response

        if not late:
            AuthGate(app, gate=gate)
        app.add_url_rule("/", view_func=requires(is_user)(lambda: "in"))
        answer = app.test_client().get("/", headers=user)
        assert ("private, max-age=60", "Accept, Authorization") == (
            answer.headers["Cache-Control"],
            answer.headers["Vary"],
        )

    @pytest.mark.parametrize(
        ("held", "expected"),
        [
            (["Accept-Encoding"], ["Accept-Encoding, Authorization"]),
            (["Accept", "Origin, Cookie"], ["Accept, Origin, Cookie, Authorization"]),
            (["authorization"], ["authorization"]),
            (["*"], ["*"]),
        ],
    )
    def test_vary_is_kept(self, app: Flask, said: Said, held: list[str], expected: list[str]) -> None:
        """What the gate read is added to it, in one header."""

        @app.get("/")
        @requires(is_user)
        def view() -> Response:
            response = Response("in")
            for value in held:
                response.headers.add("Vary", value)
            return response

        assert ("private", expected) == said()

    def test_a_session_adds_its_own(self, app: Flask, said: Said) -> None:
        """Flask names its cookie after everybody else."""
        app.secret_key = "secret"

        @app.get("/")
        @requires(is_user)
        def view() -> str:
            session["seen"] = True
            return "in"

        assert ("private", ["Authorization, Cookie"]) == said()


class TestShapesOfResponses:
    def test_streams(self, app: Flask, user: Headers) -> None:
        """Headers go with the first part; the rest is not made yet."""
        made: list[str] = []

        @app.get("/")
        @requires(is_user)
        def view() -> Iterator[str]:
            for part in ("one", "two"):
                made.append(part)
                yield part

        with app.test_client().get("/", headers=user, buffered=False) as answer:
            assert ("private", ["one"]) == (answer.headers["Cache-Control"], made)
            assert b"onetwo" == answer.data

    def test_async_views_redirects_and_files(self, app: Flask, said: Said) -> None:
        """Whatever a view may return."""

        @app.get("/async")
        @requires(is_user)
        async def view() -> str:
            return "in"

        @app.get("/redirect")
        @requires(is_user)
        def elsewhere() -> WerkzeugResponse:
            return redirect("/async")

        @app.get("/file")
        @requires(is_user)
        @wraps(app.send_static_file)
        def file() -> Response:
            from flask import send_file

            return send_file(__file__)

        assert ("private", ["Authorization"]) == said("/async") == said("/redirect")
        assert ("no-cache", ["Authorization"]) == said("/file")


class TestNotAdmitted:
    def test_refusals_are_not_stored(self, app: Flask, said: Said, user: Headers) -> None:
        """Also where one guard admitted before another refused, or the view itself did."""
        stacked = requires(is_user)(requires(any_role("admin"))(lambda: "in"))
        app.add_url_rule("/stacked", "stacked", stacked)

        @app.get("/required")
        @requires(is_user)
        def view() -> str:
            current_admission.require(any_role("admin"))
            return "in"

        assert "no-store" == said("/stacked")[0] == said("/required")[0] == said("/stacked", {})[0]

    def test_an_error_handler_of_the_application(self, app: Flask, said: Said) -> None:
        """What it returns is sent as it is."""
        app.register_error_handler(401, lambda error: ("theirs", 401))
        app.add_url_rule("/", view_func=requires(is_user)(lambda: "in"))
        assert (None, []) == said(headers={})

    def test_nobody_was_asked(self, app: Flask, said: Said) -> None:
        """What is public, unguarded or not there is left as it is."""
        app.add_url_rule("/open", "open", lambda: "in")
        app.add_url_rule("/public", "public", public(lambda: "in"))
        assert [(None, [])] * 3 == [said(path) for path in ("/open", "/public", "/nowhere")]
