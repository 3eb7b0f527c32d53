"""Servers on loopback and free ports."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Final

import uvicorn
from fastapi import FastAPI
from flask import Flask
from waitress.server import create_server

__all__ = ["serve_asgi", "serve_wsgi"]

HOST: Final = "127.0.0.1"


@contextlib.contextmanager
def serve_wsgi(app: Flask) -> Iterator[str]:
    """An app on waitress, as the address that it answers at."""
    server = create_server(app, host=HOST, port=0, threads=4)
    thread = threading.Thread(target=server.run, name="waitress", daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.effective_port}"
    finally:
        server.task_dispatcher.shutdown()  # a thread that has just answered tells the server so
        server.close()
        thread.join(5)
        app.extensions["authgate"].gate.close()


@contextlib.contextmanager
def serve_asgi(app: FastAPI) -> Iterator[str]:
    """An app on uvicorn, as the address that it answers at."""
    # asyncio switches Nagle's delay off only on sockets that say they are TCP.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind((HOST, 0))
        # uvicorn 0.54 logs an error for each denied WebSocket (its pull request 3138), so only worse is shown.
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
        started = threading.Event()
        thread = threading.Thread(
            target=lambda: asyncio.run(_run(server, listener, started)), name="uvicorn", daemon=True
        )
        thread.start()
        if not started.wait(10):
            raise RuntimeError("uvicorn did not start within 10 seconds")
        try:
            yield f"http://{HOST}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


async def _run(server: uvicorn.Server, listener: socket.socket, started: threading.Event) -> None:
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not (server.started or serving.done()):  # noqa: ASYNC110 - uvicorn sets a flag, not an event
        await asyncio.sleep(0.01)
    started.set()
    await serving
