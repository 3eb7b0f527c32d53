"""Tokens in cookies, in Flask (Law 2.9)."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from authgate_core import Cookies, Gate, GateConfig, is_user
from authgate_core.testing import FakeIssuer
from authgate_flask import AuthGate, current_user, requires


@pytest.fixture
def client(config: GateConfig) -> Iterator[FlaskClient]:
    """Asks an application that reads cookies."""
    app = Flask("orders")
    with Gate(replace(config, cookies=Cookies())) as gate:
        AuthGate(app, gate=gate)

        @app.route("/orders", methods=["GET", "POST"])
        @requires(is_user)
        def orders() -> dict[str, str]:
            return {"id": current_user.id}

        yield app.test_client()


@pytest.fixture
def kept(client: FlaskClient, issuer: FakeIssuer) -> FlaskClient:
    """A browser that is logged in."""
    client.set_cookie("__Host-auth_access", issuer.token("u1"), secure=True)
    client.set_cookie("__Host-auth_csrf", "c1", secure=True)
    return client


BASE = "https://localhost"


class TestCookies:
    def test_reading(self, kept: FlaskClient) -> None:
        """The cookie says who the user is, and caches are told so (Law 1.7)."""
        response = kept.get("/orders", base_url=BASE)

        assert (200, {"id": "u1"}) == (response.status_code, response.json)
        assert "Cookie" in response.headers["Vary"]

    def test_changing(self, kept: FlaskClient) -> None:
        """A POST repeats the CSRF value, or is refused."""
        confirmed = kept.post("/orders", base_url=BASE, headers={"X-CSRF-Token": "c1"})
        forged = kept.post("/orders", base_url=BASE)

        assert (200, 403) == (confirmed.status_code, forged.status_code)
        assert (forged.json or {})["code"] == "cross_site"

    def test_beside_a_header(self, kept: FlaskClient, issuer: FakeIssuer) -> None:
        """Two tokens are malformed."""
        bearer = {"Authorization": f"Bearer {issuer.token('u2')}"}

        assert kept.get("/orders", base_url=BASE, headers=bearer).status_code == 400

    def test_nobody(self, client: FlaskClient) -> None:
        """Without a cookie nothing is presented."""
        assert client.post("/orders", base_url=BASE).status_code == 401
