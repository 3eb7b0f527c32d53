"""The ways in which a real Valkey server is made to misbehave."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Final

from .server import DURABLE
from .world import Fault, World

__all__ = [
    "CLOSED",
    "EVICTING",
    "FLUSHED",
    "FORGOTTEN",
    "FROZEN",
    "FULL",
    "LATE",
    "LOADING",
    "LOCKED_OUT",
    "LOST",
    "MUTE",
    "READ_ONLY",
    "REPLICA",
    "SLOW",
    "STOPPED",
]

_KEYS: Final = 4500
_FILLER: Final = 2_000_000
_SLOW_TO_LOAD: Final = {
    "enable-debug-command": "local",
    "key-load-delay": "500",
    "loading-process-events-interval-bytes": "1024",
}
"""Half a millisecond for each key that is read from the dump."""


def _kill(world: World) -> None:
    world.server.kill()


def _stop(world: World) -> None:
    world.server.stop()


def _start(world: World) -> None:
    world.server.start()


def _freeze(world: World) -> None:
    world.server.freeze()


def _thaw(world: World) -> None:
    world.server.thaw()


def _forget(world: World) -> None:
    world.proxy.forget()


def _want_a_replica(world: World) -> None:
    world.server.set(min_replicas_to_write=1)


def _want_no_replica(world: World) -> None:
    world.server.set(min_replicas_to_write=0)


def _fill(world: World) -> None:
    world.server.set(maxmemory=1)


def _make_room(world: World) -> None:
    world.server.set(maxmemory=0)


def _lock(world: World) -> None:
    world.server.lock("before")


def _loaded(world: World) -> None:
    world.server.loaded()


def _kill_clients(world: World) -> None:
    with world.server.admin() as admin:
        admin.client_kill_filter(_type="normal", skipme=True)


def _replicate_nobody(world: World) -> None:
    with world.server.admin() as admin:
        admin.replicaof("127.0.0.1", 1)


def _lead(world: World) -> None:
    with world.server.admin() as admin:
        admin.replicaof("NO", "ONE")


def _flush(world: World) -> None:
    with world.server.admin() as admin:
        admin.flushall()


def _lock_out(world: World) -> None:
    world.server.lock("another")
    _kill_clients(world)


def _load(world: World) -> None:
    with world.server.admin() as admin:
        admin.execute_command("DEBUG", "POPULATE", _KEYS, "filler", 100)
        admin.save()
    world.server.kill()
    world.server.start_loading()


def _evict(world: World) -> None:
    """Fill it until the marker was evicted; the rest is by then as well, or will be."""
    with world.server.admin() as admin:
        admin.config_set("maxmemory", admin.info("memory")["used_memory"] + _FILLER)
        for number in itertools.count():
            if not admin.exists(world.marker):
                return
            admin.execute_command("DEBUG", "POPULATE", 500, f"filler-{number}", 1000)
            admin.set(f"more-{number}", "x")  # what a client writes evicts; what DEBUG writes does not


def _keep(world: World) -> None:
    world.server.set(maxmemory=0, maxmemory_policy="noeviction")


def _delay(world: World, *, seconds: float) -> None:
    world.proxy.delay = seconds


def _mute(world: World) -> None:
    world.proxy.silent = True


def _speak(world: World) -> None:
    world.proxy.silent = False


STOPPED: Final = Fault(config=DURABLE, begin=_kill, end=_start, direct=True)
"""Killed, so that the kernel refuses connections; started again with what it had on disk."""

LOST: Final = Fault(begin=_stop, end=_start, direct=True)
"""The same without a disk."""

FROZEN: Final = Fault(begin=_freeze, end=_thaw)
"""Stopped by a signal: the kernel accepts connections, and nothing is answered."""

MUTE: Final = Fault(begin=_mute, end=_speak)
"""Half-open: connections are accepted, and whatever is sent is swallowed."""

FORGOTTEN: Final = Fault(begin=_forget)
"""Every connection that there is leads nowhere and says nothing; new ones are well."""

READ_ONLY: Final = Fault(
    begin=_want_a_replica,
    end=_want_no_replica,
)
"""Too few replicas to take a write."""

REPLICA: Final = Fault(begin=_replicate_nobody, end=_lead)
"""Made a replica, which is read-only and may be behind."""

FULL: Final = Fault(begin=_fill, end=_make_room)
"""Out of memory, with the policy that evicts nothing."""

EVICTING: Final = Fault(
    config={"maxmemory-policy": "allkeys-random", "enable-debug-command": "local"}, begin=_evict, end=_keep
)
"""Out of memory, with a policy that throws live keys away."""

LOADING: Final = Fault(config=_SLOW_TO_LOAD, begin=_load, end=_loaded)
"""Killed, started and still reading its dump."""

LOCKED_OUT: Final = Fault(
    prepare=_lock,
    begin=_lock_out,
    end=_lock,
)
"""The password was changed, and everybody has to say it again."""

FLUSHED: Final = Fault(begin=_flush)
"""Emptied while it runs."""

SLOW: Final = Fault(begin=partial(_delay, seconds=0.25), end=partial(_delay, seconds=0.0))
"""Every answer takes a quarter of a second, more than a gate waits."""

LATE: Final = Fault(begin=partial(_delay, seconds=0.03), end=partial(_delay, seconds=0.0))
"""Every answer takes 30 ms, less than a gate waits."""

CLOSED: Final = Fault(begin=_kill_clients, again=_kill_clients)
"""Idle connections are closed by the server, again and again."""
