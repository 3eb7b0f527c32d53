"""What users of the older FastAPI client have, with only the import line changed: on Keycloak, and behind nginx."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from fastapi import Depends, FastAPI

import authgate_core as ag
from authgate_fastapi import AuthGate
from authgate_fastapi.compat.auth_gate import (
    AuthContext,
    AuthMiddleware,
    ServiceContext,
    UserContext,
    get_current_auth,
    get_current_service,
    get_current_user,
    require_admin,
    require_roles,
)
from demo.serving import serve_asgi
from tests.integration.parts.gateways import KEY, nginx
from tests.integration.parts.keycloak import AUDIENCE, SECRETS, Keycloak


def direct(keycloak: Keycloak) -> ag.GateConfig:
    """The variables of a service that asks Keycloak itself."""
    return ag.GateConfig.from_mapping(
        {
            "AUTHGATE_PROFILE": "keycloak",
            "AUTH_MODE": "direct_keycloak",
            "KEYCLOAK_REALM_URL": keycloak.realm,
            "KEYCLOAK_CLIENT_ID": AUDIENCE,
            "KEYCLOAK_CLIENT_SECRET": SECRETS[AUDIENCE],
        }
    )


def behind_kong(_: Keycloak) -> ag.GateConfig:
    """What a service says that stands behind a gateway which asks Keycloak."""
    gateway = ag.Gateway.kong(hmac_key=KEY, peers=["127.0.0.1"], server_shows_peer=True)
    return ag.GateConfig(gateway=gateway, roles=ag.RoleHierarchy(every=frozenset({"admin"})))


def older_app(config: ag.GateConfig) -> FastAPI:
    """The application."""
    app = FastAPI()
    AuthGate(app, config=config)
    app.add_middleware(AuthMiddleware, excluded_paths={"/health"})
    require_customer = require_roles("customer", "supplier")

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "healthy"}

    @app.get("/profile")
    async def profile(user: UserContext = Depends(get_current_user)) -> dict[str, Any]:
        return {"username": user.username, "customer": "customer" in user.roles}

    @app.get("/sync")
    async def sync(service: ServiceContext = Depends(get_current_service)) -> dict[str, Any]:
        return {"service": service.service_name}

    @app.get("/data")
    async def data(auth: AuthContext = Depends(get_current_auth)) -> dict[str, Any]:
        return {"is_service": auth.is_service}

    @app.get("/customers")
    async def customers(auth: AuthContext = Depends(require_customer)) -> bool:
        return auth.is_service

    @app.get("/admin")
    async def admin(auth: AuthContext = Depends(require_admin)) -> bool:
        return auth.is_admin

    return app


@dataclass(frozen=True)
class House:
    """The application, as its callers reach it.

    Args:
        client: What it is asked with.
        keycloak: Whose tokens they bring.
    """

    client: httpx2.Client
    keycloak: Keycloak

    def user(self, name: str, path: str) -> httpx2.Response:
        """What it answers a user."""
        return self.asked(self.keycloak.user_token(name), path)

    def asked(self, token: str, path: str) -> httpx2.Response:
        """What it answers who brings a token."""
        return self.client.get(path, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture(scope="module", params=[direct, behind_kong])
def house(request: pytest.FixtureRequest, running_keycloak: Keycloak) -> Iterator[House]:
    """The application on uvicorn, with Keycloak behind it or nginx in front of it."""
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(serve_asgi(older_app(request.param(running_keycloak))))
        if request.param is behind_kong:
            client = (AUDIENCE, SECRETS[AUDIENCE])
            url = stack.enter_context(nginx(url, running_keycloak.introspection_url, client))
        asking = httpx2.Client(base_url=url, trust_env=False, timeout=30)
        yield House(stack.enter_context(asking), running_keycloak)


class TestOlderClient:
    def test_a_user_is_who_they_are(self, house: House) -> None:
        """Law 9.1: with the name and the roles that Keycloak has."""
        assert {"username": "ada", "customer": True} == house.user("ada", "/profile").json()

    def test_a_service_account_is_a_service(self, house: House) -> None:
        """Law 3.13: and no user."""
        token = house.keycloak.service_token()

        assert {"is_service": True} == house.asked(token, "/data").json()
        assert "billing" in house.asked(token, "/sync").json()["service"]
        assert 403 == house.asked(token, "/profile").status_code

    def test_roles_open_what_they_opened(self, house: House) -> None:
        """Law 8.1: any of the named ones does, and an admin has them all."""
        assert [200, 200] == [house.user(name, "/customers").status_code for name in ("ada", "grace")]
        assert 403 == house.asked(house.keycloak.service_token(), "/customers").status_code
        assert [403, 200] == [house.user(name, "/admin").status_code for name in ("ada", "grace")]

    def test_who_presents_nothing_is_told_so(self, house: House) -> None:
        """Law 1.1: with 401, and the path that is left alone answers all the same."""
        assert [401, 401] == [
            house.client.get("/data").status_code,
            house.asked("nothing", "/data").status_code,
        ]
