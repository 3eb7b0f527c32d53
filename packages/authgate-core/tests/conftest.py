"""Real Valkey servers: one that the whole run shares, and others that a test may stop, freeze or starve."""

from __future__ import annotations

import asyncio
import math
import os
import secrets
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from authgate_core.clock import Clock, SystemClock
from authgate_core.events import Notice
from authgate_core.io.redis import AsyncRedisStore, RedisStore, lag
from authgate_core.io.redis.protocol import Limits
from authgate_core.principal import ProjectRef, Revocation, TokenRef
from authgate_core.revocation import RedisRevocation, RevocationHealth
from tests.support.valkey import started

PATIENT = Limits(connect=10.0, reply=10.0, total=20.0)
"""For tests that are not about time: a busy machine makes no outage of them."""


class Valkey:
    """A server of a test's own, always on the same port.

    Args:
        config: Settings as in valkey.conf.
    """

    def __init__(self, config: dict[str, str]) -> None:
        self._server = started(config)
        self.port: int = self._server.port
        self._reserved: socket.socket | None = None
        self._clients: list[Any] = []
        self._pid: int | None = self._process_id()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def client(self) -> Any:
        """A client for the test itself; Any because redis-py leaves most of its methods untyped."""
        client = redis.Redis(port=self.port)
        self._clients.append(client)
        return client

    def start(self) -> None:
        """Start it, empty."""
        self._let_go()
        self._server.start()
        self._pid = self._process_id()

    def stop(self) -> None:
        """Stop it; what it held is gone, and nobody else gets its port meanwhile."""
        self._server.stop()
        self._pid = None
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind(("127.0.0.1", self.port))

    def freeze(self) -> None:
        """Let it hang: connections are accepted, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """End it, whatever state it is in."""
        self._let_go()
        for client in self._clients:
            client.close()
        if self._pid is not None:
            self.thaw()
            self._server.terminate()

    def _process_id(self) -> int:
        return int(self.client().info("server")["process_id"])

    def _let_go(self) -> None:
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None

    def _signal(self, number: signal.Signals) -> None:
        assert self._pid is not None, "the server does not run"
        os.kill(self._pid, number)


@pytest.fixture(scope="session")
def shared_valkey() -> Iterator[Valkey]:
    """The server of the whole run."""
    server = Valkey({})
    yield server
    server.close()


@pytest.fixture
def valkey_url(shared_valkey: Valkey) -> str:
    """The URL of the shared server; tests keep apart by ``prefix``."""
    return shared_valkey.url


@pytest.fixture
def prefix() -> str:
    """A prefix for keys that no other test uses."""
    return f"test-{secrets.token_hex(6)}"


@pytest.fixture
def start_valkey() -> Iterator[Callable[..., Valkey]]:
    """Starts servers that end with the test; takes settings of valkey.conf with underscores for hyphens."""
    servers: list[Valkey] = []

    def start(**config: str) -> Valkey:
        servers.append(Valkey({name.replace("_", "-"): value for name, value in config.items()}))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(scope="session")
def valkey_cluster() -> Iterator[tuple[Valkey, Valkey]]:
    """A Cluster of two nodes that share the slots."""
    first, second = (Valkey({"cluster-enabled": "yes"}) for _ in range(2))
    for node, slots, epoch in ((first, (0, 8191), 1), (second, (8192, 16383), 2)):
        node.client().execute_command("CLUSTER", "ADDSLOTSRANGE", *slots)
        node.client().execute_command("CLUSTER", "SET-CONFIG-EPOCH", epoch)
    first.client().execute_command("CLUSTER", "MEET", "127.0.0.1", second.port)
    patience = time.monotonic() + 20
    while not all(_is_whole(node.client()) for node in (first, second)):
        assert time.monotonic() < patience, "the Cluster did not form"
        time.sleep(0.05)
    yield first, second
    for node in (first, second):
        node.close()


def _is_whole(client: Any) -> bool:
    state = client.execute_command("CLUSTER INFO")
    return (state["cluster_state"], state["cluster_known_nodes"]) == ("ok", "2")


@pytest.fixture
def own_valkey(start_valkey: Callable[..., Valkey]) -> Valkey:
    """A server of the test's own."""
    return start_valkey()


class DrivenStore:
    """A Redis store of either colour as tests use it, with what it told the operator.

    Args:
        spec: Where the store is.
        colour: ``sync`` or ``async``; an async one is driven in one event loop of its own.
        clock: Where it gets the time from.
        limits: How long the server may take.
    """

    def __init__(self, spec: RedisRevocation, colour: str, clock: Clock, limits: Limits) -> None:
        self.notices: list[Notice] = []
        kind = RedisStore if colour == "sync" else AsyncRedisStore
        self.store: Any = kind(spec, notice=self.notices.append, clock=clock, limits=limits)
        self._runner = None if colour == "sync" else asyncio.Runner()

    @property
    def codes(self) -> list[str]:
        """The codes of its notices."""
        return [notice.code for notice in self.notices]

    def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
        return bool(self._done(self.store.is_revoked(ref)))

    def are_revoked(self, refs: Sequence[TokenRef | ProjectRef]) -> list[bool]:
        """Ask about all at the same time."""
        if self._runner is not None:
            return list(self._runner.run(self._gathered(refs)))
        with ThreadPoolExecutor(len(refs)) as pool:
            return list(pool.map(self.store.is_revoked, refs))

    async def _gathered(self, refs: Sequence[TokenRef | ProjectRef]) -> list[bool]:
        return list(await asyncio.gather(*map(self.store.is_revoked, refs)))

    def revoke(self, entry: Revocation) -> None:
        self._done(self.store.revoke(entry))

    def warm_up(self) -> None:
        self._done(self.store.warm_up())

    def reload(self) -> None:
        self._done(self.store.reload())

    def health(self) -> RevocationHealth:
        health: RevocationHealth = self.store.health()
        return health

    def wait_until(self, reached: Callable[[], bool]) -> None:
        """Let what the store does in the background go on until a condition holds, at most twenty seconds."""
        patience = time.monotonic() + 20.0
        while not reached():
            assert time.monotonic() < patience, "waited twenty seconds in vain"
            if self._runner is None:
                time.sleep(0.02)
            else:
                self._runner.run(asyncio.sleep(0.02))

    def close_early(self) -> None:
        """Close the store; it may be asked again."""
        self._done(self.store.close() if self._runner is None else self.store.aclose())

    def close(self) -> None:
        self.close_early()
        if self._runner is not None:
            self._runner.close()

    def _done(self, result: Any) -> Any:
        return result if self._runner is None else self._runner.run(result)


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    """Both colours, one after the other."""
    return str(request.param)


@pytest.fixture
def open_store(colour: str, prefix: str) -> Iterator[Callable[..., DrivenStore]]:
    """Opens stores of one colour on a URL or client, under the test's prefix; takes options of RedisRevocation."""
    stores: list[DrivenStore] = []

    def opened(
        server: object, *, clock: Clock = SystemClock(), limits: Limits = PATIENT, **options: Any
    ) -> DrivenStore:
        spec = RedisRevocation(server, **{"prefix": prefix, **options})
        stores.append(DrivenStore(spec, colour, clock, limits))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def punctual(monkeypatch: pytest.MonkeyPatch) -> None:
    """No loop is taken to run late, which would have it ask once more (Law 5.5): for tests that count."""
    monkeypatch.setattr(lag, "_LATE", math.inf)
