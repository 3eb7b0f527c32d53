"""The README and the example: what they show of Strawberry runs, and does what the text around it says."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from strawberry.fastapi import GraphQLRouter

from authgate_core.testing import FakeIssuer
from authgate_fastapi import AuthGate
from authgate_graphql.compat.mercury.older import ENVIRONMENT

ROOT = Path(__file__).parents[4]
READMES = [ROOT / "packages/authgate-graphql/README.md", ROOT / "README.md"]
SNIPPETS = [
    snippet
    for readme in READMES
    for snippet in re.findall(r"```python\n(.*?)```", readme.read_text("utf-8"), re.DOTALL)
]


@pytest.fixture(name="issuer")
def _issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeIssuer]:
    with FakeIssuer(audience="orders-api") as issuer:
        monkeypatch.setenv("AUTHGATE_ISSUER", issuer.url)
        monkeypatch.setenv("AUTHGATE_AUDIENCE", "orders-api")
        yield issuer


@pytest.fixture(name="pasted")
def _pasted(issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, Any]]:
    """Runs the one snippet that holds a text, as a module, and gives its names."""

    def paste(text: str) -> dict[str, Any]:
        (snippet,) = (snippet for snippet in SNIPPETS if text in snippet)
        module = ModuleType("pasted")
        monkeypatch.setitem(sys.modules, "pasted", module)  # Strawberry looks there for what annotations name
        exec(
            compile(snippet.replace("https://id.example.com", issuer.url), "README.md", "exec"), vars(module)
        )
        return vars(module)

    return paste


def asked(app: FastAPI, query: str, token: str | None = None) -> dict[str, Any]:
    """What the app answers."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    with TestClient(app) as client:
        answer: dict[str, Any] = client.post("/graphql", json={"query": query}, headers=headers).json()
    return answer


class TestReadme:
    def test_the_example(self, issuer: FakeIssuer, pasted: Callable[[str], dict[str, Any]]) -> None:
        """The margin shows to clerks, ``me`` to users, and the rest to anybody."""
        app = pasted("class Product:")["app"]
        clerk = issuer.token("u1", roles=["clerk"])
        seen = {"products": [{"name": "tea", "margin": None}]}
        assert {"data": seen} == asked(app, "{ products { name margin } }")
        shown = {"products": [{"name": "tea", "margin": 0.4}], "me": "u1"}
        assert {"data": shown} == asked(app, "{ products { name margin } me }", clerk)
        (error,) = asked(app, "{ me }")["errors"]
        assert {"code": "UNAUTHENTICATED", "missing": [], "http": {"status": 401}} == error["extensions"]

    def test_the_example_of_the_front_page(
        self, issuer: FakeIssuer, pasted: Callable[[str], dict[str, Any]]
    ) -> None:
        """It is guarded by the gate of the app that its view is in."""
        app = FastAPI()
        AuthGate(app)
        app.include_router(GraphQLRouter(pasted("def margin(self)")["schema"]), prefix="/graphql")
        assert {"data": {"margin": None, "me": "u1"}} == asked(app, "{ margin me }", issuer.token("u1"))
        clerk = issuer.token("u1", roles=["clerk"])
        assert {"data": {"margin": 0.4}} == asked(app, "{ margin }", clerk)

    def test_the_older_client(self, pasted: Callable[[str], dict[str, Any]]) -> None:
        """The snippet builds a schema with its names, and no gate yet."""
        schema = pasted("compat.mercury import JWTAuthPermission")["schema"]
        assert {"hello": "world"} == schema.execute_sync("{ hello }").data
        assert (None, None) == (ENVIRONMENT.gate.gate, ENVIRONMENT.async_gate.gate)


class TestExample:
    def test_requests(self, issuer: FakeIssuer) -> None:
        """Configured by the environment alone."""
        app = runpy.run_path(str(ROOT / "examples/strawberry_app.py"))["app"]
        clerk = issuer.token("u1", scope="orders:read", roles=["clerk"])
        assert {"data": {"greeting": "hello stranger"}} == asked(app, "{ greeting }")
        shown = {"orders": [{"number": 1, "margin": 0.4}]}
        assert {"data": shown} == asked(app, "{ orders { number margin } }", clerk)
        (error,) = asked(app, "{ orders { number } }", issuer.token("u1"))["errors"]
        assert ["orders:read"] == error["extensions"]["missing"]
