"""Whether a redis-py client that was handed in fits the gate; seen from outside, without importing redis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, TypeAlias, cast

__all__ = ["ClientKind", "client_kind", "client_problems"]

ClientKind: TypeAlias = Literal["single", "cluster"]

_SLOWEST: Final = 1.0
_MOST_RETRIES: Final = 1
_LIBRARY_TIMEOUT: Final = 5.0
_NO_CLIENT: Final = "write a URL such as redis://localhost:6379/0, or hand in a redis-py client"


def client_kind(client: object) -> ClientKind | None:
    """Which kind of redis-py client this is; None for what is none."""
    names = {base.__name__ for base in type(client).__mro__ if base.__module__.partition(".")[0] == "redis"}
    if "RedisCluster" in names:
        return "cluster"
    return "single" if "Redis" in names and "Pipeline" not in names else None


def client_problems(
    owner: str, client: object, colour: Literal["sync", "async"], *, accept_slow: bool
) -> list[str]:
    """What is wrong with a client: one sentence each, naming the fix (Laws 5.4, 5.12, 9.4).

    Arguments as for ``server_problems``.
    """
    kind = client_kind(client)
    if kind is None:
        hint = "; of a Sentinel hand in master_for(name)" if type(client).__name__ == "Sentinel" else ""
        return [f"{owner} got a {type(client).__name__}: {_NO_CLIENT}{hint}"]
    is_async = any(base.__module__.startswith("redis.asyncio") for base in type(client).__mro__)
    if is_async and colour == "sync":
        return ["the Redis client is one for asyncio: hand Gate a redis.Redis, or use AsyncGate"]
    if not is_async and colour == "async":
        return ["the Redis client is not one for asyncio: hand AsyncGate a redis.asyncio.Redis, or use Gate"]
    found = list(_stale_readers(client))
    if not accept_slow:
        found += _slowness("the Redis client", client, kind)
        for sentinel in _sentinels(client):
            found += _slowness("a Sentinel's own client (see sentinel_kwargs)", sentinel, "single")
    return list(dict.fromkeys(found))


def _stale_readers(client: object) -> Iterator[str]:
    """A client that may answer from an old copy: a cache of its own, or a replica (Law 5.10)."""
    pool = getattr(client, "connection_pool", None)
    nodes = getattr(client, "nodes_manager", None)
    if getattr(pool, "cache", None) is not None or getattr(nodes, "_cache", None) is not None:
        yield "the Redis client caches answers, so revocations are seen late: build it without cache_config"
    if getattr(pool, "is_master", True) is False:
        yield "the Redis client asks a replica, which may lag: of a Sentinel hand in master_for(name)"
    if getattr(client, "read_from_replicas", False) or getattr(client, "load_balancing_strategy", None):
        yield "the Redis client reads from replicas, which may lag: build it without read_from_replicas"


def _sentinels(client: object) -> tuple[object, ...]:
    """The clients that find the master before a connection is made."""
    manager = getattr(getattr(client, "connection_pool", None), "sentinel_manager", None)
    return tuple(getattr(manager, "sentinels", ()))


def _slowness(name: str, client: object, kind: ClientKind) -> Iterator[str]:
    """A client that may hold a request for seconds (Law 5.4)."""
    accepting = "or write accept_slow_client=True"
    settings = _settings(client, kind)
    for setting in ("socket_timeout", "socket_connect_timeout"):
        seconds = settings.get(setting, _LIBRARY_TIMEOUT)
        if not isinstance(seconds, (int, float)) or not 0 < seconds <= _SLOWEST:
            shown = "none" if seconds is None else f"{seconds} s"
            yield f"{name} has a {setting} of {shown}: build it with {setting}=0.25 (at most 1), {accepting}"
    retries = _retries(client, kind, settings)
    if not 0 <= retries <= _MOST_RETRIES:
        shown = "without end" if retries < 0 else f"{retries} times"
        yield f"{name} retries {shown}: build it with retry=Retry(NoBackoff(), 1) at most, {accepting}"


def _settings(client: object, kind: ClientKind) -> dict[str, object]:
    """What the client's connections are built with."""
    inner = getattr(client, "connection_pool" if kind == "single" else "nodes_manager", None)
    for holder in (client, inner):
        settings = getattr(holder, "connection_kwargs", None)
        if isinstance(settings, dict):
            return cast("dict[str, object]", settings)
    return {}


def _retries(client: object, kind: ClientKind, settings: dict[str, object]) -> int:
    retry = settings.get("retry") if kind == "single" else getattr(client, "retry", None)
    get_retries = getattr(retry, "get_retries", None)
    if callable(get_retries):
        retries = get_retries()
        return retries if isinstance(retries, int) else _MOST_RETRIES + 1
    return 1  # without a Retry of its own, redis-py tries once more at most
