"""Strawberry's subscriptions (graphql-transport-ws) in FastAPI, behind uvicorn."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI
from strawberry.fastapi import GraphQLRouter
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from authgate_fastapi import AuthGate
from tests.adapter_contract.adapter import Adapter
from tests.adapter_contract.adapters.fastapi_dependency import closing
from tests.adapter_contract.promises import Answer, Promise
from tests.adapter_contract.row import Row
from tests.adapter_contract.strawberry.schema import subscriptions
from tests.adapter_contract.world import Headers
from tests.support.subscribing import served

__all__ = ["StrawberrySubscription", "StrawberrySubscriptionHeaders"]


def subscribe(url: str, field: str, headers: Headers, payload: dict[str, str]) -> Answer:
    """What a client is told first that subscribes to one field."""
    protocol = Subprotocol("graphql-transport-ws")
    with connect(url, additional_headers=headers, subprotocols=[protocol], proxy=None) as opened:
        _say(opened, type="connection_init", payload=payload)
        assert "connection_ack" == json.loads(opened.recv(timeout=10))["type"]
        _say(opened, type="subscribe", id="1", payload={"query": f"subscription {{ {field} }}"})
        told = json.loads(opened.recv(timeout=10))
        return Answer.of_result({"errors": told["payload"]} if told["type"] == "error" else told["payload"])


def _say(opened: ClientConnection, **message: Any) -> None:
    opened.send(json.dumps(message))


class StrawberrySubscription(Adapter[int]):
    """Credentials come in ``connection_init``, as browsers have it, which can set no header."""

    name = "strawberry_subscription"

    @staticmethod
    def tells(promise: Promise) -> Answer:
        """By the errors alone."""
        return promise.result()

    @contextmanager
    def opened(self, gate: str, rows: Sequence[Row]) -> Iterator[int]:
        """The port of the application."""
        opened = self.world.async_gate(gate)
        app = FastAPI(lifespan=closing(opened))
        AuthGate(app, gate=opened)
        app.include_router(GraphQLRouter(subscriptions(rows)), prefix="/graphql/{who}")
        with served(app) as port:
            yield port

    def send(self, door: int, row: Row) -> Answer:
        """One subscription."""
        payload: dict[str, str] = {}
        for name, value in row.headers(self.world):
            payload[name.upper() if name in payload else name] = value  # twice, in two spellings
        return subscribe(self.url(door, row), row.slug, (), payload)

    def url(self, door: int, row: Row) -> str:
        """Where it subscribes."""
        return f"ws://127.0.0.1:{door}/graphql/{row.who}"


class StrawberrySubscriptionHeaders(StrawberrySubscription):
    """Credentials come in the handshake."""

    name = "strawberry_subscription_headers"

    def send(self, door: int, row: Row) -> Answer:
        """One subscription."""
        return subscribe(self.url(door, row), row.slug, row.headers(self.world), {})
