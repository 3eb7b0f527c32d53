"""An application behind a real nginx, which asks the provider about opaque tokens and signs what it is told."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator

import httpx2
import pytest
from flask import Flask, request

import authgate_core as ag
import authgate_flask as afl
from demo.serving import serve_wsgi
from tests.integration.parts.gateways import KEY, nginx
from tests.integration.parts.provider import AUDIENCE, OpenIdProvider

SPOOFED = {
    "X-Token-Verified": "true",
    "X-User-Id": "root",
    "X-User-Roles": "admin",
    "X_User_Id": "root",
    "X-Authz-Signature": "bm9ib2R5",
}


@pytest.fixture(scope="module")
def entrance(openid: OpenIdProvider) -> Iterator[httpx2.Client]:
    """The address of an nginx with an application behind it: ``/told`` is open, ``/orders`` is not."""
    app = Flask("orders", static_folder=None)
    issuer = ag.Issuer.oidc(openid.url, audience=AUDIENCE)
    afl.AuthGate(app, config=ag.GateConfig(issuers=[issuer]), default=ag.is_user)

    @app.get("/orders")
    def orders() -> str:
        return "orders"

    @app.get("/told")
    @afl.public
    def told() -> dict[str, str]:
        return {name.lower(): value for name, value in request.headers if name.startswith("X-") and value}

    client = ("orders-api", "orders-api-secret-for-tests-alone")
    with (
        serve_wsgi(app) as behind,
        nginx(behind, f"{openid.url}/token/introspection", client) as url,
        httpx2.Client(base_url=url, trust_env=False, timeout=10) as asking,
    ):
        yield asking


def asked(entrance: httpx2.Client, path: str, token: str, **headers: str) -> httpx2.Response:
    """What the application answers, if nginx lets a token pass."""
    return entrance.get(path, headers={"Authorization": f"Bearer {token}", **headers})


class TestWhatTheGatewaySays:
    def test_it_signs_whose_the_token_is(self, entrance: httpx2.Client, openid: OpenIdProvider) -> None:
        """The application is told the service and its scopes in headers of the first signed form, and nothing else."""
        told = asked(entrance, "/told?x=1", openid.token("opaque"), **SPOOFED).json()

        seconds, signature = told.pop("x-authz-ts"), told.pop("x-authz-signature")
        signed = f"billing||{seconds}|GET|/told".encode()
        mac = hmac.digest(KEY.encode(), signed, hashlib.sha256)
        assert base64.b64encode(mac).decode() == signature
        assert {
            "x-token-verified": "true",
            "x-auth-source": "kong",
            "x-client-id": "billing",
            "x-user-scopes": "orders:read",
            "x-service-name": "billing",
            "x-service-authenticated": "true",
        } == told

    def test_a_token_that_nobody_issued_does_not_arrive(self, entrance: httpx2.Client) -> None:
        """Whoever presents what the provider does not know is refused by nginx, whatever else they send."""
        assert 401 == asked(entrance, "/told", "nobody-issued-this", **SPOOFED).status_code


class TestAGateWithoutAGateway:
    def test_headers_of_a_gateway_mean_nothing_to_it(
        self, entrance: httpx2.Client, openid: OpenIdProvider
    ) -> None:
        """Law 2.7: a gate that was told of no gateway admits nobody by its headers."""
        assert 401 == asked(entrance, "/orders", openid.token("opaque")).status_code
