"""The README and the example: what they show of Graphene runs, and does what the text around it says."""

from __future__ import annotations

import re
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request

from authgate_core.testing import FakeIssuer

ROOT = Path(__file__).parents[4]
README = (ROOT / "packages/authgate-graphql/README.md").read_text("utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.fixture(name="issuer")
def _issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeIssuer]:
    with FakeIssuer(audience="orders-api") as issuer:
        monkeypatch.setenv("AUTHGATE_ISSUER", issuer.url)
        monkeypatch.setenv("AUTHGATE_AUDIENCE", "orders-api")
        yield issuer


@pytest.fixture(name="pasted")
def _pasted(issuer: FakeIssuer) -> Callable[[str], dict[str, Any]]:
    """Runs the one snippet that holds a text, and gives its names."""

    def paste(text: str) -> dict[str, Any]:
        (snippet,) = (snippet for snippet in SNIPPETS if text in snippet)
        names: dict[str, Any] = {"__name__": "pasted"}
        exec(compile(snippet.replace("https://id.example.com", issuer.url), "README.md", "exec"), names)
        return names

    return paste


def asked(app: Flask, query: str, token: str | None = None) -> dict[str, Any]:
    """What the app answers."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    answer: dict[str, Any] = (
        app.test_client().post("/graphql", json={"query": query}, headers=headers).json or {}
    )
    return answer


class TestReadme:
    def test_the_example(self, issuer: FakeIssuer, pasted: Callable[[str], dict[str, Any]]) -> None:
        """``me`` is for users and ``orders`` for those with the scope."""
        app = pasted("@jwt_auth_required\n    def resolve_me")["app"]
        reader = issuer.token("u1", scope="orders:read")
        assert {"data": {"me": "u1", "orders": ["order of u1"]}} == asked(app, "{ me orders }", reader)
        (error,) = asked(app, "{ orders }", issuer.token("u1"))["errors"]
        assert {"code": "FORBIDDEN", "missing": ["orders:read"], "http": {"status": 403}} == error[
            "extensions"
        ]
        app.extensions["authgate"].gate.close()

    def test_closing_by_default(self, issuer: FakeIssuer, pasted: Callable[[str], dict[str, Any]]) -> None:
        """What is public is open, and the rest answers with its status."""
        from graphql_server.flask.views import GraphQLView

        from authgate_flask import AuthGate

        schema = pasted("AuthGateMiddleware(is_user)")["schema"]
        app = Flask("orders")
        AuthGate(app)
        view = GraphQLView.as_view("graphql", schema=schema.graphql_schema)
        app.add_url_rule("/graphql", view_func=view)
        assert {"data": {"status": "up"}} == asked(app, "{ status }")
        assert 401 == app.test_client().post("/graphql", json={"query": "{ orders }"}).status_code
        app.extensions["authgate"].gate.close()

    def test_the_older_client(self, pasted: Callable[[str], dict[str, Any]]) -> None:
        """What asks nobody answers without a gate."""
        answer = pasted("compat.mercury import AuthenticatedRequest")["answer"]
        with Flask("orders").test_request_context():
            assert {"hello": "world"} == answer(request, "{ hello }").data


class TestExample:
    def test_requests(self, issuer: FakeIssuer) -> None:
        """An application factory, closed by default and configured by the environment alone."""
        app = runpy.run_path(str(ROOT / "examples/graphene_app.py"))["create_app"]()
        reader = issuer.token("u1", scope="orders:read")
        assert {"data": {"greeting": "hello stranger", "status": "up"}} == asked(app, "{ greeting status }")
        assert {"data": {"me": "u1", "orders": [{"number": 1}]}} == asked(
            app, "{ me orders { number } }", reader
        )
        (error,) = asked(app, "{ me }")["errors"]
        assert "UNAUTHENTICATED" == error["extensions"]["code"]
        app.extensions["authgate"].gate.close()
