"""``assert_denied``: what counts as a refusal, of whatever it is told by; adapters have tests with real answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

import authgate_core as ag
from authgate_core.testing import assert_denied

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="orders"'}


def response(status: int, body: object = None, headers: dict[str, str] | None = None) -> httpx2.Response:
    """A response as a client has it."""
    return httpx2.Response(status, headers=headers or {}, content=json.dumps(body).encode())


@dataclass
class Result:
    """The result of an operation, as the libraries of GraphQL have it."""

    errors: list[Any] | None
    data: Any = None


@dataclass
class Failure:
    """One of its errors."""

    extensions: dict[str, Any] | None = field(default_factory=dict)


class Disconnected(Exception):
    """What the test client of Starlette raises."""

    code = 4401


class Rejected(Exception):
    """What ``websockets`` raises where a handshake is answered."""

    def __init__(self, answered: httpx2.Response | None) -> None:
        self.response = answered


class Dropped(Exception):
    """What it raises where a socket is closed."""

    def __init__(self, code: int) -> None:
        self.rcvd = Disconnected()
        self.rcvd.code = code


class TestWhatIsDenied:
    """Whatever a gate refuses because of what was presented."""

    @pytest.mark.parametrize(
        ("answer", "status", "code"),
        [
            (response(401, {"code": "token_expired"}, CHALLENGE), 401, "token_expired"),
            (response(403, {"code": "forbidden"}), 403, "forbidden"),
            (response(400, {"code": "malformed"}), 400, "malformed"),
            (response(200, {"errors": [{"extensions": {"code": "FORBIDDEN"}}]}), 403, "FORBIDDEN"),
            (
                response(401, {"errors": [{"extensions": {"code": "UNAUTHENTICATED"}}]}),
                401,
                "UNAUTHENTICATED",
            ),
            ({"data": None, "errors": [{"extensions": {"code": "BAD_CREDENTIALS"}}]}, 400, "BAD_CREDENTIALS"),
            (Result([Failure({"code": "STEP_UP_REQUIRED"})]), 401, "STEP_UP_REQUIRED"),
            (Result([Failure(None), Failure({"code": "FORBIDDEN"})]), 403, "FORBIDDEN"),
            (ag.TokenExpired("too late"), 401, "token_expired"),
            (Disconnected(), 401, None),
            (4403, 403, None),
            (4400, 400, None),
            (Rejected(response(401, {"code": "c"}, CHALLENGE)), 401, "c"),
            (Dropped(4403), 403, None),
        ],
    )
    def test_in_every_protocol(self, answer: object, status: int, code: str | None) -> None:
        """The table of section 1 of the laws; status and code may be left out, and others are not those."""
        assert_denied(answer)
        assert_denied(answer, status, code=code)
        with pytest.raises(AssertionError, match="expected 4"):
            assert_denied(answer, 403 if status == 401 else 401)
        with pytest.raises(AssertionError, match="expected the code 'another'"):
            assert_denied(answer, code="another")

    @pytest.mark.parametrize(
        "answer",
        [
            response(503),
            {"errors": [{"extensions": {"code": "AUTH_UNAVAILABLE"}}]},
            1013,
            ag.KeysUnavailable("down"),
        ],
    )
    def test_not_in_an_outage(self, answer: object) -> None:
        """Law 1.5: nobody is denied then, unless that is what is expected."""
        assert_denied(answer, 503)
        with pytest.raises(AssertionError, match="expected 400 or 401 or 403"):
            assert_denied(answer)

    @pytest.mark.parametrize(
        "answer",
        [
            response(200, {"orders": []}),
            response(404),
            response(500, {"errors": [{"message": "bug"}]}),
            response(200, ["no", "object"]),
            {"data": {"orders": []}},
            Result(None, {"orders": []}),
            Result([Failure({"code": "GRAPHQL_VALIDATION_FAILED"})]),
            1000,
        ],
    )
    def test_not_what_no_gate_said(self, answer: object) -> None:
        """What was admitted, what is missing and what is broken."""
        for status in (None, 401, 403):
            with pytest.raises(AssertionError, match="expected 4"):
                assert_denied(answer, status)

    def test_not_a_401_of_somebody_elses(self) -> None:
        """Law 1.1: a gate says what to present."""
        with pytest.raises(AssertionError, match="a 401 without WWW-Authenticate"):
            assert_denied(response(401, {"code": "token_expired"}))

    def test_what_cannot_be_judged(self) -> None:
        """Is a mistake of the test."""
        with pytest.raises(TypeError, match="not str"):
            assert_denied("401")
        with pytest.raises(TypeError, match="not Rejected"):
            assert_denied(Rejected(None))
