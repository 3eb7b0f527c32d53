"""``GateConfig(resource=...)``: an app says what it is called and where its tokens come from (RFC 9728)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

import authgate_core as ag
from authgate_fastapi import AuthGate, AuthMiddleware, CurrentUser

URL = "https://api.example.com/.well-known/oauth-protected-resource/orders"
PATH = "/.well-known/oauth-protected-resource/orders"


@pytest.fixture
def named(gate: ag.AsyncGate) -> ag.GateConfig:
    """A configuration that says what the API is called."""
    return replace(gate.config, resource="https://api.example.com/orders")


@pytest.fixture
def document(named: ag.GateConfig) -> dict[str, Any]:
    """What is served; Any because it is JSON."""
    return {
        "resource": "https://api.example.com/orders",
        "authorization_servers": [issuer.issuer for issuer in named.issuers],
        "bearer_methods_supported": ["header"],
    }


@pytest.fixture
def app(named: ag.GateConfig) -> FastAPI:
    """An app with that name, which refuses by default."""
    app = FastAPI()
    AuthGate(app, config=named, default=ag.is_user)
    return app


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client of it, with its lifespan."""
    with TestClient(app) as client:
        yield client


class TestServed:
    def test_to_anybody(self, client: TestClient, document: dict[str, Any]) -> None:
        """It is what a client reads before it has a token, whatever the default asks (Law 8.8)."""
        answer = client.get(PATH)
        assert (200, "application/json", document) == (
            answer.status_code,
            answer.headers["content-type"],
            answer.json(),
        )
        assert ("public, max-age=3600", "*") == (
            answer.headers["cache-control"],
            answer.headers["access-control-allow-origin"],
        )
        assert "vary" not in answer.headers

    def test_nothing_else_is(self, client: TestClient) -> None:
        """Neither to other methods nor at other paths."""
        assert 404 == client.post(PATH).status_code
        assert 404 == client.get("/.well-known/oauth-protected-resource").status_code

    @pytest.mark.parametrize("outside", [True, False])
    def test_past_middleware_that_guards_everything(
        self, named: ag.GateConfig, document: dict[str, Any], outside: bool
    ) -> None:
        """Whichever of the two was added last, and so stands outside."""
        app = FastAPI()
        if not outside:
            app.add_middleware(AuthMiddleware)
        AuthGate(app, config=named)
        if outside:
            app.add_middleware(AuthMiddleware)
        client = TestClient(app)
        assert document == client.get(PATH).json()
        assert 401 == client.get("/other").status_code

    @pytest.mark.parametrize("path", [PATH, f"/orders{PATH}"])
    def test_behind_a_proxy_that_takes_a_prefix_away(
        self, app: FastAPI, document: dict[str, Any], path: str
    ) -> None:
        """The address is that of the host; some servers put the prefix before every path again."""
        assert document == TestClient(app, root_path="/orders").get(path).json()

    def test_by_nobody_who_has_no_name(self, gate: ag.AsyncGate) -> None:
        """Without ``resource=`` there is no such address."""
        app = FastAPI()
        AuthGate(app, gate=gate)
        assert 404 == TestClient(app).get(PATH).status_code


class TestChallenges:
    def test_say_where_it_is(self, app: FastAPI, client: TestClient) -> None:
        """Law 1.1: so that a client finds its way from a 401."""

        @app.get("/me")
        async def me(user: CurrentUser) -> str:
            return user.id

        challenge = client.get("/me").headers["www-authenticate"]
        assert f'resource_metadata="{URL}"' in challenge
