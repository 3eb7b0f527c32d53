"""What one request keeps between event loops, threads and processes."""

import asyncio
import os
import threading
import warnings
from collections.abc import Callable
from typing import Any

import flask
import pytest
import strawberry
from flask import Flask
from starlette.requests import Request

from authgate_core import all_scopes, is_user
from authgate_flask import AuthGate
from authgate_graphql.context import visit_of
from authgate_graphql.hosts import host_of
from authgate_graphql.strawberry import requires


@strawberry.type
class Query:
    """Two fields that ask different things."""

    @strawberry.field(permission_classes=[requires(is_user)])
    async def name(self) -> str:
        """For users."""
        return "Uma"

    @strawberry.field(permission_classes=[requires(is_user & all_scopes("orders:read"))])
    async def order(self) -> str:
        """For users who may read orders."""
        return "o1"


class TestLoops:
    """A view may call ``asyncio.run`` for each operation of one request."""

    def test_a_request_is_judged_in_a_second_event_loop_as_in_the_first(
        self, world: Any, user: dict[str, str]
    ) -> None:
        """Law 9.5: fields of a second loop that wait for each other do not meet a lock of the first."""
        schema = strawberry.Schema(Query)
        app = Flask("orders")
        AuthGate(app, gate=world.gate)
        with app.test_request_context("/graphql", headers=user):
            context = {"request": flask.request}
            results = [
                asyncio.run(schema.execute(query, context_value=context))
                for query in ("{ name again: name }", "{ order again: order }")
            ]
        assert [None, None] == [result.errors for result in results]
        assert ["TokenRef"] == world.verified


class TestForks:
    """A process may fork while a thread of it begins to serve a request."""

    def test_a_child_serves_though_its_parent_was_beginning_a_request(
        self, arrive: Callable[..., Request], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Law 9.5: nothing that a thread of the parent held at the fork is waited for in the child."""
        begins, goes_on = threading.Event(), threading.Event()

        def slowly(request: object, context: object) -> Any:
            begins.set()
            goes_on.wait()
            return host_of(request, context)

        monkeypatch.setattr("authgate_graphql.context.host_of", slowly)
        thread = threading.Thread(target=visit_of, args=[{"request": arrive()}])
        thread.start()
        begins.wait()
        monkeypatch.setattr("authgate_graphql.context.host_of", host_of)
        with warnings.catch_warnings():  # Python warns of what is tried here
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            serving = threading.Thread(target=visit_of, args=[{"request": arrive()}], daemon=True)
            serving.start()
            serving.join(5)
            os._exit(int(serving.is_alive()))
        goes_on.set()
        thread.join()
        _, status = os.waitpid(child, 0)
        assert 0 == os.waitstatus_to_exitcode(status)

    def test_threads_of_one_request_share_its_visit(self, arrive: Callable[..., Request]) -> None:
        """Law 2.6: whichever thread comes first, the others find what it began."""
        context = {"request": arrive()}
        together = threading.Barrier(8)
        found: list[object] = []

        def look() -> None:
            together.wait()
            found.append(visit_of(context))

        threads = [threading.Thread(target=look) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 8 == len(found)
        assert 1 == len(set(map(id, found)))
