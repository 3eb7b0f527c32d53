"""Strawberry in FastAPI, executed asynchronously."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fastapi import FastAPI
from fastapi.testclient import TestClient
from strawberry import Schema
from strawberry.fastapi import GraphQLRouter

from authgate_fastapi import AuthGate
from tests.adapter_contract.adapter import Adapter
from tests.adapter_contract.adapters.fastapi_dependency import closing
from tests.adapter_contract.promises import Answer, Promise
from tests.adapter_contract.row import Row
from tests.adapter_contract.strawberry.schema import (
    bare_schema,
    extended,
    permitted,
    schema,
    whom,
    whom_async,
)

__all__ = ["StrawberryAsync", "StrawberryAsyncBare", "StrawberryAsyncGuard", "StrawberryAsyncStatus"]


class StrawberryAsync(Adapter[TestClient]):
    """Async resolvers, asked by FastAPI's client; the status stays 200."""

    name = "strawberry_async"

    def schema(self, rows: Sequence[Row]) -> Schema:
        """What is served."""
        return schema(rows, permitted, whom_async)

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
        made = self.schema(rows)
        app.include_router(GraphQLRouter(made), prefix="/graphql/{who}")
        with TestClient(app, client=("127.0.0.1", 50_000)) as client:
            yield client

    def send(self, door: TestClient, row: Row) -> Answer:
        """One operation."""
        headers = [(name.encode(), value.encode("latin-1")) for name, value in row.headers(self.world)]
        answer = door.post(f"/graphql/{row.who}", json={"query": f"{{ {row.slug} }}"}, headers=headers)
        return Answer.of_graphql(answer.status_code, answer.headers.multi_items(), answer.content)


class StrawberryAsyncStatus(StrawberryAsync):
    """The same, where refusals are asked to be the status of the response."""

    name = "strawberry_async_status"

    def schema(self, rows: Sequence[Row]) -> Schema:
        """What is served."""
        return schema(rows, permitted, whom_async, http_status=True)

    @staticmethod
    def tells(promise: Promise) -> Answer:
        """By the errors, the status and the headers."""
        return promise.graphql_over_http()


class StrawberryAsyncGuard(StrawberryAsync):
    """The same with field extensions in the place of permission classes."""

    name = "strawberry_async_guard"

    def schema(self, rows: Sequence[Row]) -> Schema:
        """What is served."""
        return schema(rows, extended, whom_async)


class StrawberryAsyncBare(StrawberryAsync):
    """The same with plain resolvers and without the extension, so that the first field has to wait."""

    name = "strawberry_async_bare"

    def schema(self, rows: Sequence[Row]) -> Schema:
        """What is served."""
        return bare_schema(rows, permitted, whom)
