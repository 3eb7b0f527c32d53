"""authgate behind a real Envoy, which verifies tokens and passes them on."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest
from flask import Flask, request

import authgate_core as ag
import authgate_flask as afl
from demo.serving import serve_wsgi
from tests.integration.parts.gateways import envoy
from tests.integration.parts.provider import AUDIENCE, OpenIdProvider


@pytest.fixture(scope="module")
def entrance(openid: OpenIdProvider) -> Iterator[httpx2.Client]:
    """The address of an Envoy with an application behind it."""
    issuer = ag.Issuer.oidc(openid.url, audience=AUDIENCE)
    app = Flask("orders", static_folder=None)
    afl.AuthGate(app, config=ag.GateConfig(issuers=[issuer]), default=ag.is_user)

    @app.get("/orders")
    def orders() -> dict[str, object]:
        return {"by": afl.current_user.id, "said": request.headers.get("X-User-Id")}

    with (
        serve_wsgi(app) as behind,
        envoy(behind, openid.url, AUDIENCE) as url,
        httpx2.Client(base_url=url, trust_env=False, timeout=10) as client,
    ):
        yield client


def asked(entrance: httpx2.Client, token: str, **headers: str) -> httpx2.Response:
    """What the application answers, if Envoy lets a token pass."""
    return entrance.get("/orders", headers={"Authorization": f"Bearer {token}", **headers})


class TestPassedOn:
    def test_a_token_passes_both(self, entrance: httpx2.Client, openid: OpenIdProvider) -> None:
        """Law 2.7: what Envoy verified authgate verifies again, and a header that names somebody is not heard."""
        answer = asked(entrance, openid.token("RS256"), **{"X-User-Id": "root"})

        assert {"by": "billing", "said": None} == answer.json()

    def test_no_token_does_not_arrive(self, entrance: httpx2.Client) -> None:
        """Whoever presents nothing is refused by Envoy."""
        assert 401 == entrance.get("/orders", headers={"X-User-Id": "root"}).status_code
