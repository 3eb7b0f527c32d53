"""Tokens in cookies, where GraphQL is asked (Law 2.9)."""

from dataclasses import replace
from typing import Any

import pytest
import strawberry
from fastapi import FastAPI
from flask import Flask
from starlette.testclient import TestClient
from strawberry.fastapi import GraphQLRouter
from strawberry.flask.views import GraphQLView

from authgate_core import AsyncGate, Cookies, Gate, GateConfig, Issuer, is_user
from authgate_core.testing import FakeIssuer
from authgate_fastapi import AuthGate as FastAPIAuthGate
from authgate_flask import AuthGate as FlaskAuthGate
from authgate_graphql.strawberry import requires

PAGE = "https://app.example.com"
QUERY = "{ me }"


@strawberry.type
class Query:
    """One guarded field."""

    @strawberry.field(permission_classes=[requires(is_user)])
    def me(self) -> str:
        """Whoever may see it."""
        return "you"


SCHEMA = strawberry.Schema(Query)


@pytest.fixture(scope="module")
def issuer() -> FakeIssuer:
    """An issuer."""
    return FakeIssuer(url="https://id.test")


@pytest.fixture(scope="module")
def config(issuer: FakeIssuer) -> GateConfig:
    """What reads cookies."""
    trusted = Issuer.static(issuer.jwks(), issuer=issuer.url, audience=issuer.audience)
    return GateConfig(issuers=[trusted], cookies=Cookies(origins=(PAGE,)))


class Browser:
    """Asks an application as a page of some site would.

    Args:
        config: Of its gate.
        token: What the user is logged in with.
        flask: Whether it is of Flask.
    """

    def __init__(self, config: GateConfig, token: str, *, flask: bool) -> None:
        self._cookies = {"__Host-auth_access": token, "__Host-auth_csrf": "c1"}
        self._flask = flask
        self._app = self._of_flask(config) if flask else self._of_fastapi(config)

    @staticmethod
    def _of_flask(config: GateConfig) -> Any:
        app = Flask("orders")
        FlaskAuthGate(app, gate=Gate(config))
        app.add_url_rule("/graphql", view_func=GraphQLView.as_view("graphql", schema=SCHEMA))
        return app

    @staticmethod
    def _of_fastapi(config: GateConfig) -> Any:
        app = FastAPI()
        FastAPIAuthGate(app, gate=AsyncGate(config))
        app.include_router(GraphQLRouter(SCHEMA), prefix="/graphql")
        return app

    def ask(self, method: str, **headers: str) -> Any:
        """What is answered to the query."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        how: dict[str, Any] = {"params": {"query": QUERY}} if method == "GET" else {"json": {"query": QUERY}}
        if not self._flask:
            client = TestClient(self._app, base_url="https://testserver", cookies=self._cookies)
            return client.request(method, "/graphql", headers=named, **how).json()
        if "params" in how:
            how["query_string"] = how.pop("params")
        named["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        return (
            self._app.test_client(use_cookies=False)
            .open("/graphql", method=method, headers=named, **how)
            .json
        )


@pytest.fixture(params=["flask", "fastapi"])
def browser(request: pytest.FixtureRequest, config: GateConfig, issuer: FakeIssuer) -> Browser:
    """A browser in front of each kind of application."""
    return Browser(config, issuer.token("u1"), flask=request.param == "flask")


class TestByGet:
    def test_of_our_page(self, browser: Browser) -> None:
        """A page whose origin is listed is answered."""
        assert browser.ask("GET", Origin=PAGE) == {"data": {"me": "you"}}

    @pytest.mark.parametrize(
        "headers", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"X_CSRF_Token": "c1"}]
    )
    def test_of_another(self, browser: Browser, headers: dict[str, str]) -> None:
        """Any other is refused: what a GET could do in GraphQL, it does not do for the user."""
        (error,) = browser.ask("GET", **headers)["errors"]

        assert error["extensions"]["code"] == "FORBIDDEN"


class TestByPost:
    def test_confirmed(self, browser: Browser) -> None:
        """A POST repeats the CSRF value, from whatever page."""
        assert browser.ask("POST", X_CSRF_Token="c1") == {"data": {"me": "you"}}

    def test_not_confirmed(self, browser: Browser) -> None:
        """Else it is refused, also from a page that is listed."""
        (error,) = browser.ask("POST", Origin=PAGE)["errors"]

        assert error["extensions"]["code"] == "FORBIDDEN"


class TestWithoutCookies:
    def test_a_token_in_a_header(self, config: GateConfig, issuer: FakeIssuer) -> None:
        """Where no cookie counts, a GET needs no origin."""
        browser = Browser(replace(config, cookies=None), "", flask=False)

        bearer = {"Authorization": f"Bearer {issuer.token('u1')}"}
        assert browser.ask("GET", **bearer) == {"data": {"me": "you"}}
