"""The audit log: who did what, in both colours, and never a credential."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.observers import AuditLog, AuditRecord, Caller
from authgate_core.testing import FakeIssuer
from tests.support.gates import APP_SECRET, PROJECT, Face, bearer, face, store, trusted, view

Make = Callable[..., Face]


@pytest.fixture(name="colour", params=["sync", "async"])
def _colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="fake")
def _fake() -> FakeIssuer:
    return FakeIssuer()


@pytest.fixture(name="written")
def _written() -> list[AuditRecord]:
    return []


@pytest.fixture(name="make")
def _make(colour: str, fake: FakeIssuer, written: list[AuditRecord]) -> Iterator[Make]:
    made: list[Face] = []

    def make(**options: Any) -> Face:
        plain: dict[str, Any] = {
            "issuers": [trusted(fake)],
            "projects": ag.StaticProjects({"shop": {"secret": APP_SECRET}}),
            "audit": written.append,
        }
        made.append(face(colour, ag.GateConfig(**{**plain, **options})))
        return made[-1]

    yield make
    for gate in made:
        gate.close()


class TestWho:
    """Every decision is one record."""

    def test_was_admitted(self, make: Make, fake: FakeIssuer, written: list[AuditRecord]) -> None:
        """A user, and a user with a project; from memory as well as by the flow."""
        gate, request = make(), view(bearer(fake.token("u1")), peer="10.0.0.7")
        gate.admit(request, ag.is_user)
        gate.admit(request, ag.is_user)
        gate.admit(view(bearer(fake.token("u1")), *PROJECT), ag.is_user & ag.is_project)

        user, project = Caller("user", "id", None, "u1"), Caller("project", "projects", None, "shop")
        assert [(user,), (user,), (user, project)] == [record.callers for record in written]
        first = written[0]
        assert ("granted", "ok", "") == (first.verdict, first.code, first.reason)
        assert ("GET", "/orders", "10.0.0.7") == (first.method, first.path, first.peer)

    def test_was_refused(self, make: Make, fake: FakeIssuer, written: list[AuditRecord]) -> None:
        """Who it was is known where somebody was authenticated, and nobody is named by what did not verify."""
        gate = make()
        with pytest.raises(ag.AuthorizationError):
            gate.admit(view(bearer(fake.token("u1"))), ag.any_role("admin"))
        with pytest.raises(ag.BadSignature):
            gate.admit(view(bearer(fake.hostile.forged())), ag.is_user)
        with pytest.raises(ag.MissingCredentials):
            gate.admit(view(), ag.is_user)

        assert [
            ("refused", "forbidden", (Caller("user", "id", None, "u1"),)),
            ("refused", "token_signature", ()),
            ("refused", "credentials_missing", ()),
        ] == [(record.verdict, record.code, record.callers) for record in written]
        assert "any_role('admin')" in written[0].reason

    def test_brought_a_token_alone(self, make: Make, fake: FakeIssuer, written: list[AuditRecord]) -> None:
        """There is no request then; also where memory answers."""
        gate, token = make(), fake.token("u1")
        gate.verify_token(token)
        gate.verify_token(token)
        with pytest.raises(ag.AuthorizationError):
            gate.verify_token(token, ag.any_role("admin"))

        user = (Caller("user", "id", None, "u1"),)
        assert [("granted", user), ("granted", user), ("refused", user)] == [
            (record.verdict, record.callers) for record in written
        ]
        assert {("", "", "")} == {(record.method, record.path, record.request_id) for record in written}

    def test_could_not_be_checked(
        self, make: Make, fake: FakeIssuer, written: list[AuditRecord], colour: str
    ) -> None:
        """An outage is no refusal."""
        gate = make(revocation=store(colour, ag.RevocationUnavailable("down")))
        with pytest.raises(ag.RevocationUnavailable):
            gate.admit(view(bearer(fake.token("u1"))), ag.is_user)

        assert [("unavailable", "revocation_unavailable")] == [(one.verdict, one.code) for one in written]

    def test_passed_in_the_shadow(self, make: Make, fake: FakeIssuer, written: list[AuditRecord]) -> None:
        """Law 8.6: once, as what would have been."""
        gate, request = make(shadow=True), view(bearer(fake.token("u1")))
        gate.admit(request, ag.any_role("admin"))
        gate.admit(request, ag.is_user).require(ag.any_role("admin"))

        user = (Caller("user", "id", None, "u1"),)
        assert [
            ("would_refuse", "forbidden", user),
            ("granted", "ok", user),
            ("would_refuse", "forbidden", user),
        ] == [(record.verdict, record.code, record.callers) for record in written]

    def test_was_admitted_without_waiting(self, fake: FakeIssuer, written: list[AuditRecord]) -> None:
        """By code that begins an admission and waits only where it must."""
        gate = ag.AsyncGate(ag.GateConfig(issuers=[trusted(fake)], audit=written.append))
        gate.begin(view(bearer(fake.token("u1")), ("X-Request-ID", "r-1")), ag.is_user)
        gate.begin(view(("X-Request-ID", "r-2")), ag.is_user)
        asyncio.run(gate.aclose())

        assert [("granted", "r-1"), ("refused", "r-2")] == [(one.verdict, one.request_id) for one in written]


class TestFailing:
    def test_each_outcome_stands(
        self, make: Make, fake: FakeIssuer, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Law 10.2: that an auditor fails is in the log."""

        def fail(record: AuditRecord) -> None:
            raise OSError("disk full")

        gate = make(audit=fail)
        assert "u1" == gate.admit(view(bearer(fake.token("u1"))), ag.is_user).user.id
        with pytest.raises(ag.MissingCredentials):
            gate.admit(view(), ag.is_user)

        assert 2 == caplog.messages.count("the auditor failed on a decision")

    def test_one_that_nobody_would_await(self, make: Make) -> None:
        """Is a mistake of configuration."""
        with pytest.raises(ag.ConfigurationError, match="audit: give a function that takes an event"):
            make(audit=asyncio.sleep)


