"""The examples: each runs as its file says."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from authgate_core.testing import FakeIssuer

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(name="issuer")
def _issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeIssuer]:
    with FakeIssuer(audience="orders-api") as issuer:
        monkeypatch.setenv("AUTHGATE_ISSUER", issuer.url)
        monkeypatch.setenv("AUTHGATE_AUDIENCE", "orders-api")
        yield issuer


def bearer(token: str) -> dict[str, str]:
    """The header of a token."""
    return {"Authorization": f"Bearer {token}"}


class TestExamples:
    """Configured by the environment alone."""

    def test_flask(self, issuer: FakeIssuer) -> None:
        """An application factory with a blueprint, closed by default."""
        app = runpy.run_path(str(EXAMPLES / "flask_app.py"))["create_app"]()
        client, reader = app.test_client(), bearer(issuer.token("u1", scope="orders:read"))

        assert {"hello": "stranger"} == client.get("/").json
        assert {"owner": "u1", "orders": []} == client.get("/orders/", headers=reader).json
        assert 403 == client.get("/orders/", headers=bearer(issuer.token("u1"))).status_code
        assert (401, {"id": "u1"}) == (client.get("/me").status_code, client.get("/me", headers=reader).json)
        assert {"status": "up"} == client.get("/health").json
        app.extensions["authgate"].gate.close()

    def test_fastapi(self, issuer: FakeIssuer) -> None:
        """A router, and a WebSocket."""
        app = runpy.run_path(str(EXAMPLES / "fastapi_app.py"))["app"]
        reader = bearer(issuer.token("u1", scope="orders:read"))
        with TestClient(app) as client:
            assert {"hello": "stranger"} == client.get("/").json()
            assert {"owner": "u1", "orders": []} == client.get("/orders/", headers=reader).json()
            assert 403 == client.get("/orders/", headers=bearer(issuer.token("u1"))).status_code
            with client.websocket_connect("/feed", headers=reader) as feed:
                assert {"hello": "u1"} == feed.receive_json()
