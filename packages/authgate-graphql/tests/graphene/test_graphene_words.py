"""Refusals in an application's own words (Law 1.10)."""

from typing import Any

import graphene
import pytest
from flask import Flask, request
from graphql_server.flask.views import GraphQLView

from authgate_core import ConfigurationError, is_user
from authgate_graphql.graphene import AuthGateMiddleware, protect, requires


class Query(graphene.ObjectType):
    mine = graphene.String()
    orders = graphene.String()

    @requires(is_user)
    def resolve_mine(self, info: Any) -> str:
        return "mine"


def words(error: Any, problem: Any) -> dict[str, Any]:
    """They say more, and cannot say another code."""
    return {"message": f"Sorry: {error.code}", "help": problem.status, "code": "MINE"}


TOLD = {"help": 401, "code": "UNAUTHENTICATED", "missing": [], "http": {"status": 401}}


class TestOwnWords:
    def test_of_a_middleware(self, app: Flask) -> None:
        """The message and further members, for guards of any field."""
        with app.test_request_context():
            result = graphene.Schema(query=Query).execute(
                "{ mine }",
                context={"request": request},
                middleware=[AuthGateMiddleware(on_refusal=words)],
            )
        (error,) = result.errors
        assert ("Sorry: credentials_missing", TOLD) == (error.message, error.extensions)

    def test_of_a_protected_schema(self, app: Flask) -> None:
        """The same behind a view, for fields that are closed by default."""
        schema = graphene.Schema(query=Query)
        protect(schema, is_user, on_refusal=words)
        view = GraphQLView.as_view("graphql", schema=schema.graphql_schema)
        app.add_url_rule("/graphql", view_func=view)
        answered: Any = app.test_client().post("/graphql", json={"query": "{ orders }"}).json
        (error,) = answered["errors"]
        assert ("Sorry: credentials_missing", TOLD) == (error["message"], error["extensions"])

    def test_words_that_cannot_be_had(self) -> None:
        """A text is no function."""
        with pytest.raises(ConfigurationError, match="on_refusal: give a function"):
            AuthGateMiddleware(on_refusal="no")  # type: ignore[arg-type]  # that is the mistake
