"""What a response is told of refusals and of whom guards have let in (Laws 1.7, 2.3)."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from flask import Response as FlaskResponse
from starlette.requests import Request
from starlette.responses import Response as StarletteResponse

from authgate_core.challenge import Problem
from authgate_graphql.context import visit_of
from authgate_graphql.responses import mark, tell
from authgate_graphql.visit import Visit

RISING = (403, 503, 401, 400)


def problem(status: int) -> Problem:
    """A refusal with two headers, one of which others do not have."""
    headers = (
        ("Content-Type", "application/problem+json"),
        ("Cache-Control", "no-store"),
        (f"X-{status}", "yes"),
    )
    return Problem(status, headers, {}, 4000, "CODE")


@pytest.fixture
def visit() -> Visit:
    """Of a request that nobody has judged."""
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    return visit_of({"request": Request(scope)})


@pytest.fixture(params=[FlaskResponse, StarletteResponse], ids=["flask", "starlette"])
def response(request: pytest.FixtureRequest) -> Any:
    """A response of either framework."""
    return request.param(status=200) if request.param is FlaskResponse else request.param(status_code=200)


class TestRefusals:
    @pytest.mark.parametrize("order", list(permutations(RISING)))
    def test_the_gravest(self, visit: Visit, response: Any, order: tuple[int, ...]) -> None:
        """Law 2.3: whichever comes first, the gravest is the answer, with its own headers and no other's."""
        for count, status in enumerate(order, 1):
            tell({"response": response}, visit, problem(status), status=True)
            gravest = max(order[:count], key=RISING.index)
            told = [name for name, _ in response.headers.items() if name.lower().startswith("x-")]
            assert (gravest, [f"x-{gravest}"]) == (response.status_code, [name.lower() for name in told])
        assert "no-store" == response.headers["cache-control"]
        assert "problem" not in str(response.headers.get("content-type"))

    def test_not_asked_for(self, visit: Visit, response: Any) -> None:
        """Without being asked for no status is told, but that the response is not to be kept."""
        response.headers["cache-control"] = "public"
        tell({"response": response}, visit, problem(401), status=False)
        assert (200, "no-store") == (response.status_code, response.headers["cache-control"])
        assert "x-401" not in response.headers

    @pytest.mark.parametrize("context", [None, {}, {"response": None}, {"response": "text"}, object()])
    def test_without_a_response(self, visit: Visit, context: Any) -> None:
        """A context without one is none the worse for it."""
        visit.unmarked["Authorization"] = None
        tell(context, visit, problem(401), status=True)
        mark(context, visit)
        assert None is visit.answered


class TestAdmissions:
    def test_marked(self, visit: Visit, response: Any) -> None:
        """Private, and varying with what was read; what the app has set stands."""
        response.headers["vary"] = "Accept"
        visit.unmarked.update({"Authorization": None, "X-App-Id": None})
        mark({"response": response}, visit)
        assert "private" == response.headers["cache-control"]
        assert "Accept, Authorization, X-App-Id" == response.headers["vary"]

    def test_refused_before(self, visit: Visit, response: Any) -> None:
        """A response that somebody was refused in stays one that is not kept."""
        tell({"response": response}, visit, problem(403), status=False)
        visit.unmarked["Authorization"] = None
        mark({"response": response}, visit)
        assert "no-store" == response.headers["cache-control"]
