from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from authgate_core import (
    AuthgateError,
    ConfigurationError,
    Gate,
    GateConfig,
    MissingCredentials,
    RevocationUnavailable,
    any_role,
    is_user,
)
from authgate_core.challenge import Problem
from authgate_core.principal import ProjectRef, TokenRef
from authgate_flask import AuthGate, current_admission, requires

Headers = dict[str, str]


def in_their_own_words(error: AuthgateError, problem: Problem) -> Mapping[str, Any]:
    """What an application may say."""
    return {"error": type(error).__name__, "status": problem.status}


@pytest.fixture
def app(gate: Gate) -> Flask:
    """An application with words of its own, and a default."""
    app = Flask("orders")
    AuthGate(app, gate=gate, on_refusal=in_their_own_words, default=is_user)
    app.add_url_rule("/", "index", lambda: "in")
    app.add_url_rule("/admin", "admin", requires(any_role("admin"))(lambda: "in"))
    return app


class TestOnRefusal:
    """Law 1.10: another body, and nothing else."""

    def test_the_body_is_theirs(self, app: Flask, user: Headers) -> None:
        """As JSON, whoever refused: the default, a guard."""
        client = app.test_client()
        answers = [client.get("/"), client.get("/admin", headers=user)]
        assert [
            (401, "application/json", {"error": "MissingCredentials", "status": 401}),
            (403, "application/json", {"error": "AuthorizationError", "status": 403}),
        ] == [(answer.status_code, answer.content_type, answer.json) for answer in answers]

    def test_a_view_that_refuses(self, app: Flask, user: Headers) -> None:
        """What a view finds out by asking the gate is said the same way."""

        @app.get("/require")
        def view() -> str:
            current_admission.require(any_role("admin"))
            return "in"

        assert {"error": "AuthorizationError", "status": 403} == app.test_client().get(
            "/require", headers=user
        ).json

    def test_the_headers_stand(self, app: Flask, gate: Gate) -> None:
        """Challenge and ``Cache-Control`` are those of a refusal without words."""
        plain = Flask("plain")
        AuthGate(plain, gate=gate, default=is_user)
        plain.add_url_rule("/", view_func=lambda: "in")

        def headers(of: Flask) -> list[str]:
            answer = of.test_client().get("/")
            return [answer.headers[name] for name in ("WWW-Authenticate", "Cache-Control")]

        assert headers(plain) == headers(app)

    def test_retry_after_stands(self, config: GateConfig, user: Headers) -> None:
        """An outage is still one."""

        class Down:
            def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
                raise RevocationUnavailable("down", retry_after=30.0)

        app = Flask("orders")
        broken = GateConfig(issuers=config.issuers, revocation=Down())
        AuthGate(app, config=broken, on_refusal=in_their_own_words, default=is_user)
        app.add_url_rule("/", view_func=lambda: "in")
        answer = app.test_client().get("/", headers=user)
        assert (503, {"error": "RevocationUnavailable", "status": 503}) == (answer.status_code, answer.json)
        assert 30 <= int(answer.headers["Retry-After"]) <= 45

    def test_none_leaves_the_problem(self, gate: Gate) -> None:
        """An application may have words for some refusals only."""
        app = Flask("orders")
        AuthGate(app, gate=gate, on_refusal=lambda error, problem: None, default=is_user)
        app.add_url_rule("/", view_func=lambda: "in")
        answer = app.test_client().get("/")
        assert answer.json is not None
        assert ("application/problem+json", "credentials_missing") == (
            answer.content_type,
            answer.json["code"],
        )

    def test_error_handlers_see_it(self, app: Flask) -> None:
        """They run as ever, and what they may send on is in the application's words."""
        seen: list[object] = []

        @app.errorhandler(401)
        def note(error: HTTPException) -> HTTPException:
            seen.extend((isinstance(error, MissingCredentials), error.description, error.get_response().json))
            return error

        answer = app.test_client().get("/")
        body = {"error": "MissingCredentials", "status": 401}
        assert ([True, MissingCredentials.detail, body], body) == (seen, answer.json)

    def test_a_mistake_in_it_is_a_bug(self, gate: Gate) -> None:
        """Law 1.3: it reaches Flask as itself, and nobody is let in."""

        def mistaken(error: AuthgateError, problem: Problem) -> Mapping[str, Any]:
            raise ZeroDivisionError

        app = Flask("orders")
        AuthGate(app, gate=gate, on_refusal=mistaken, default=is_user)
        app.add_url_rule("/", view_func=lambda: "in")
        assert 500 == app.test_client().get("/").status_code
        app.testing = True
        with pytest.raises(ZeroDivisionError):
            app.test_client().get("/")

    def test_each_application_has_its_own(self, gate: Gate) -> None:
        """Of two on one gate, each speaks for itself."""
        apps = [Flask("one"), Flask("two")]
        AuthGate(apps[0], gate=gate, on_refusal=lambda error, problem: {"app": "one"}, default=is_user)
        AuthGate(apps[1], gate=gate, on_refusal=lambda error, problem: {"app": "two"}, default=is_user)
        for app in apps:
            app.add_url_rule("/", view_func=lambda: "in")
        assert [{"app": "one"}, {"app": "two"}] == [app.test_client().get("/").json for app in apps]

    @pytest.mark.parametrize("wrong", ["words", 7])
    def test_it_is_a_function(self, wrong: object) -> None:
        """Law 1.6: found when the extension is made."""
        with pytest.raises(ConfigurationError, match="on_refusal: "):
            AuthGate(on_refusal=wrong)  # type: ignore[arg-type]  # the mistake under test

    def test_it_is_not_async(self) -> None:
        """Nobody would await it."""

        async def words(error: AuthgateError, problem: Problem) -> Mapping[str, Any]:
            return {}

        with pytest.raises(ConfigurationError, match="not async"):
            AuthGate(on_refusal=words)  # type: ignore[arg-type]  # the mistake under test


