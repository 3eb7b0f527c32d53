"""``GateConfig(resource=...)``: an application says what it is called and where its tokens come from (RFC 9728)."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Blueprint, Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from authgate_core import Gate, GateConfig, is_user
from authgate_flask import AuthGate, flask_jwt_auth, protect

URL = "https://api.example.com/.well-known/oauth-protected-resource/orders"
PATH = "/.well-known/oauth-protected-resource/orders"
DOCUMENT = {
    "resource": "https://api.example.com/orders",
    "authorization_servers": ["https://id.example.com"],
    "bearer_methods_supported": ["header"],
}


@pytest.fixture
def named(config: GateConfig) -> GateConfig:
    """A configuration that says what the API is called."""
    return replace(config, resource="https://api.example.com/orders")


@pytest.fixture
def gate(named: GateConfig) -> Iterator[Gate]:
    """A gate that is closed afterwards."""
    with Gate(named) as gate:
        yield gate


class TestServed:
    def test_to_anybody(self, app: Flask) -> None:
        """It is what a client reads before it has a token."""
        answer = app.test_client().get(PATH)
        assert (200, "application/json", DOCUMENT) == (answer.status_code, answer.content_type, answer.json)
        assert ("public, max-age=3600", "*") == (
            answer.headers["Cache-Control"],
            answer.headers["Access-Control-Allow-Origin"],
        )
        assert "Vary" not in answer.headers

    def test_without_a_body_to_head(self, app: Flask) -> None:
        """As any document."""
        answer = app.test_client().head(PATH)
        assert (200, b"") == (answer.status_code, answer.data)

    def test_nothing_else_is(self, app: Flask) -> None:
        """Neither to other methods nor at other paths."""
        client = app.test_client()
        assert 404 == client.post(PATH).status_code
        assert 404 == client.get("/.well-known/oauth-protected-resource").status_code

    def test_where_everything_is_guarded(self, gate: Gate) -> None:
        """Law 8.8: the default is about views, and this is none."""
        app = Flask("orders")
        AuthGate(app, gate=gate, default=is_user)
        blueprint = Blueprint("all", __name__)
        blueprint.add_url_rule("/<path:path>", view_func=lambda path: path)
        protect(blueprint, is_user)
        app.register_blueprint(blueprint)
        client = app.test_client()
        assert DOCUMENT == client.get(PATH).json
        assert 401 == client.get("/other").status_code

    def test_where_the_application_is_mounted(self, app: Flask) -> None:
        """A dispatcher takes the beginning of a path away; the address is that of the whole."""
        mounted = Client(DispatcherMiddleware(Flask("root"), {"/.well-known": app.wsgi_app}))
        assert DOCUMENT == mounted.get(PATH).json

    def test_by_nobody_who_has_no_name(self, config: GateConfig) -> None:
        """Without ``resource=`` there is no such address."""
        app = Flask("orders")
        AuthGate(app, config=config)
        assert 404 == app.test_client().get(PATH).status_code


class TestChallenges:
    def test_say_where_it_is(self, app: Flask) -> None:
        """Law 1.1: so that a client finds its way from a 401."""
        app.add_url_rule("/", view_func=flask_jwt_auth()(lambda: "in"))
        challenge = app.test_client().get("/").headers["WWW-Authenticate"]
        assert f'Bearer realm="api", resource_metadata="{URL}"' == challenge
