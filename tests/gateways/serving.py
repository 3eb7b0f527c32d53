"""The same application on the servers that it may have, and requests to them as anybody could write them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeAlias
from wsgiref.simple_server import WSGIRequestHandler, make_server

import uvicorn
from fastapi import FastAPI, Request, WebSocket
from flask import Flask, request
from waitress import wasyncore
from waitress.server import create_server

import authgate_core as ag
from authgate_fastapi import AuthGate as FastAPIGate
from authgate_fastapi import AuthMiddleware, CurrentUser
from authgate_flask import AuthGate as FlaskGate
from authgate_flask import current_user, requires

__all__ = ["SERVERS", "Serve", "send"]

Serve: TypeAlias = Callable[[ag.GateConfig], Any]
"""Serves the application behind a gate of this configuration: a context, which gives the port."""

_METHODS: Final = ["GET", "POST"]


def flask_app(config: ag.GateConfig) -> Flask:
    """Answers who calls, and the body; its guards stand twice."""
    app = Flask("behind")
    FlaskGate(app, config=config, default=ag.is_user)

    @app.route("/<path:path>", methods=_METHODS)
    @requires(ag.is_user)
    def whoever(path: str) -> dict[str, Any]:
        body = request.get_data(as_text=True)
        asked = f"{path}?{request.query_string.decode()}"
        return {"id": current_user.id, "roles": current_user.roles, "asked": asked, "body": body}

    return app


def fastapi_app(config: ag.GateConfig) -> FastAPI:
    """The same, with the middleware before the guard of the route; and a WebSocket."""
    app = FastAPI()
    FastAPIGate(app, config=config)
    app.add_middleware(AuthMiddleware)

    @app.api_route("/{path:path}", methods=_METHODS)
    async def whoever(path: str, request: Request, user: CurrentUser) -> dict[str, Any]:
        body = (await request.body()).decode()
        asked = f"{path}?{request.scope['query_string'].decode()}"
        return {"id": user.id, "roles": user.roles, "asked": asked, "body": body}

    @app.websocket("/socket")
    async def socket_of(websocket: WebSocket, user: CurrentUser) -> None:
        await websocket.accept()
        await websocket.send_text(user.id)
        await websocket.close()

    return app


@contextmanager
def by_waitress(config: ag.GateConfig) -> Iterator[int]:
    """Flask behind waitress, which drops names with underscores and joins what is repeated."""
    sockets: dict[int, object] = {}
    app = flask_app(config)
    server = create_server(app, map=sockets, host="127.0.0.1", port=0, threads=2)
    loop = threading.Thread(target=server.run)
    loop.start()
    try:
        yield server.effective_port
    finally:
        server.trigger.pull_trigger(lambda: wasyncore.close_all(sockets))
        loop.join(timeout=10)
        server.task_dispatcher.shutdown()
        app.extensions["authgate"].gate.close()


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Write nothing."""


@contextmanager
def by_wsgiref(config: ag.GateConfig) -> Iterator[int]:
    """Flask behind wsgiref, which takes names with underscores for those with hyphens, and joins both."""
    app = flask_app(config)
    with make_server("127.0.0.1", 0, app, handler_class=_Silent) as server:
        loop = threading.Thread(target=server.serve_forever, args=(0.01,))
        loop.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            loop.join(timeout=10)
            app.extensions["authgate"].gate.close()


@contextmanager
def by_uvicorn(config: ag.GateConfig) -> Iterator[int]:
    """FastAPI behind uvicorn as it is by default, believing X-Forwarded-For from this machine."""
    with _uvicorn(config, proxy_headers=True) as port:
        yield port


@contextmanager
def by_plain_uvicorn(config: ag.GateConfig) -> Iterator[int]:
    """FastAPI behind uvicorn --no-proxy-headers."""
    with _uvicorn(config, proxy_headers=False) as port:
        yield port


@contextmanager
def _uvicorn(config: ag.GateConfig, *, proxy_headers: bool) -> Iterator[int]:
    settings = uvicorn.Config(
        fastapi_app(config), log_config=None, proxy_headers=proxy_headers, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(settings)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        loop = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        loop.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            loop.join(timeout=10)


SERVERS: Final[Mapping[str, Serve]] = {
    "waitress": by_waitress,
    "wsgiref": by_wsgiref,
    "uvicorn": by_uvicorn,
    "plain uvicorn": by_plain_uvicorn,
}


def send(
    port: int,
    headers: Mapping[str, str] | Sequence[tuple[str, str]],
    method: str = "GET",
    target: str = "/orders",
    body: bytes = b"",
    *,
    sized: bool = True,
) -> tuple[int, str]:
    """Send one request, each header as a line of its own, spelled as it is; answers status and body."""
    pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
    pairs += [("Host", "api.example.com"), ("Connection", "close")]
    if body and sized:
        pairs.append(("Content-Length", str(len(body))))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in pairs), "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall("\r\n".join(lines).encode() + body)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    head, _, content = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), content.decode()
