"""Graphene in Flask, executed synchronously."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from flask import Flask
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue
from graphql import GraphQLSchema
from graphql_server.flask.views import GraphQLView

from authgate_flask import AuthGate
from tests.adapter_contract.adapter import Adapter
from tests.adapter_contract.graphene.schema import schema, whom
from tests.adapter_contract.promises import Answer, Promise
from tests.adapter_contract.row import Row

__all__ = ["GrapheneSync", "GrapheneSyncStatus"]


class View(GraphQLView):
    """The view of ``graphql-server`` at an address with a parameter, which it would not take by itself."""

    def dispatch_request(self, who: str) -> ResponseReturnValue:  # type: ignore[override]  # a parameter more
        """Execute an operation."""
        return super().dispatch_request()


class GrapheneSync(Adapter[FlaskClient]):
    """Plain resolvers, asked by Flask's client; the status stays 200."""

    name = "graphene_sync"

    def schema(self, rows: Sequence[Row]) -> GraphQLSchema:
        """What is served."""
        return schema(rows, whom)

    @staticmethod
    def tells(promise: Promise) -> Answer:
        """By the errors alone."""
        return promise.graphql()

    @contextmanager
    def opened(self, gate: str, rows: Sequence[Row]) -> Iterator[FlaskClient]:
        """A client of the application."""
        app = Flask("contract")
        with self.world.gate(gate) as opened:
            AuthGate(app, gate=opened)
            view = View.as_view("graphql", schema=self.schema(rows))
            app.add_url_rule("/graphql/<who>", view_func=view)
            yield app.test_client()

    def send(self, door: FlaskClient, row: Row) -> Answer:
        """One operation."""
        query, headers = {"query": f"{{ {row.slug} }}"}, list(row.headers(self.world))
        answer = door.post(f"/graphql/{row.who}", json=query, headers=headers)
        return Answer.of_graphql(answer.status_code, answer.headers, answer.data)


class GrapheneSyncStatus(GrapheneSync):
    """The same, where refusals are asked to be the status of the response."""

    name = "graphene_sync_status"

    def schema(self, rows: Sequence[Row]) -> GraphQLSchema:
        """What is served."""
        return schema(rows, whom, http_status=True)

    @staticmethod
    def tells(promise: Promise) -> Answer:
        """By the errors, the status and the headers."""
        return promise.graphql_over_http()
