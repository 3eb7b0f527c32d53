"""The page about GraphQL, docs/how-to/graphql.md: what it shows of Graphene runs."""

from __future__ import annotations

from typing import Any

from authgate_core.testing import FakeIssuer
from tests.support.pages import pasted


class TestGraphene:
    def test_the_schema(self) -> None:
        """Open, closed, and closed by default."""
        with FakeIssuer(audience="orders-api") as issuer:
            app = pasted("graphql.md", 1, real={"https://id.example.com": issuer.url})["app"]
            client = app.test_client()
            reader = {"Authorization": f"Bearer {issuer.token('u1', scope='orders:read')}"}
            nobody = {"Authorization": f"Bearer {issuer.token('u1')}"}

            def ask(query: str, headers: dict[str, str] | None = None) -> Any:
                return client.post("/graphql", json={"query": query}, headers=headers).get_json()

            assert {"status": "up"} == ask("{ status }")["data"]
            assert "UNAUTHENTICATED" == ask("{ me }")["errors"][0]["extensions"]["code"]
            assert {"orders": [7], "me": "u1"} == ask("{ orders me }", reader)["data"]
            (error,) = ask("{ orders }", nobody)["errors"]
            assert ["orders:read"] == error["extensions"]["missing"]
            app.extensions["authgate"].gate.close()
