import json
from collections.abc import Callable, Iterator

import pytest
from flask import Blueprint, Flask, Response
from werkzeug.exceptions import BadRequest, Forbidden, HTTPException, ServiceUnavailable, Unauthorized
from werkzeug.wrappers import Response as WerkzeugResponse

from authgate_core import (
    AuthenticationError,
    AuthgateError,
    AuthorizationError,
    AuthUnavailable,
    Gate,
    GateConfig,
    KeysUnavailable,
    MissingCredentials,
    TokenExpired,
    any_role,
    is_user,
)
from authgate_core.principal import ProjectRef, TokenRef
from authgate_flask import AuthGate, current_admission, requires
from authgate_flask.refusal import Refusal, refusal

Headers = dict[str, str]


@pytest.fixture
def guarded(app: Flask) -> Flask:
    """An application with one route for users."""
    app.add_url_rule("/", "view", requires(is_user)(lambda: "in"))
    return app


class TestTheError:
    @pytest.mark.parametrize(
        ("outcome", "werkzeugs", "status"),
        [
            (MissingCredentials, Unauthorized, 401),
            (TokenExpired, Unauthorized, 401),
            (KeysUnavailable, ServiceUnavailable, 503),
        ],
    )
    def test_belongs_to_both_families(
        self, gate: Gate, outcome: type[AuthgateError], werkzeugs: type[HTTPException], status: int
    ) -> None:
        """Law 1.10: the outcome's own class and werkzeug's for the status."""
        error = outcome("the reason")
        raised = refusal(error, gate.problem(error))
        assert {outcome, werkzeugs} <= set(type(raised).__mro__)
        assert (status, error) == (raised.code, raised.error)

    def test_keeps_what_the_outcome_knows(self, gate: Gate) -> None:
        """The outcome's attributes are there; where both families use a name, it means what Flask expects."""
        error = KeysUnavailable("the reason", retry_after=7.0, issuer="main")
        raised = refusal(error, gate.problem(error))
        assert {"reason": "the reason", "issuer": "main", "retry_after": 7.0}.items() <= vars(raised).items()
        assert ("keys_unavailable", KeysUnavailable.detail) == (raised.error.code, raised.description)

    def test_says_nothing_private(self, gate: Gate) -> None:
        """Law 1.2: what Flask or an error page prints is the public text."""
        error = TokenExpired("the reason")
        raised = refusal(error, gate.problem(error))
        assert "the reason" not in f"{raised} {raised!r} {raised.get_body()} {raised.get_headers()}"

    def test_answers_by_itself(self, guarded: Flask) -> None:
        """It is a WSGI application, as every werkzeug exception is."""
        error = MissingCredentials()
        raised = refusal(error, Gate.problem(guarded.extensions["authgate"].gate, error))
        with guarded.test_request_context() as context:
            answer = Response.from_app(raised, context.request.environ)
        assert (401, "application/problem+json") == (answer.status_code, answer.content_type)

    def test_carries_its_cause(self, app: Flask) -> None:
        """Whoever logs the error finds the precise outcome behind it."""
        causes: list[BaseException | None] = []

        @app.errorhandler(401)
        def note(error: HTTPException) -> HTTPException:
            causes.append(error.__cause__)
            return error

        app.add_url_rule("/", "view", requires(is_user)(lambda: "in"))
        app.test_client().get("/")
        assert [MissingCredentials] == [type(cause) for cause in causes]


