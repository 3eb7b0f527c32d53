"""What a row is tried on: a server, a proxy before it, and whatever else; and how it is made to misbehave."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, cast

import redis

from ..rows import Colour
from .proxy import Proxy
from .server import Server

__all__ = ["Fault", "Plain", "World", "nothing", "world"]


@dataclass(slots=True)
class World:
    """What surrounds the gate of a row.

    Args:
        server: The server that misbehaves.
        proxy: What stands before it.
        fault: How it misbehaves.
        closing: Closes whatever else was started.
        ports: Where whatever else was started listens, by what it is.
        marker: A key whose loss is the loss of what the server holds.
    """

    server: Server
    proxy: Proxy
    fault: Fault
    closing: ExitStack
    ports: dict[str, int] = field(default_factory=dict)
    marker: str = "authgate:epoch"

    @property
    def url(self) -> str:
        """How a gate finds the server."""
        port = self.server.port if self.fault.direct else self.proxy.port
        login = "" if self.server.password is None else f":{self.server.password}@"
        return f"redis://{login}127.0.0.1:{port}"

    def another(self, name: str, config: Mapping[str, str]) -> Server:
        """Start a further server, which ends with the row."""
        server = self.closing.enter_context(Server(config))
        self.ports[name] = server.port
        return server


Change: TypeAlias = Callable[[World], None]


def nothing(_world: World) -> None:
    """Leave everything as it is."""


def by_url(world: World, _colour: Colour) -> object:
    """What a gate is given: the URL, for which it builds its own client."""
    return world.url


class Plain(Protocol):
    """What a service without a gate does with its client, typed."""

    def set(self, name: str, value: int, /) -> object:
        """Write a key."""
        ...

    def exists(self, name: str, /) -> object:
        """How many keys of this name there are."""
        ...


def plainly(world: World) -> Plain:
    """The client of a service that left redis-py at its defaults."""
    return cast("Plain", redis.Redis.from_url(world.url))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way to misbehave.

    Args:
        begin: Makes it so.
        again: Makes it so anew before each round of questions.
        end: Makes it well again.
        config: Settings of the server.
        prepare: What there is besides, before a gate is built.
        direct: Whether the gate asks the server itself, so that the kernel refuses what it refuses.
        client: What the gate is given to reach it.
        plain: What a service without a gate reaches it with.
    """

    begin: Change
    again: Change = nothing
    end: Change = nothing
    config: Mapping[str, str] = field(default_factory=dict)
    prepare: Change = nothing
    direct: bool = False
    client: Callable[[World, Colour], object] = by_url
    plain: Callable[[World], Plain] = plainly


@contextmanager
def world(fault: Fault) -> Generator[World]:
    """A world that works, until ``fault.begin``."""
    with Server(fault.config) as server, Proxy(server.port) as proxy, ExitStack() as closing:
        made = World(server, proxy, fault, closing)
        fault.prepare(made)
        yield made
