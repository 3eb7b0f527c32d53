"""Keycloak, which tells applications when sessions end (OpenID Connect Back-Channel Logout 1.0)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import httpx2
import pytest
from fastapi import FastAPI
from flask import Flask

import authgate_core as ag
import authgate_fastapi as af
import authgate_flask as afl
from demo.serving import serve_asgi, serve_wsgi
from tests.integration.parts.keycloak import AUDIENCE, Keycloak

CLIENT = "shop-web"


def config(keycloak: Keycloak) -> ag.GateConfig:
    """Tokens are verified here, and what has ended is remembered."""
    issuer = ag.Issuer.keycloak(keycloak.realm, audience=AUDIENCE, logout_clients=[CLIENT])
    return ag.GateConfig(issuers=[issuer], revocation=ag.MemoryRevocation())


def on_flask(keycloak: Keycloak) -> AbstractContextManager[str]:
    """An application on waitress."""
    app = Flask("orders", static_folder=None)
    afl.AuthGate(app, config=config(keycloak), default=ag.is_user)
    app.post("/logged-out")(afl.backchannel_logout)

    @app.get("/orders")
    def orders() -> str:
        return "orders"

    return serve_wsgi(app)


def on_fastapi(keycloak: Keycloak) -> AbstractContextManager[str]:
    """The same on uvicorn."""
    app = FastAPI()
    af.AuthGate(app, config=config(keycloak))
    app.post("/logged-out")(af.backchannel_logout)

    @app.get("/orders", dependencies=[af.requires(ag.is_user)])
    async def orders() -> str:
        return "orders"

    return serve_asgi(app)


@dataclass(frozen=True)
class House:
    """The application, as its callers reach it.

    Args:
        client: What it is asked with.
    """

    client: httpx2.Client

    def orders(self, token: str) -> int:
        """How it answers who brings a token."""
        return self.client.get("/orders", headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.fixture(params=[on_flask, on_fastapi])
def house(request: pytest.FixtureRequest, running_keycloak: Keycloak) -> Iterator[House]:
    """An application on a server of either kind, which Keycloak knows the address of."""
    served: Callable[[Keycloak], AbstractContextManager[str]] = request.param
    with served(running_keycloak) as url, httpx2.Client(base_url=url, trust_env=False, timeout=30) as client:
        running_keycloak.tell_logouts(CLIENT, f"{url}/logged-out")
        yield House(client)


class TestLoggedOut:
    def test_a_session_that_ended_is_over_at_once(self, house: House, running_keycloak: Keycloak) -> None:
        """Law 5.2: its tokens are refused, though they verify; those of other sessions go on."""
        ended, other = running_keycloak.code_token("grace"), running_keycloak.code_token("ada")
        assert [200, 200] == [house.orders(token) for token in (ended, other)]

        running_keycloak.log_out("grace")

        assert [401, 200] == [house.orders(token) for token in (ended, other)]

    def test_nobody_else_can_say_so(self, house: House, running_keycloak: Keycloak) -> None:
        """Law 5.2: an access token of the realm is no logout token, and ends nothing."""
        token = running_keycloak.code_token("ada")

        answer = house.client.post("/logged-out", data={"logout_token": token})

        assert (400, 200) == (answer.status_code, house.orders(token))
