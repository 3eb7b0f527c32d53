"""Flask behind waitress, over real HTTP."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from flask import Flask
from waitress import wasyncore
from waitress.server import create_server

from tests.adapter_contract.adapter import Adapter
from tests.adapter_contract.adapters.flask_sync import flask_app
from tests.adapter_contract.promises import Answer
from tests.adapter_contract.row import Row
from tests.adapter_contract.world import Headers

__all__ = ["FlaskWaitress", "get", "served"]


@contextmanager
def served(app: Flask) -> Iterator[int]:
    """The port of 127.0.0.1 on which waitress serves an application."""
    sockets: dict[int, object] = {}
    server = create_server(app, map=sockets, host="127.0.0.1", port=0, threads=4)
    loop = threading.Thread(target=server.run)
    loop.start()
    try:
        yield server.effective_port
    finally:
        server.trigger.pull_trigger(lambda: wasyncore.close_all(sockets))
        loop.join(timeout=10)
        server.task_dispatcher.shutdown()


def get(port: int, path: str, headers: Headers) -> Answer:
    """One request on a connection of its own, with every header as a line of its own."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.putrequest("GET", path)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        with connection.getresponse() as answer:
            return Answer.of_http(answer.status, answer.getheaders(), answer.read())


class FlaskWaitress(Adapter[int]):
    """Asked over a socket."""

    name = "flask_waitress"

    @contextmanager
    def opened(self, gate: str, rows: Sequence[Row]) -> Iterator[int]:
        """The port of the application."""
        with self.world.gate(gate) as opened, served(flask_app(opened, rows)) as port:
            yield port

    def send(self, door: int, row: Row) -> Answer:
        """One request."""
        return get(door, f"/{row.slug}/{row.who}", row.headers(self.world))
