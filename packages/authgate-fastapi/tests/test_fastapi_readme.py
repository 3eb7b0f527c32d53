"""The README: every snippet runs when pasted, and does what the text around it says."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

import authgate_fastapi
from authgate_core import AsyncGate, is_user
from authgate_core.gate.environment import EnvironmentGate
from authgate_core.testing import FakeIssuer, FakeMercury
from authgate_fastapi import locate

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def served_issuer() -> Iterator[FakeIssuer]:
    """An issuer in the place of the example's."""
    with FakeIssuer(audience="orders-api") as issuer:
        yield issuer


def pasted(text: str, issuer: FakeIssuer) -> dict[str, Any]:
    """The names of the one snippet that holds a text, after it ran."""
    (snippet,) = (snippet for snippet in SNIPPETS if text in snippet)
    names: dict[str, Any] = {"__name__": "pasted"}
    exec(compile(snippet.replace("https://id.example.com", issuer.url), "README.md", "exec"), names)
    return names


class TestSnippets:
    def test_the_example(self, served_issuer: FakeIssuer) -> None:
        """401 without a token, the id with one, 403 without the scope."""
        headers = {"Authorization": f"Bearer {served_issuer.token('u1')}"}
        with TestClient(pasted("all_scopes(", served_issuer)["app"]) as client:
            assert 401 == client.get("/me").status_code
            assert {"id": "u1"} == client.get("/me", headers=headers).json()
            assert 403 == client.get("/orders", headers=headers).status_code

    def test_guards(
        self, app: FastAPI, served_issuer: FakeIssuer, user: dict[str, str], project: dict[str, str]
    ) -> None:
        """The router of the second snippet, in an application that knows users and projects."""
        app.include_router(pasted("OptionalUser):", served_issuer)["router"])
        with TestClient(app) as client:
            both = user | project
            assert 401 == client.get("/shop/hello", headers=user).status_code
            assert {"name": "u1"} == client.get("/shop/hello", headers=both).json()
            shop = client.get("/shop/", headers=both).json()
            assert ("u1", "p1") == (shop["user"]["id"], shop["project"]["id"])
            assert {"deleted": 7} == client.delete("/shop/orders/7", headers=both).json()
            with client.websocket_connect("/shop/feed", headers=both) as feed:
                assert {"hello": "u1"} == feed.receive_json()

    def test_whole_applications(self, served_issuer: FakeIssuer) -> None:
        """Deny by default, a protected router, and what is public."""
        headers = {"Authorization": f"Bearer {served_issuer.token('u1')}"}
        with TestClient(pasted("default=is_user", served_issuer)["app"]) as client:
            opened = ("/health", "/docs", "/openapi.json")
            assert [200, 200, 200] == [client.get(path).status_code for path in opened]
            assert [401, 200] == [client.get("/orders", headers=one).status_code for one in ({}, headers)]
            assert [401, 403] == [
                client.get("/admin/users", headers=one).status_code for one in ({}, headers)
            ]

    def test_middleware(self, served_issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
        """A gate from the environment, and the paths that are left alone."""
        monkeypatch.setenv("AUTHGATE_ISSUER", served_issuer.url)
        monkeypatch.setenv("AUTHGATE_AUDIENCE", served_issuer.audience)
        headers = {"Authorization": f"Bearer {served_issuer.token('u1')}"}
        with TestClient(pasted("excluded_prefixes=", served_issuer)["app"]) as client:
            assert {"id": "u1"} == client.get("/me", headers=headers).json()
            asked = {path: client.get(path).status_code for path in ("/me", "/docs", "/health", "/products")}
            assert {"/me": 401, "/docs": 200, "/health": 404, "/products": 404} == asked
            assert 401 == client.post("/docs").status_code

    def test_refusals(self, served_issuer: FakeIssuer) -> None:
        """Another body."""
        app = pasted("on_refusal=", served_issuer)["app"]
        app.get("/", dependencies=[authgate_fastapi.requires(is_user)])(lambda: None)
        with TestClient(app) as client:
            assert ["error"] == list(client.get("/").json())

    def test_older_clients(self, served_issuer: FakeIssuer) -> None:
        """The older names."""
        with TestClient(pasted("UserContext", served_issuer)["app"]) as client:
            headers = {"Authorization": f"Bearer {served_issuer.token('u1', username='ann')}"}
            profile = {"user_id": "u1", "username": "ann"}
            assert profile == client.get("/api/profile", headers=headers).json()
            assert 403 == client.get("/api/admin/users", headers=headers).status_code
            paths = {
                path: client.get(path).status_code for path in ("/health", "/api/products", "/api/profile")
            }
            assert {"/health": 404, "/api/products": 404, "/api/profile": 401} == paths

    def test_mercury(self, served_issuer: FakeIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
        """The older client's variables are all that it takes."""
        with FakeMercury() as mercury:
            for name, value in mercury.environment("redis://127.0.0.1:1/0").items():
                monkeypatch.setenv(name, value)
            monkeypatch.setattr(locate, "_older_environment", EnvironmentGate(AsyncGate, "mercury"))
            client = TestClient(pasted("fastapi_combined_auth", served_issuer)["app"])
            assert [(401, ["detail"])] * 2 == [
                (answer.status_code, list(answer.json()))
                for answer in map(client.get, ("/profile", "/orders"))
            ]
            headers = {"Authorization": f"Bearer {mercury.user_token()}"}
            assert 503 == client.get("/profile", headers=headers).status_code  # there is no Redis here

    def test_tests(self, served_issuer: FakeIssuer) -> None:
        """Both assert by themselves; nobody is asked."""
        assert pasted("as_user(", served_issuer)
        assert pasted("dependency_overrides", served_issuer)
        assert {} == served_issuer.hits

    def test_every_name_is_told(self) -> None:
        """What is exported is in the README, by name or as one of its like."""
        told = {*re.findall(r"\w+", README), "get_current_service", "get_current_project"}
        assert set() == {*authgate_fastapi.__all__} - told
