"""Refusals in an application's own words (Law 1.10)."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
import strawberry

from authgate_core import AuthgateError, ConfigurationError, is_user
from authgate_core.challenge import Problem
from authgate_graphql.strawberry import AuthGateExtension, requires

Serve = Callable[[strawberry.Schema], Any]


@strawberry.type
class Query:
    @strawberry.field(permission_classes=[requires(is_user)])
    def mine(self) -> str:
        return "mine"


def schema(on_refusal: Any, **options: Any) -> strawberry.Schema:
    """The schema with words of its own."""
    extension = partial(AuthGateExtension, on_refusal=on_refusal, **options)
    return strawberry.Schema(Query, extensions=[extension])


class TestOwnWords:
    def test_what_is_said_besides(self, serve: Serve) -> None:
        """The message and further members; code, missing and status stand."""

        def words(error: AuthgateError, problem: Problem) -> Mapping[str, Any]:
            return {
                "message": f"Sorry: {error.code}",
                "help": "/login",
                "code": "MINE",
                "http": problem.status,
            }

        (error,) = serve(schema(words)).post("{ mine }").errors
        told = {"help": "/login", "code": "UNAUTHENTICATED", "missing": [], "http": {"status": 401}}
        assert ("Sorry: credentials_missing", told) == (error["message"], error["extensions"])

    def test_none_for_what_is_said_otherwise(self, serve: Serve) -> None:
        """The refusal stays as it is."""
        (error,) = serve(schema(lambda *_: None)).post("{ mine }").errors
        told = {"code": "UNAUTHENTICATED", "missing": [], "http": {"status": 401}}
        assert ("Authentication is required.", told) == (error["message"], error["extensions"])

    def test_status_and_challenge_stand(self, serve: Serve) -> None:
        """Whatever is said."""
        answer = serve(schema(lambda *_: {"message": "no"}, http_status=True)).post("{ mine }")
        assert (401, 'Bearer realm="orders"') == (answer.status, answer.headers["www-authenticate"])

    def test_words_that_cannot_be_had(self, serve: Serve) -> None:
        """An async function is a configuration error, not words that nobody awaits."""

        async def words(*_: object) -> None:
            """Too late."""

        with pytest.raises(ConfigurationError, match="on_refusal: give a function"):
            AuthGateExtension(on_refusal=words)  # type: ignore[arg-type]  # that is the mistake
