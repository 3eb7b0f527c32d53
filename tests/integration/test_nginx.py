"""authgate behind a real nginx, which asks the provider about tokens and signs what it is told, as with Kong."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from flask import Flask

import authgate_core as ag
import authgate_fastapi as af
import authgate_flask as afl
from demo.serving import serve_asgi, serve_wsgi
from tests.integration.parts.gateways import KEY, nginx
from tests.integration.parts.provider import CLIENT, OpenIdProvider

SPOOFED = {
    "X-User-Id": "root",
    "X_User_Id": "root",
    "X-User-Roles": "admin",
    "X-Service-Roles": "admin",
    "X-Authz-Signature": "bm9ib2R5",
}


@dataclass(frozen=True)
class House:
    """An application on a server, and an nginx in front of it.

    Args:
        client: What they are asked with.
        door: The address of nginx.
        behind: The address of the application itself.
    """

    client: httpx2.Client
    door: str
    behind: str

    def orders(self, token: str) -> httpx2.Response:
        """What nginx answers to who brings a token."""
        headers = {"Authorization": f"Bearer {token}", **SPOOFED}
        return self.client.get(f"{self.door}/orders?x=1", headers=headers)


def config() -> ag.GateConfig:
    """A gate that believes nginx, and asks for its signature besides."""
    gateway = ag.Gateway.kong(
        hmac_key=KEY, peers=["127.0.0.1"], server_drops_underscores=True, server_shows_peer=True
    )
    return ag.GateConfig(gateway=gateway)


def on_flask() -> AbstractContextManager[str]:
    """An application on waitress."""
    app = Flask("orders", static_folder=None)
    afl.AuthGate(app, config=config(), default=ag.is_service)

    @app.get("/orders")
    def orders() -> dict[str, Any]:
        service = afl.current_service
        return {"by": service.id, "may": service.scopes, "roles": service.roles}

    return serve_wsgi(app)


def on_fastapi() -> AbstractContextManager[str]:
    """The same on uvicorn."""
    app = FastAPI()
    af.AuthGate(app, config=config())

    @app.get("/orders")
    async def orders(service: af.CurrentService) -> dict[str, Any]:
        return {"by": service.id, "may": service.scopes, "roles": service.roles}

    return serve_asgi(app)


@pytest.fixture(scope="module", params=[on_flask, on_fastapi])
def house(request: pytest.FixtureRequest, openid: OpenIdProvider) -> Iterator[House]:
    """An application on a server of either kind, behind nginx."""
    served: Callable[[], AbstractContextManager[str]] = request.param
    with contextlib.ExitStack() as stack:
        behind = stack.enter_context(served())
        door = stack.enter_context(nginx(behind, f"{openid.url}/token/introspection", CLIENT))
        yield House(stack.enter_context(httpx2.Client(trust_env=False, timeout=10)), door, behind)


class TestThroughNginx:
    def test_whose_an_opaque_token_is_arrives(self, house: House, openid: OpenIdProvider) -> None:
        """Law 2.7: the application knows the service and its scopes, whatever else the caller says of themselves."""
        assert {"by": "billing", "may": ["orders:read"], "roles": []} == house.orders(
            openid.token("opaque")
        ).json()

    def test_a_revoked_token_does_not_arrive(self, house: House, openid: OpenIdProvider) -> None:
        """What the provider calls inactive is refused by nginx."""
        token = openid.token("opaque")
        openid.revoke(token)

        assert 401 == house.orders(token).status_code

    def test_a_token_that_nobody_issued_does_not_arrive(self, house: House) -> None:
        """Nor is what it does not know."""
        assert 401 == house.orders("nobody-issued-this").status_code


class TestAroundNginx:
    def test_unsigned_headers_are_nobody(self, house: House) -> None:
        """Law 2.7: who reaches the application from nginx's own address is nobody without its signature."""
        headers = {"X-Token-Verified": "true", "X-Service-Name": "billing", "X-Service-Authenticated": "true"}

        assert 401 == house.client.get(f"{house.behind}/orders", headers=headers).status_code
