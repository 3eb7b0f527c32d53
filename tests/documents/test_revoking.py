"""The page about revoking, docs/how-to/revocation.md: what it shows runs, against a real server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.testing import FakeIssuer
from tests.support.pages import pasted
from tests.support.valkey import valkey

PAGE = "revocation.md"


@pytest.fixture(name="issuer")
def _issuer() -> Iterator[FakeIssuer]:
    with FakeIssuer(audience="orders-api") as issuer:
        yield issuer


@pytest.fixture(name="names")
def _names(issuer: FakeIssuer) -> Iterator[dict[str, Any]]:
    """What the first example leaves, with a real server in the place of the page's."""
    with valkey() as server:
        real = {
            "https://id.example.com": issuer.url,
            "redis://localhost:6379": f"redis://127.0.0.1:{server.port}",
        }
        names = pasted(PAGE, 0, real=real)
        with names["gate"]:
            yield names


def old(issuer: FakeIssuer, subject: str = "u1", **claims: Any) -> str:
    """A token that was issued a while ago."""
    return issuer.token(subject, iat=int(time.time()) - 60, **claims)


class TestRevoking:
    def test_each_line_refuses_what_it_says(self, names: dict[str, Any], issuer: FakeIssuer) -> None:
        """And leaves the rest alone."""
        gate = names["gate"]
        refused = {
            "token": old(issuer, "a"),
            "session": old(issuer, "b", sid="s-1"),
            "subject": old(issuer),
            "client": old(issuer, "c", client_id="web-shop"),
        }
        pasted(PAGE, 1, names=names | {"token": refused["token"]})

        for what, token in refused.items():
            with pytest.raises(ag.TokenRevoked):
                assert gate.verify_token(token) is None, what
        assert "d" == gate.verify_token(old(issuer, "d")).user.id

    def test_a_view_that_ends_all_of_a_user(self, names: dict[str, Any], issuer: FakeIssuer) -> None:
        """The token that asked for it included."""
        client = pasted(PAGE, 2, names=names)["app"].test_client()
        headers = {"Authorization": f"Bearer {old(issuer)}"}

        assert 200 == client.post("/log-out-everywhere", headers=headers).status_code
        assert 401 == client.post("/log-out-everywhere", headers=headers).status_code

    def test_its_health_is_shown(
        self, names: dict[str, Any], issuer: FakeIssuer, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """After it has answered once."""
        names["gate"].verify_token(old(issuer))
        pasted(PAGE, 4, names=names)

        assert "ok\n" == capsys.readouterr().out


class TestOutage:
    def test_the_lenient_source_is_one(self) -> None:
        """A gate is built from it."""
        lenient = pasted(PAGE, 3)["lenient"]
        trusted = ag.Issuer.static({"keys": []}, issuer="https://id.example.com", audience="orders-api")
        problems = ag.GateConfig(issuers=[trusted], revocation=lenient).problems("sync")
        assert [] == [problem for problem in problems if "revocation" in problem]