class TestExplaining:
    """Law 10.3: on the developer's own machine the reason is in the body."""

    @pytest.fixture
    def ask(self, config: GateConfig, bearer: Callable[..., Headers]) -> Callable[..., TestResponse]:
        """Asks an application that explains with a token for somebody else; the arguments are the peer's."""
        app = Flask("orders")
        AuthGate(app, config=GateConfig(issuers=config.issuers, explain=True))
        app.add_url_rule("/", "index", requires(is_user)(lambda: "in"))

        @app.get("/require")
        @requires(is_user)
        def view() -> str:
            current_admission.require(any_role("admin"))
            return "in"

        def ask(path: str = "/", peer: str = "127.0.0.1", **headers: str) -> TestResponse:
            presented = bearer() if path == "/require" else bearer(aud="another-api")
            return app.test_client().get(
                path, headers=presented | headers, environ_overrides={"REMOTE_ADDR": peer}
            )

        return ask

    @pytest.mark.parametrize("path", ["/", "/require"])
    def test_to_a_caller_on_this_machine(self, ask: Callable[..., TestResponse], path: str) -> None:
        """Whether a guard refused or the view did."""
        body = ask(path).json
        assert body is not None
        assert {"reason", "reason_code"} <= body.keys()

    @pytest.mark.parametrize(
        ("peer", "headers"),
        [
            ("192.0.2.7", {}),
            ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}),
            ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}),
        ],
    )
    def test_to_nobody_else(self, ask: Callable[..., TestResponse], peer: str, headers: Headers) -> None:
        """Not to another machine, nor through a proxy on this one, whatever it claims."""
        body = ask("/", peer, **headers).json
        assert body is not None
        assert set() == {"reason", "reason_code"} & body.keys()

    def test_unless_it_is_switched_off(self, app: Flask) -> None:
        """As it is by default."""
        body = app.test_client().get("/").json
        assert body == {"error": "MissingCredentials", "status": 401}
