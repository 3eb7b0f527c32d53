"""docs/how-to/apex.md: every snippet does what the page says, against an apex that is served."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import authgate_core as ag
from authgate_core.testing import FakeApex
from tests.support.gates import bearer, view

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "apex.md"
VERIFIER = "a-verifier-of-the-page-of-at-least-43-characters"
CLIENT_SECRET = "from-your-secret-store"


@pytest.fixture(name="apex")
def _apex() -> Iterator[FakeApex]:
    with FakeApex() as apex:
        apex.add_service(
            "orders", [{"id": "old", "name": "limit", "type": "string", "values": [], "default": "0"}]
        )
        apex.add_client("orders-web", CLIENT_SECRET)
        yield apex


def pasted(apex: FakeApex, *numbers: int, **known: str) -> dict[str, Any]:
    """The names of snippets that stand in one program, with a served apex in the place of the example's."""
    found = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {"__name__": "tests.documents.test_apex"}
    for number in numbers:
        code = found[number].replace("https://apex.example.com", apex.url)
        for written, real in known.items():
            code = code.replace(written.replace("_", " "), real)
        exec(compile(code, str(PAGE), "exec"), names)
    return names


class TestThePage:
    """docs/how-to/apex.md."""

    def test_the_gate(self, apex: FakeApex) -> None:
        """The first snippet: metadata, and the two roles."""
        names = pasted(apex, 0)
        ada = apex.add_user("ada", metadata={"orders": {"approves": True}})
        root = apex.add_user("root", admin_of=["orders"], metadata={"orders": {"approves": False}})
        with names["gate"] as gate:
            user = gate.admit(view(bearer(apex.token(ada))), names["may_approve"]).user
            assert names["Rights"](approves=True, limit=100) == user.model(names["Rights"])
            assert gate.admit(view(bearer(apex.token(root))), names["may_administer"]).user.id == root
            for user_id, policy in ((root, "may_approve"), (ada, "may_administer")):
                with pytest.raises(ag.AuthorizationError):
                    gate.admit(view(bearer(apex.token(user_id))), names[policy])

    def test_logins(self, apex: FakeApex) -> None:
        """The second: both logins, and dependencies that ask nobody."""
        app = pasted(apex, 0, 1)["app"]
        ada = apex.add_user(
            "ada", password="pa55", admin_of=["orders"], metadata={"orders": {"approves": True}}
        )
        with TestClient(app) as client:
            by_password = client.post("/auth/login", data={"username": "ada", "password": "pa55"}).json()
            challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")
            begun = client.post("/auth/login/begin", json={"code_challenge": challenge.decode()}).json()
            shown = {"code": apex.code(ada), "state": begun["state"], "code_verifier": VERIFIER}
            by_code = client.post("/auth/login/code", json=shown).json()

            for token in (by_password["access_token"], by_code["access_token"]):
                header = {"Authorization": f"Bearer {token}"}
                assert 100 == client.get("/limit", headers=header).json()
                assert {"name": "Ada Example", "administers": True} == client.get(
                    "/me", headers=header
                ).json()

    def test_users_and_permissions(self, apex: FakeApex) -> None:
        """The third: permissions by the service's own credential, and users one by one."""
        apex.add_user("ada", metadata={"orders": {"approves": True}})
        apex.add_user("bob", metadata={"orders": {"approves": False}})
        apex.add_user("eve", admin_of=["orders"])

        token = apex.service_token("orders")
        names = pasted(apex, 0, 2, the_token_by_which_this_service_acts_for_itself=token)

        assert ["approves", "limit"] == [one["name"] for one in apex.permissions("orders")]
        assert {"integer", "boolean"} == {one["type"] for one in apex.permissions("orders")}
        assert [2, 1, 0] == [
            len(part) for part in (names["plan"].create, names["plan"].delete, names["plan"].keep)
        ]
        assert ["ada"] == names["approvers"]