class TestHandlers:
    @pytest.mark.parametrize(
        "of",
        [401, Unauthorized, HTTPException, AuthgateError, AuthenticationError, MissingCredentials, Exception],
    )
    def test_run(self, guarded: Flask, of: int | type[Exception]) -> None:
        """Law 1.10: whether for the status, for werkzeug's classes or for authgate's, its answer is sent."""
        guarded.register_error_handler(of, lambda error: ({"mine": error.code}, 418))
        answer = guarded.test_client().get("/")
        assert (418, {"mine": 401}) == (answer.status_code, answer.json)

    def test_for_other_statuses_do_not(self, guarded: Flask) -> None:
        """A handler for 403 leaves a 401 alone."""
        guarded.register_error_handler(403, lambda error: "mine")
        assert "application/problem+json" == guarded.test_client().get("/").content_type

    def test_of_a_blueprint(self, app: Flask) -> None:
        """A blueprint's handler is asked for its own routes."""
        shop = Blueprint("shop", __name__)
        shop.add_url_rule("/shop", "view", requires(is_user)(lambda: "in"))
        shop.register_error_handler(401, lambda error: ("shop's", 401))
        app.register_blueprint(shop)
        app.add_url_rule("/", "view", requires(is_user)(lambda: "in"))
        client = app.test_client()
        assert ("shop's", "application/problem+json") == (
            client.get("/shop").text,
            client.get("/").content_type,
        )

    def test_the_most_specific_runs(self, guarded: Flask, bearer: Callable[..., Headers]) -> None:
        """Of classes, authgate's own say more than ``HTTPException``."""
        guarded.register_error_handler(HTTPException, lambda error: "generic")
        guarded.register_error_handler(AuthgateError, lambda error: "authgate")
        guarded.register_error_handler(TokenExpired, lambda error: "expired")
        client = guarded.test_client()
        assert "expired" == client.get("/", headers=bearer(expires_in=-3600)).text
        assert "authgate" == client.get("/").text

    def test_a_status_goes_before_classes(self, guarded: Flask) -> None:
        """As Flask has it for all errors."""
        guarded.register_error_handler(MissingCredentials, lambda error: "class")
        guarded.register_error_handler(401, lambda error: "status")
        assert "status" == guarded.test_client().get("/").text

    def test_the_json_handler_of_flasks_documentation(self, guarded: Flask) -> None:
        """Starting from ``get_response()`` keeps the challenge and ``no-store``."""

        @guarded.errorhandler(HTTPException)
        def as_json(error: HTTPException) -> WerkzeugResponse:
            response = error.get_response()
            response.data = json.dumps(
                {"code": error.code, "name": error.name, "description": error.description}
            )
            response.content_type = "application/json"
            return response

        answer = guarded.test_client().get("/")
        assert (401, "application/json") == (answer.status_code, answer.content_type)
        assert {"code": 401, "name": "Unauthorized", "description": MissingCredentials.detail} == answer.json
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert "no-store" == answer.headers["Cache-Control"]

    def test_own_body_with_our_headers(self, guarded: Flask) -> None:
        """``get_headers()`` holds what a handler with a body of its own should send along."""

        @guarded.errorhandler(AuthgateError)
        def own(error: Refusal) -> tuple[dict[str, object], int, list[tuple[str, str]]]:
            headers = [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
            return {"code": error.problem.body["code"]}, error.problem.status, headers

        answer = guarded.test_client().get("/")
        assert (401, {"code": "credentials_missing"}) == (answer.status_code, answer.json)
        assert "no-store" == answer.headers["Cache-Control"]
        assert "WWW-Authenticate" in answer.headers

    def test_that_fail(self, guarded: Flask) -> None:
        """A handler's own mistake is a 500, not an admission."""

        @guarded.errorhandler(401)
        def broken(error: Exception) -> str:
            raise ZeroDivisionError

        assert 500 == guarded.test_client().get("/").status_code

    def test_after_request_sees_refusals(self, guarded: Flask) -> None:
        """A refusal goes through the same end of the request as any response."""

        @guarded.after_request
        def mark(response: Response) -> Response:
            response.headers["X-Seen"] = str(response.status_code)
            return response

        assert "401" == guarded.test_client().get("/").headers["X-Seen"]


class TestOutcomesOfViews:
    """A view that asks the gate itself raises plain outcomes."""

    @pytest.fixture
    def app(self, app: Flask, gate: Gate) -> Flask:
        """Three ways to ask."""

        @app.get("/further")
        @requires(is_user)
        def further() -> str:
            current_admission.require(any_role("admin"))
            raise AssertionError("nobody may come here")

        @app.get("/token/<token>")
        def token(token: str) -> str:
            return gate.verify_token(token).user.id

        @app.get("/down")
        def down() -> str:
            raise AuthUnavailable("the store's own reason", retry_after=5.0)

        return app

    def test_are_answered_like_a_guards(self, app: Flask, user: Headers) -> None:
        """Law 1: one outcome table, whoever asked."""
        client = app.test_client()
        answers = [client.get("/further", headers=user), client.get("/token/abc"), client.get("/down")]
        assert [403, 401, 503] == [answer.status_code for answer in answers]
        assert {"application/problem+json"} == {answer.content_type for answer in answers}
        assert {"no-store"} == {answer.headers["Cache-Control"] for answer in answers}
        assert int(answers[2].headers["Retry-After"]) >= 5

    @pytest.mark.parametrize("of", [403, Forbidden, HTTPException, AuthorizationError, AuthgateError])
    def test_reach_the_same_handlers(self, app: Flask, user: Headers, of: int | type[Exception]) -> None:
        """Law 1.10: they too are werkzeug's by the time that a handler sees them."""
        app.register_error_handler(of, lambda error: f"{error.code} {error.problem.body['code']}")
        assert "403 forbidden" == app.test_client().get("/further", headers=user).text

    def test_other_errors_are_left_alone(self, app: Flask) -> None:
        """Law 1.3: whatever else a view raises takes Flask's own way."""

        @app.get("/own")
        def own() -> str:
            raise LookupError("mine")

        @app.get("/abort")
        def abort() -> str:
            raise BadRequest("mine")

        app.register_error_handler(LookupError, lambda error: f"found {error}")
        client = app.test_client()
        assert "found mine" == client.get("/own").text
        assert (400, "text/html; charset=utf-8") == (
            client.get("/abort").status_code,
            client.get("/abort").content_type,
        )


class TestUnavailable:
    @pytest.fixture
    def app(self, config: GateConfig) -> Iterator[Flask]:
        """An application whose revocation store is down."""

        class Down:
            def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
                raise AuthUnavailable("redis-7.internal refused", retry_after=3.0)

        with Gate(GateConfig(issuers=config.issuers, revocation=Down())) as gate:
            app = Flask("orders")
            AuthGate(app, gate=gate)
            app.add_url_rule("/", "view", requires(is_user)(lambda: "in"))
            yield app

    def test_answer(self, app: Flask, user: Headers) -> None:
        """Laws 1.5, 1.8 and 5.3: 503 with Retry-After, and no challenge."""
        answer = app.test_client().get("/", headers=user)
        assert 503 == answer.status_code
        assert 3 <= int(answer.headers["Retry-After"]) <= 60
        assert "WWW-Authenticate" not in answer.headers
        assert "redis-7" not in answer.text

    def test_handler(self, app: Flask, user: Headers) -> None:
        """``errorhandler(503)`` runs and reads when to come back."""
        app.register_error_handler(503, lambda error: (f"in {error.retry_after:.0f} s", 503))
        assert "in 3 s" == app.test_client().get("/", headers=user).text
