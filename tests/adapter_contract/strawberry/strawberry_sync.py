"""Strawberry in Flask, executed synchronously and in async views."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue
from strawberry import Schema
from strawberry.flask.views import AsyncGraphQLView, GraphQLView

from authgate_flask import AuthGate
from tests.adapter_contract.adapter import Adapter
from tests.adapter_contract.promises import Answer, Promise
from tests.adapter_contract.row import Row
from tests.adapter_contract.strawberry.schema import extended, permitted, schema, whom, whom_async

__all__ = ["StrawberryFlaskAsync", "StrawberrySync", "StrawberrySyncGuard", "StrawberrySyncStatus"]


class View(GraphQLView):
    """Strawberry's view at an address with a parameter, which it would not take by itself."""

    def dispatch_request(self, who: str) -> ResponseReturnValue:  # type: ignore[override]  # a parameter more
        """Execute an operation."""
        return super().dispatch_request()


class AsyncView(AsyncGraphQLView):
    """The same, executed in a loop."""

    async def dispatch_request(self, who: str) -> ResponseReturnValue:  # type: ignore[override]  # a parameter more
        """Execute an operation."""
        return await super().dispatch_request()


class StrawberrySync(Adapter[FlaskClient]):
    """Plain resolvers, asked by Flask's client; the status stays 200."""

    name = "strawberry_sync"

    def schema(self, rows: Sequence[Row]) -> Schema:
        """What is served."""
        return schema(rows, permitted, whom)

    def view(self, rows: Sequence[Row]) -> Callable[..., Any]:
        """What serves it."""
        return View.as_view("graphql", schema=self.schema(rows))

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
            app.add_url_rule("/graphql/<who>", view_func=self.view(rows))
            yield app.test_client()

    def send(self, door: FlaskClient, row: Row) -> Answer:
        """One operation."""
        query, headers = {"query": f"{{ {row.slug} }}"}, list(row.headers(self.world))
        answer = door.post(f"/graphql/{row.who}", json=query, headers=headers)
        return Answer.of_graphql(answer.status_code, answer.headers, answer.data)


class StrawberrySyncStatus(StrawberrySync):
    """The same, where refusals are asked to be the status of the response."""

    name = "strawberry_sync_status"

    def schema(self, rows: Sequence[Row]) -> Schema:
        """What is served."""
        return schema(rows, permitted, whom, http_status=True)

    @staticmethod
    def tells(promise: Promise) -> Answer:
        """By the errors, the status and the headers."""
        return promise.graphql_over_http()


class StrawberrySyncGuard(StrawberrySync):
    """The same with field extensions in the place of permission classes."""

    name = "strawberry_sync_guard"

    def schema(self, rows: Sequence[Row]) -> Schema:
        """What is served."""
        return schema(rows, extended, whom)


class StrawberryFlaskAsync(StrawberrySync):
    """Async resolvers in an async view of Flask, whose gate stays a sync one."""

    name = "strawberry_flask_async"

    def schema(self, rows: Sequence[Row]) -> Schema:
        """What is served."""
        return schema(rows, permitted, whom_async)

    def view(self, rows: Sequence[Row]) -> Callable[..., Any]:
        """What serves it."""
        return AsyncView.as_view("graphql", schema=self.schema(rows))
