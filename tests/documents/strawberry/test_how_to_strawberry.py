"""The page about GraphQL, docs/how-to/graphql.md: what it shows of Strawberry runs."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
from starlette.testclient import TestClient

from authgate_core.testing import FakeIssuer
from tests.support.pages import pasted


class TestStrawberry:
    def test_the_schema(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Open, closed, closed by default, hidden, and a view of subscriptions that takes the schema."""
        module = ModuleType("pasted")
        monkeypatch.setitem(sys.modules, "pasted", module)  # Strawberry looks there for what annotations name
        with FakeIssuer(audience="orders-api") as issuer:
            real = {"https://id.example.com": issuer.url}
            names = pasted("graphql.md", 0, 2, real=real, names=vars(module))
            reader = {"Authorization": f"Bearer {issuer.token('u1', scope='orders:read')}"}
            nobody = {"Authorization": f"Bearer {issuer.token('u1')}"}
            with TestClient(names["app"]) as client:

                def ask(query: str, headers: dict[str, str] | None = None) -> Any:
                    return client.post("/graphql", json={"query": query}, headers=headers).json()

                assert {"status": "up"} == ask("{ status }")["data"]
                assert "UNAUTHENTICATED" == ask("{ me }")["errors"][0]["extensions"]["code"]
                assert {"me": "u1"} == ask("{ me }", nobody)["data"]
                seen = {"orders": [{"number": 7, "margin": None}]}
                assert seen == ask("{ orders { number margin } }", reader)["data"]
                (error,) = ask("{ orders { number } }", nobody)["errors"]
                assert ["orders:read"] == error["extensions"]["missing"]
        assert names["Router"](names["schema"]).connection_policy == names["ag"].is_user
