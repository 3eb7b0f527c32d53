"""The page about watching: what it shows runs, and says what the page says."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

import authgate_core as ag
from authgate_core.testing import FakeIssuer

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "being-watched.md").read_text("utf-8")
FORMATTER, OBSERVERS, AUDIT, SHADOW = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(name="issuer")
def _issuer() -> Iterator[FakeIssuer]:
    with FakeIssuer(audience="orders-api") as issuer:
        yield issuer


@pytest.fixture(name="registry", autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch) -> CollectorRegistry:
    """In the place of the one of the process."""
    registry = CollectorRegistry()
    monkeypatch.setattr("prometheus_client.REGISTRY", registry)
    return registry


def run(snippet: str, issuer: FakeIssuer | None = None) -> dict[str, Any]:
    """The names that a snippet leaves, with a real issuer in the place of the page's."""
    names: dict[str, Any] = {}
    real = snippet if issuer is None else snippet.replace("https://id.example.com", issuer.url)
    exec(compile(real, "being-watched.md", "exec"), names)
    return names


def request(issuer: FakeIssuer, *headers: tuple[str, str]) -> ag.RequestView:
    """A request of a user without roles."""
    token = ("Authorization", f"Bearer {issuer.token('u1')}")
    return ag.RequestView("DELETE", "/orders/7?x=1", (token, *headers), peer="10.0.0.7")


class TestLog:
    def test_fields(self, issuer: FakeIssuer, caplog: pytest.LogCaptureFixture) -> None:
        """The formatter of the page writes what was decided."""
        trusted = ag.Issuer.oidc(issuer.url, audience="orders-api")
        with ag.Gate(ag.GateConfig(issuers=[trusted])) as gate, pytest.raises(ag.MissingCredentials):
            gate.admit(ag.RequestView("GET", "/", {"X-Request-ID": "8f14e45f"}), ag.is_user)

        formatter: logging.Formatter = run(FORMATTER)["Fields"]()
        line = json.loads(formatter.format(caplog.records[-1]))
        assert ("WARNING", "credentials_missing", "8f14e45f") == (
            line["level"],
            line["code"],
            line["request_id"],
        )
        assert line["message"].startswith("refused: credentials_missing issuer=unknown request=8f14e45f: ")

    def test_of_what_is_no_event(self) -> None:
        """It formats every record."""
        formatter: logging.Formatter = run(FORMATTER)["Fields"]()
        record = logging.makeLogRecord({"msg": "hello", "levelname": "INFO"})
        assert {"level": "INFO", "message": "hello"} == json.loads(formatter.format(record))


class TestObservers:
    def test_both(self, issuer: FakeIssuer, registry: CollectorRegistry) -> None:
        """Side by side in one gate."""
        with ag.Gate(run(OBSERVERS, issuer)["config"]) as gate:
            gate.admit(request(issuer), ag.is_user)

        assert b'outcome="granted"} 1.0' in generate_latest(registry)


class TestAudit:
    def test_the_line(self, issuer: FakeIssuer, caplog: pytest.LogCaptureFixture) -> None:
        """As the page shows it, but for the time, the issuer's name and how long it took."""
        caplog.set_level(logging.INFO, "authgate.audit")
        with ag.Gate(run(AUDIT, issuer)["config"]) as gate, pytest.raises(ag.AuthorizationError):
            gate.admit(request(issuer, ("X-Request-ID", "8f14e45f")), ag.is_user & ag.any_role("admin"))

        (written,) = [json.loads(text) for text in caplog.messages if text.startswith("{")]
        (shown,) = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
        written["callers"][0]["issuer"] = "id"
        for line in (written, shown):
            del line["at"], line["duration"]
        assert shown == written


class TestShadow:
    def test_everybody_gets_in(self, issuer: FakeIssuer, registry: CollectorRegistry) -> None:
        """And what the gate would have refused is counted under the outcome that the page has looked at."""
        with ag.Gate(run(SHADOW, issuer)["config"]) as gate:
            admission = gate.admit(request(issuer), ag.any_role("admin"))

        assert isinstance(admission.refusal, ag.AuthorizationError)
        (outcome,) = re.findall(r'authgate_decisions_total\{(outcome="\w+")\}', PAGE)
        assert f"{outcome}}} 1.0" in generate_latest(registry).decode()
