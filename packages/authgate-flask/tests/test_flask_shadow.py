"""Shadow mode in Flask: views run, whoever asks (Law 8.6)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

import authgate_core as ag
from authgate_core.events import Decided, Notice
from authgate_core.testing import FakeIssuer
from authgate_flask import AuthGate, current_admission, current_user, requires


@pytest.fixture(name="heard")
def _heard() -> list[Decided | Notice]:
    return []


@pytest.fixture(name="fake")
def _fake() -> FakeIssuer:
    return FakeIssuer()


def _further() -> str:
    current_admission.require(ag.any_role("admin"))
    return "in"


def _broken() -> str:
    raise LookupError("nothing is there")


@pytest.fixture(name="client")
def _client(fake: FakeIssuer, heard: list[Decided | Notice]) -> Iterator[FlaskClient]:
    trusted = ag.Issuer.static(fake.jwks(), issuer=fake.url, audience=fake.audience, name="id")
    with ag.Gate(ag.GateConfig(issuers=[trusted], shadow=True, on_event=heard.append)) as gate:
        app = Flask(__name__)
        AuthGate(app, gate=gate, default=ag.is_user)
        views = {
            "open": lambda: "in",
            "guarded": requires(ag.any_role("admin"))(lambda: "in"),
            "truth": requires(ag.is_user)(lambda: "somebody" if current_user else "nobody"),
            "mine": requires(ag.is_user)(lambda: current_user.id),
            "held": requires(ag.is_user)(lambda: current_admission.user.id),
            "further": requires(ag.is_user)(_further),
            "broken": requires(ag.is_user)(_broken),
        }
        for name, view in views.items():
            app.add_url_rule(f"/{name}", name, view)
        yield app.test_client()


class TestShadow:
    @pytest.mark.parametrize(
        ("path", "expected"), [("/open", "in"), ("/guarded", "in"), ("/truth", "nobody"), ("/further", "in")]
    )
    def test_a_stranger_gets_in(
        self, client: FlaskClient, heard: list[Decided | Notice], path: str, expected: str
    ) -> None:
        """By the default and by guards; and each refusal that there would have been is told."""
        assert (200, expected) == ((answer := client.get(path)).status_code, answer.text)
        decided = [event for event in heard if isinstance(event, Decided)]
        assert {"would_refuse"} == {event.verdict for event in decided}

    def test_what_a_view_requires_is_told(
        self, client: FlaskClient, fake: FakeIssuer, heard: list[Decided | Notice]
    ) -> None:
        """And not carried out."""
        answer = client.get("/further", headers={"Authorization": f"Bearer {fake.token('u1')}"})

        assert 200 == answer.status_code
        assert "forbidden" in {event.code for event in heard if isinstance(event, Decided) and event.shadow}

    @pytest.mark.parametrize("path", ["/mine", "/held"])
    def test_a_view_that_cannot_run_without_a_user(self, client: FlaskClient, path: str) -> None:
        """It answers as it would without the shadow, and not as a bug."""
        answer = client.get(path)
        assert (401, "credentials_missing") == (answer.status_code, (answer.json or {})["code"])

    def test_a_bug_is_one(self, client: FlaskClient) -> None:
        """Law 1.3: whatever else a view raises."""
        assert 500 == client.get("/broken").status_code
