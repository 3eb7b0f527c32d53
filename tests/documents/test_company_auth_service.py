"""The page about a company's auth service: every snippet does what the page says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import authgate_core as ag
from authgate_core.testing import FakeAuthService
from tests.support.gates import bearer, view

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "company-auth-service.md"
REDIS = ', replays=RedisReplays("redis://localhost:6379/0")'


@pytest.fixture(name="service")
def _service() -> Iterator[FakeAuthService]:
    with FakeAuthService(audience="orders-api") as service:
        yield service


def pasted(number: int, service: FakeAuthService, without: str = "") -> dict[str, Any]:
    """The names of a snippet, with a real service in the place of the example's."""
    snippet = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[number]
    names: dict[str, Any] = {}
    code = snippet.replace(without, "").replace("https://auth.example.com", service.url)
    exec(compile(code, str(PAGE), "exec"), names)
    return names


class TestThePage:
    """docs/how-to/company-auth-service.md."""

    def test_the_gate(self, service: FakeAuthService) -> None:
        """The first snippet knows users and services, and asks about sessions; Redis is asked for nothing there."""
        with pasted(0, service)["gate"] as gate:
            token = service.token("u1")
            assert "u1" == gate.verify_token(token).user.id
            assert "billing" == gate.verify_token(service.service_token("billing")).service.id
            service.end_session(other := service.token("u2"))
            with pytest.raises(ag.TokenRevoked):
                gate.verify_token(other)

    def test_actions(self, service: FakeAuthService) -> None:
        """The second: policies that ask for a confirmation, and for a fresh login."""
        names = pasted(1, service)
        with pasted(0, service, REDIS)["gate"] as gate:
            user = bearer(service.token("u1"))
            confirmed = view(user, ("X-Action-Token", service.action_token("delete_order", "u1")))

            assert "u1" == gate.admit(confirmed, names["may_delete"]).user.id
            assert "u1" == gate.admit(view(user), names["may_pay"]).user.id
            with pytest.raises(ag.StepUpRequired) as caught:
                gate.admit(view(user), names["may_delete"])
            assert "delete_order" == dict(gate.problem(caught.value).headers)["X-OTP-Action"]

    def test_browsers(self, service: FakeAuthService) -> None:
        """The third: a gate that reads cookies."""
        with ag.Gate(pasted(2, service)["config"]) as gate:
            kept = ("Cookie", f"__Host-auth_access={service.token('u1')}; __Host-auth_csrf=c1")

            assert "u1" == gate.admit(view(kept), ag.is_user).user.id
            with pytest.raises(ag.CrossSiteRefused):
                gate.admit(ag.RequestView("POST", "/", [kept]), ag.is_user)

    def test_the_sdk(self, service: FakeAuthService) -> None:
        """The fourth: the SDK's middlewares and a dependency behind them."""
        asked = TestClient(pasted(3, service)["app"], base_url="https://testserver")
        asked.cookies.set("__Host-auth_access", service.token("u1", role="admin"))

        me = asked.get("/me").json()
        assert ("u1", "cookie") == (me["user"]["user_id"], me["transport"])
        assert "u1" == asked.get("/admin").json()["user_id"]
        assert 403 == asked.post("/me").status_code
