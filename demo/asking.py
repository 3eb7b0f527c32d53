"""How an app is asked: over HTTP or a WebSocket, by a route or by a field."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import httpx2
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from .rows import Promise, Row
from .world import App

__all__ = ["Answer", "ask", "query"]

SECONDS: Final = 10.0


@dataclass(frozen=True)
class Answer:
    """What an app answered.

    Args:
        told: The status and the code.
        milliseconds: After how long.
    """

    told: Promise
    milliseconds: float


def ask(client: httpx2.Client, app: App, row: Row, promise: Promise) -> Answer:
    """Ask once; where something recovers, until the promise is kept or patience ends."""
    patient_until = time.monotonic() + row.patience
    while True:
        started = time.perf_counter()
        told = _socket(app, row) if row.websocket else _http(client, app, row)
        answer = Answer(told, (time.perf_counter() - started) * 1000)
        if told == promise or time.monotonic() >= patient_until:
            return answer
        time.sleep(0.1)


def query(row: Row) -> str:
    """What a GraphQL app is sent, as JSON."""
    return json.dumps({"query": f"{{ {row.field} }}"})


def _http(client: httpx2.Client, app: App, row: Row) -> Promise:
    if app.graphql:
        headers = [*row.headers, ("content-type", "application/json")]
        response = client.post(app.url, content=query(row), headers=headers)
        return Promise(response.status_code, _error_code(response.json()))
    response = client.request(row.method, _raw(app.url + row.path), headers=row.headers)
    is_json = "json" in response.headers.get("content-type", "")
    return Promise(response.status_code, response.json().get("code") if is_json else None)


def _error_code(result: Mapping[str, Any]) -> str | None:
    """The code of the first error of a result."""
    errors = result.get("errors") or [{}]
    code: str | None = errors[0].get("extensions", {}).get("code")
    return code


def _raw(url: str) -> httpx2.URL:
    """The URL with its path sent as it is written: a client would resolve dot segments."""
    parsed = httpx2.URL(url)
    return parsed.copy_with(raw_path=url.removeprefix(str(parsed.copy_with(raw_path=b"/"))[:-1]).encode())


def _socket(app: App, row: Row) -> Promise:
    url = app.url.replace("http://", "ws://")
    spoken = [Subprotocol("graphql-transport-ws")] if app.graphql else None
    try:
        with connect(
            url if app.graphql else url + row.path,
            additional_headers=row.headers,
            subprotocols=spoken,
            proxy=None,
        ) as opened:
            code = _subscribed(opened, row) if app.graphql else json.loads(opened.recv(SECONDS)).get("code")
            if row.meanwhile is not None:
                with row.meanwhile(), suppress(TimeoutError):
                    opened.recv(SECONDS)
            return Promise(101, code)
    except InvalidStatus as refused:
        return Promise(refused.response.status_code, json.loads(refused.response.body)["code"])
    except ConnectionClosed as closed:
        return Promise(closed.rcvd.code, closed.rcvd.reason) if closed.rcvd is not None else Promise(1006)


def _subscribed(opened: ClientConnection, row: Row) -> str | None:
    """Subscribe to the field; the code of the error, if the first message is one."""
    opened.send(json.dumps({"type": "connection_init"}))
    assert json.loads(opened.recv(SECONDS))["type"] == "connection_ack"
    asked = {"query": f"subscription {{ {row.field} }}"}
    opened.send(json.dumps({"type": "subscribe", "id": "1", "payload": asked}))
    first = json.loads(opened.recv(SECONDS))
    result = {"errors": first["payload"]} if first["type"] == "error" else first["payload"]
    return _error_code(result)
