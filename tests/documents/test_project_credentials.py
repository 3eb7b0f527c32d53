"""The page about project credentials: pasted as it stands, each example does what the page says."""

from __future__ import annotations

import re
import secrets
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import authgate_core as ag
from authgate_core.credentials import AppCredentials
from authgate_core.hash_secret import mint
from authgate_core.testing import FakeIssuer
from tests.support.pages import blocks, pasted

PAGE = "project-credentials.md"


@pytest.fixture(name="issuer")
def _issuer() -> Iterator[FakeIssuer]:
    with FakeIssuer(audience="orders-api") as issuer:
        yield issuer


@pytest.fixture(name="secret")
def _secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The secret of the page's project, whose hash stands in the page's file."""
    secret, stored = mint(secrets.token_bytes)
    (table,) = blocks(PAGE, "toml")
    (tmp_path / "projects.toml").write_text(re.sub(r'"sha256:.*?"', f'"{stored}"', table), "utf-8")
    monkeypatch.chdir(tmp_path)
    return secret.reveal()


@pytest.fixture(name="names")
def _names(issuer: FakeIssuer, secret: str) -> dict[str, Any]:
    """What the first example leaves."""
    return pasted(PAGE, 0, real={"https://id.example.com": issuer.url})


def presented(secret: str) -> dict[str, str]:
    """The two headers."""
    return {"x-app-id": "web-shop", "x-app-secret": secret}


class TestFile:
    def test_the_table_is_one(self) -> None:
        """What the page shows can be read as it stands."""
        (table,) = blocks(PAGE, "toml")
        assert [] == ag.StaticProjects(tomllib.loads(table)).problems()

    def test_flask(self, names: dict[str, Any], issuer: FakeIssuer, secret: str) -> None:
        """The project alone, and together with a user; half a pair is malformed and a wrong secret is 401."""
        app = pasted(PAGE, 1, names=names)["app"]
        client = app.test_client()
        user = {"Authorization": f"Bearer {issuer.token('u1')}"}

        assert {"for": "p1"} == client.get("/stock", headers=presented(secret)).get_json()
        both = client.get("/orders", headers=presented(secret) | user)
        assert {"of": "u1", "through": "Web shop"} == both.get_json()
        assert 401 == client.get("/orders", headers=user).status_code
        assert 400 == client.get("/stock", headers={"x-app-id": "web-shop"}).status_code
        assert 401 == client.get("/stock", headers=presented("wrong" * 8)).status_code
        app.extensions["authgate"].gate.close()

    def test_fastapi(self, names: dict[str, Any], secret: str) -> None:
        """The project is a parameter."""
        with TestClient(pasted(PAGE, 2, names=names)["api"]) as client:
            assert {"for": "p1"} == client.get("/stock", headers=presented(secret)).json()
            assert 401 == client.get("/stock").status_code


class TestReplacedSecret:
    def test_both_work_until_the_old_one_is_ended(self) -> None:
        """At the next request, in a gate that has remembered it."""
        shown = re.findall(r'"(sha256:.*?)"', blocks(PAGE)[3])
        (old, first), (new, second) = mint(secrets.token_bytes), mint(secrets.token_bytes)
        names = pasted(PAGE, 3, real=dict(zip(shown, (first, second), strict=True)))

        def ask(secret: ag.Secret) -> str:
            request = ag.RequestView("GET", "/stock", presented(secret.reveal()))
            found: str = names["gate"].admit(request, ag.is_project).project.id
            return found

        with names["gate"]:
            assert ["p1", "p1"] == [ask(old), ask(new)]
            pasted(PAGE, 4, names=names)
            assert "p1" == ask(new)
            with pytest.raises(ag.AuthenticationError):
                ask(old)


class TestDirectoryOfOnesOwn:
    def test_it_admits_and_is_asked_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A yes is remembered; a wrong secret is refused."""
        names = pasted(PAGE, 5)
        asked: list[str] = []
        look_up = names["Table"].look_up

        def counted(table: object, credentials: AppCredentials) -> object:
            asked.append(credentials.app_id)
            return look_up(table, credentials)

        monkeypatch.setattr(names["Table"], "look_up", counted)
        with ag.Gate(names["own"]) as gate:
            for _ in range(2):
                right = presented("a-secret-of-more-than-thirty-two-characters")
                request = ag.RequestView("GET", "/stock", right)
                assert "p1" == gate.admit(request, ag.is_project).project.id
            assert ["web-shop"] == asked
            with pytest.raises(ag.InvalidProjectCredentials):
                gate.admit(ag.RequestView("GET", "/stock", presented("wrong" * 8)), ag.is_project)


class TestInTests:
    def test_a_project_stands_in(self) -> None:
        """Where the page says so."""
        names = pasted(PAGE, 3, 6)
        names["gate"].close()
        assert "Web shop" == names["admission"].project.name
