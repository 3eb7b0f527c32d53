"""Graphene in FastAPI, executed asynchronously."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fastapi import FastAPI
from fastapi.testclient import TestClient
from graphql import GraphQLSchema
from graphql_server.fastapi import GraphQLRouter

from authgate_fastapi import AuthGate
from tests.adapter_contract.adapter import Adapter
from tests.adapter_contract.adapters.fastapi_dependency import closing
from tests.adapter_contract.graphene.schema import schema, whom, whom_async
from tests.adapter_contract.promises import Answer, Promise
from tests.adapter_contract.row import Row

__all__ = ["GrapheneAsync", "GrapheneAsyncPlain", "GrapheneAsyncStatus"]


class GrapheneAsync(Adapter[TestClient]):
    """Async resolvers, asked by FastAPI's client; the status stays 200."""

    name = "graphene_async"

    def schema(self, rows: Sequence[Row]) -> GraphQLSchema:
        """What is served."""
        return schema(rows, whom_async)

    @staticmethod
    def tells(promise: Promise) -> Answer:
        """By the errors alone."""
        return promise.graphql()

    @contextmanager
    def opened(self, gate: str, rows: Sequence[Row]) -> Iterator[TestClient]:
        """A client of the application, which runs until it is closed."""
        opened = self.world.async_gate(gate)
        app = FastAPI(lifespan=closing(opened))
        AuthGate(app, gate=opened)
        app.include_router(GraphQLRouter(self.schema(rows)), prefix="/graphql/{who}")
        with TestClient(app, client=("127.0.0.1", 50_000)) as client:
            yield client

    def send(self, door: TestClient, row: Row) -> Answer:
        """One operation."""
        headers = [(name.encode(), value.encode("latin-1")) for name, value in row.headers(self.world)]
        answer = door.post(f"/graphql/{row.who}", json={"query": f"{{ {row.slug} }}"}, headers=headers)
        return Answer.of_graphql(answer.status_code, answer.headers.multi_items(), answer.content)


class GrapheneAsyncStatus(GrapheneAsync):
    """The same, where refusals are asked to be the status of the response."""

    name = "graphene_async_status"

    def schema(self, rows: Sequence[Row]) -> GraphQLSchema:
        """What is served."""
        return schema(rows, whom_async, http_status=True)

    @staticmethod
    def tells(promise: Promise) -> Answer:
        """By the errors, the status and the headers."""
        return promise.graphql_over_http()


class GrapheneAsyncPlain(GrapheneAsync):
    """The same with plain resolvers."""

    name = "graphene_async_plain"

    def schema(self, rows: Sequence[Row]) -> GraphQLSchema:
        """What is served."""
        return schema(rows, whom)
