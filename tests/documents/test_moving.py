"""The pages for who comes from an older client: the examples run, and the pages name what there is."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from fastapi.testclient import TestClient

import authgate_core as ag
import authgate_fastapi
from authgate_core.testing import FakeIssuer
from authgate_fastapi.compat import auth_gate
from tests.support.pages import HOW_TO, pasted
from tests.support.valkey import valkey

ADA = "7a1c0d6e-2f57-4b5b-9c4e-0123456789ab"


@pytest.fixture(name="realm")
def _realm(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeIssuer]:
    """A realm that publishes its keys where Keycloak does, and the variables that name it."""
    with FakeIssuer(audience="orders-api") as realm:
        realm.answer(json.dumps(realm.jwks()).encode(), paths=["/protocol/openid-connect/certs"])
        for name, value in {
            "AUTHGATE_PROFILE": "keycloak",
            "AUTH_MODE": "local_keycloak",
            "KEYCLOAK_REALM_URL": realm.url,
            "KEYCLOAK_CLIENT_ID": "orders-api",
        }.items():
            monkeypatch.setenv(name, value)
        yield realm


def bearer(issuer: FakeIssuer, subject: str = "u1", **shape: Any) -> dict[str, str]:
    """The header that presents a token."""
    return {"Authorization": f"Bearer {issuer.token(subject, **shape)}"}


class TestFastapiClient:
    """docs/how-to/move-from-the-fastapi-client.md."""

    PAGE = "move-from-the-fastapi-client.md"

    def test_the_application(self, realm: FakeIssuer) -> None:
        """Open, closed by the middleware, by role and by scope; an admin is every role."""
        user = {"typ": "Bearer", "preferred_username": "ada", "scope": "orders:read"}
        admin: dict[str, Any] = {"typ": "Bearer", "realm_access": {"roles": ["admin"]}}
        with TestClient(pasted(self.PAGE, 0)["app"]) as client:
            assert 200 == client.get("/health").status_code
            assert 401 == client.get("/profile").status_code
            shown = client.get("/profile", headers=bearer(realm, **user)).json()
            assert {"id": "u1", "name": "ada", "admin": False} == shown
            assert 200 == client.get("/orders", headers=bearer(realm, **user)).status_code
            assert 403 == client.get("/reports", headers=bearer(realm, **user)).status_code
            assert 200 == client.get("/reports", headers=bearer(realm, **admin)).status_code

    def test_a_bypass_does_not_start(self, realm: FakeIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
        """It says what to use instead."""
        monkeypatch.setenv("AUTH_MODE", "bypass")
        with pytest.raises(ag.ConfigurationError, match=r"authgate_core\.testing"):
            pasted(self.PAGE, 0)

    def test_the_names_of_the_table_are_there(self) -> None:
        """On either side."""
        text = (HOW_TO / self.PAGE).read_text("utf-8")
        old = {"get_current_user", "get_current_auth", "get_optional_user", "require_roles", "UserValidator"}
        old |= {"ServiceAuthClient"}
        assert old <= {*auth_gate.__all__} & {*re.findall(r"\w+", text)}
        new = {"CurrentUser", "CurrentPrincipal", "OptionalUser", "requires", "OLDER_EXCLUSIONS"}
        assert new <= {*authgate_fastapi.__all__} & {*re.findall(r"\w+", text)}


class TestM8Client:
    """docs/how-to/move-from-the-m8-client.md."""

    def test_the_application(self) -> None:
        """By the ranks of roles; a token on the blacklist is refused, and so is a user who is not active."""
        ada: dict[str, Any] = {"type": "access", "email": "ada@example.com", "is_active": True}
        ada |= {"avatar": "a.png", "headers": {"typ": "JWT"}}
        with FakeIssuer(audience="orders-api") as issuer, valkey() as server:
            real = {
                "https://users.example.com/.well-known/jwks.json": issuer.jwks_url,
                "https://users.example.com": issuer.url,
                "localhost:6379": f"127.0.0.1:{server.port}",
            }
            with TestClient(pasted("move-from-the-m8-client.md", 0, real=real)["app"]) as client:
                writer = bearer(issuer, ADA, jti="j-1", role="admin", **ada)
                shown = client.get("/me", headers=writer).json()
                assert {"id": ADA, "email": "ada@example.com", "avatar": "a.png"} == shown
                assert 200 == client.post("/orders", headers=writer).status_code
                reader = bearer(issuer, ADA, role="reader", **ada)
                assert 403 == client.post("/orders", headers=reader).status_code
                barred = bearer(issuer, ADA, role="admin", **{**ada, "is_active": False})
                assert 403 == client.get("/me", headers=barred).status_code
                with redis.Redis(port=server.port) as blacklist:
                    blacklist.set("jwt:blacklist:j-1", "1")
                assert 401 == client.get("/me", headers=writer).status_code


class TestOverview:
    """docs/how-to/move-from-older-clients.md."""

    def test_every_module_is_there_and_every_page(self) -> None:
        """Those of GraphQL need a library, and their own tests import them."""
        text = (HOW_TO / "move-from-older-clients.md").read_text("utf-8")
        modules = {name for name in re.findall(r"`(authgate_[\w.]+)`", text) if "graphql" not in name}

        assert 5 <= len([importlib.import_module(name) for name in modules])
        pages = re.findall(r"\]\(([\w-]+\.md)", text)
        assert [] == [page for page in pages if not (HOW_TO / page).exists()]