class TestAuditLog:
    """One line of JSON."""

    @pytest.fixture(name="lines")
    def _lines(self, caplog: pytest.LogCaptureFixture) -> Callable[[], list[dict[str, Any]]]:
        caplog.set_level(logging.INFO, "authgate.audit")

        def lines() -> list[dict[str, Any]]:
            return [
                json.loads(record.getMessage())
                for record in caplog.records
                if record.name == "authgate.audit"
            ]

        return lines

    def test_a_line(self, make: Make, fake: FakeIssuer, lines: Callable[[], list[dict[str, Any]]]) -> None:
        """Every field, and no header and no query of the request."""
        headers = (bearer(fake.token("u1")), ("X-Request-ID", "r-1"))
        make(audit=AuditLog()).admit(view(*headers, peer="10.0.0.7"), ag.is_user)

        (line,) = lines()
        assert 0 <= line.pop("duration") < line.pop("at")
        assert {
            "verdict": "granted",
            "code": "ok",
            "reason": "",
            "callers": [{"kind": "user", "issuer": "id", "tenant": None, "id": "u1"}],
            "method": "GET",
            "path": "/orders",
            "peer": "10.0.0.7",
            "request_id": "r-1",
        } == line

    def test_a_caller_writes_no_line_of_its_own(
        self, make: Make, fake: FakeIssuer, caplog: pytest.LogCaptureFixture
    ) -> None:
        """What a path holds is escaped."""
        caplog.set_level(logging.INFO, "authgate.audit")
        request = ag.RequestView("GET", '/a\n{"verdict":"granted"}\u2028', (bearer(fake.token("u1")),))
        make(audit=AuditLog()).admit(request, ag.is_user)

        (text,) = [record.getMessage() for record in caplog.records if record.name == "authgate.audit"]
        assert text.isascii()
        assert "\n" not in text

    def test_without_grants(
        self, make: Make, fake: FakeIssuer, lines: Callable[[], list[dict[str, Any]]]
    ) -> None:
        """Where those are too many, refusals are still written."""
        gate = make(audit=AuditLog(grants=False))
        gate.admit(view(bearer(fake.token("u1"))), ag.is_user)
        with pytest.raises(ag.MissingCredentials):
            gate.admit(view(), ag.is_user)

        assert ["refused"] == [line["verdict"] for line in lines()]
