"""The id of a request: read with care, written beside every refusal, and told to whoever is asked for the request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.events import Decided, Notice
from authgate_core.request import ASKED_FOR
from authgate_core.testing import FakeIssuer
from authgate_core.testing.introspection import IntrospectionDesk
from authgate_core.testing.server import Answer, Asked
from tests.support.gates import bearer, face, trusted, view

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class TestRead:
    @pytest.mark.parametrize(
        ("headers", "expected"),
        [
            ((("X-Request-ID", "8f14e45f-ceea-467f"),), "8f14e45f-ceea-467f"),
            ((("x-request-id", "a" * 128),), "a" * 128),
            ((("traceparent", TRACE),), "4bf92f3577b34da6a3ce929d0e0e4736"),
            ((("traceparent", TRACE), ("X-Request-ID", "r-1")), "r-1"),
            ((("traceparent", TRACE), ("X-Request-ID", "no blanks")), "4bf92f3577b34da6a3ce929d0e0e4736"),
            ((), ""),
            ((("X-Request-ID", ""),), ""),
            ((("X-Request-ID", "a" * 129),), ""),
            ((("X-Request-ID", "a\nINFO granted"),), ""),
            ((("X-Request-ID", "r-1\n"),), ""),
            ((("X-Request-ID", "r\u00e9"),), ""),
            ((("X-Request-ID", "r-1"), ("X-Request-ID", "r-2")), ""),
            ((("traceparent", "00-zz"),), ""),
            ((("traceparent", TRACE), ("traceparent", TRACE)), ""),
        ],
    )
    def test_what_counts(self, headers: tuple[tuple[str, str], ...], expected: str) -> None:
        """One short text of plain characters, else the trace; of two nobody knows which is meant."""
        assert expected == view(*headers).request_id


class TestTold:
    """Whoever is asked for a request is told what it is called."""

    @pytest.fixture(name="named")
    def _named(self, monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
        """What each question about a token was called."""
        named: list[str | None] = []
        plain = IntrospectionDesk.answer

        def answer(desk: IntrospectionDesk, asked: Asked, *others: Any) -> Answer:
            named.append(asked.headers.get("x-request-id"))
            return plain(desk, asked, *others)

        monkeypatch.setattr(IntrospectionDesk, "answer", answer)
        return named

    @pytest.fixture(name="fake")
    def _fake(self) -> Iterator[FakeIssuer]:
        with FakeIssuer() as fake:
            fake.desk.clients["orders-api"] = "s3cret"
            yield fake

    @pytest.mark.parametrize("colour", ["sync", "async"])
    def test_an_endpoint(self, fake: FakeIssuer, named: list[str | None], colour: str) -> None:
        """In both colours; a request without a name has none, and a token alone is no request."""
        spec = ag.Introspection(fake.introspection_url, client=ag.ClientSecret("orders-api", "s3cret"))
        issuer = ag.Issuer.oidc(fake.url, audience=fake.audience, name="id", introspection=spec)
        gate = face(colour, ag.GateConfig(issuers=[issuer]))
        gate.admit(view(bearer(fake.opaque_token("u1")), ("X-Request-ID", "r-1")), ag.is_user)
        gate.admit(view(bearer(fake.opaque_token("u2"))), ag.is_user)
        gate.verify_token(fake.opaque_token("u3"))
        gate.close()

        assert ["r-1", None, None] == named

    @pytest.mark.parametrize("colour", ["sync", "async"])
    def test_not_whoever_is_asked_later(self, colour: str) -> None:
        """Nothing is left of it when the request is over."""
        seen: list[str] = []

        class Directory:
            def look_up(self, _credentials: object) -> ag.Project | None:
                seen.append(ASKED_FOR.get())
                return None

        class AsyncDirectory(Directory):
            async def look_up(self, _credentials: object) -> ag.Project | None:  # type: ignore[override]  # the other colour
                return super().look_up(_credentials)

        directory = Directory() if colour == "sync" else AsyncDirectory()
        gate = face(colour, ag.GateConfig(projects=directory))
        for app, named in (("a", ()), ("b", (("X-Request-ID", "r-1"),))):
            presented = (("x-app-id", app), ("x-app-secret", "a-secret-of-thirty-two-characters"))
            with pytest.raises(ag.InvalidProjectCredentials):
                gate.admit(view(*presented, *named), ag.is_project)
        gate.close()

        assert ["", "r-1", ""] == [*seen, ASKED_FOR.get()]


class TestWritten:
    """Beside what went wrong."""

    @pytest.mark.parametrize("shadow", [False, True])
    def test_a_refusal(self, caplog: pytest.LogCaptureFixture, shadow: bool) -> None:
        """In its line of the log and its event, also where it is not carried out."""
        heard: list[Decided | Notice] = []
        config = ag.GateConfig(issuers=[trusted(FakeIssuer())], shadow=shadow, on_event=heard.append)
        with ag.Gate(config) as gate:
            try:
                refusal = gate.admit(view(("X-Request-ID", "r-1")), ag.is_user).refusal
            except ag.AuthgateError as error:
                refusal = error

        assert isinstance(refusal, ag.MissingCredentials)
        assert ["r-1"] == [event.request_id for event in heard if isinstance(event, Decided)]
        assert "credentials_missing issuer=unknown request=r-1: " in caplog.text
