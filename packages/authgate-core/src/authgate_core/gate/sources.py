"""From specifications to what does I/O: the one place that turns the ones into the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, cast

from ..api_keys import RedisKeys, RemoteKeys, StaticKeys
from ..cache import ProjectCache
from ..clock import Clock
from ..config import GateConfig
from ..config.gate_config import Projects
from ..events import Notice
from ..io.api_keys import AsyncLocalKeys, LocalKeys
from ..io.memory import COVERS_ONE_PROCESS, AsyncMemoryStore, MemoryStore
from ..io.projects import AsyncLocalDirectory, LocalDirectory
from ..io.remote import AsyncRemoteDirectory, RemoteDirectory
from ..io.replays import AsyncMemoryReplayStore, MemoryReplayStore
from ..ports import (
    ApiKeyStore,
    AsyncApiKeyStore,
    AsyncProjectDirectory,
    AsyncReplayStore,
    AsyncRevocationStore,
    HttpPort,
    ProjectDirectory,
    ReplayStore,
    RevocationStore,
)
from ..projects import RemoteProjects, StaticProjects
from ..replays import MemoryReplays, RedisReplays
from ..revocation import MemoryRevocation, RedisRevocation
from ..runner.lookups import AsyncProjectLookups, ProjectLookups

__all__ = [
    "open_async_keys",
    "open_async_projects",
    "open_async_replays",
    "open_async_stores",
    "open_keys",
    "open_projects",
    "open_replays",
    "open_stores",
]

Tell: TypeAlias = Callable[[Notice], None]


def open_stores(config: GateConfig, clock: Clock, notice: Tell) -> tuple[RevocationStore, ...]:
    """The revocation sources of a ``Gate``."""
    return tuple(_store(source, clock, notice) for source in config.sources)


def _store(source: object, clock: Clock, notice: Tell) -> RevocationStore:
    if isinstance(source, MemoryRevocation):
        notice(COVERS_ONE_PROCESS)
        return MemoryStore(clock)
    if isinstance(source, RedisRevocation):
        from ..io.redis import RedisStore

        return RedisStore(source, clock=clock, notice=notice)
    return cast("RevocationStore", source)  # GateConfig.problems has looked at it


def open_async_stores(config: GateConfig, clock: Clock, notice: Tell) -> tuple[AsyncRevocationStore, ...]:
    """The revocation sources of an ``AsyncGate``."""
    return tuple(_async_store(source, clock, notice) for source in config.sources)


def _async_store(source: object, clock: Clock, notice: Tell) -> AsyncRevocationStore:
    if isinstance(source, MemoryRevocation):
        notice(COVERS_ONE_PROCESS)
        return AsyncMemoryStore(clock)
    if isinstance(source, RedisRevocation):
        from ..io.redis import AsyncRedisStore

        return AsyncRedisStore(source, clock=clock, notice=notice)
    return cast("AsyncRevocationStore", source)  # as above


def open_projects(
    config: GateConfig, cache: ProjectCache, http: HttpPort, clock: Clock, notice: Tell
) -> ProjectLookups | None:
    """The project directory of a ``Gate``, in front of its cache."""
    projects = config.projects
    if projects is None:
        return None
    return ProjectLookups(_directory(projects, http, clock, notice), cache, clock, notice=notice)


def _directory(projects: Projects, http: HttpPort, clock: Clock, notice: Tell) -> ProjectDirectory:
    if isinstance(projects, StaticProjects):
        return LocalDirectory(projects)
    if isinstance(projects, RemoteProjects):
        return RemoteDirectory(projects, http, clock, notice=notice)
    return cast("ProjectDirectory", projects)  # as above


def open_async_projects(
    config: GateConfig, cache: ProjectCache, http: HttpPort, clock: Clock, notice: Tell
) -> AsyncProjectLookups | None:
    """The project directory of an ``AsyncGate``, in front of its cache."""
    projects = config.projects
    if projects is None:
        return None
    return AsyncProjectLookups(_async_directory(projects, http, clock, notice), cache, clock, notice=notice)


def _async_directory(projects: Projects, http: HttpPort, clock: Clock, notice: Tell) -> AsyncProjectDirectory:
    if isinstance(projects, StaticProjects):
        return AsyncLocalDirectory(projects)
    if isinstance(projects, RemoteProjects):
        return AsyncRemoteDirectory(projects, http, clock, notice=notice)
    return cast("AsyncProjectDirectory", projects)  # as above


def open_keys(config: GateConfig, clock: Clock, notice: Tell) -> ApiKeyStore | None:
    """The store of API keys of a ``Gate``."""
    keys = config.api_keys
    if keys is None or isinstance(keys.store, RemoteKeys):
        return None
    if isinstance(keys.store, StaticKeys):
        return LocalKeys(keys.store, clock)
    if isinstance(keys.store, RedisKeys):
        from ..io.redis import RedisKeyStore

        return RedisKeyStore(keys.store, keys.prefix, clock, notice)
    return cast("ApiKeyStore", keys.store)  # as above


def open_async_keys(config: GateConfig, clock: Clock, notice: Tell) -> AsyncApiKeyStore | None:
    """The store of API keys of an ``AsyncGate``."""
    keys = config.api_keys
    if keys is None or isinstance(keys.store, RemoteKeys):
        return None
    if isinstance(keys.store, StaticKeys):
        return AsyncLocalKeys(keys.store, clock)
    if isinstance(keys.store, RedisKeys):
        from ..io.redis import AsyncRedisKeyStore

        return AsyncRedisKeyStore(keys.store, keys.prefix, clock, notice)
    return cast("AsyncApiKeyStore", keys.store)  # as above


def open_replays(config: GateConfig, clock: Clock, notice: Tell) -> ReplayStore:
    """Where a ``Gate`` remembers what was used once."""
    replays = config.replays
    if isinstance(replays, MemoryReplays):
        return MemoryReplayStore(replays, clock)
    if isinstance(replays, RedisReplays):
        from ..io.redis import RedisReplayStore

        return RedisReplayStore(replays, clock, notice)
    return cast("ReplayStore", replays)  # as above


def open_async_replays(config: GateConfig, clock: Clock, notice: Tell) -> AsyncReplayStore:
    """Where an ``AsyncGate`` remembers what was used once."""
    replays = config.replays
    if isinstance(replays, MemoryReplays):
        return AsyncMemoryReplayStore(replays, clock)
    if isinstance(replays, RedisReplays):
        from ..io.redis import AsyncRedisReplayStore

        return AsyncRedisReplayStore(replays, clock, notice)
    return cast("AsyncReplayStore", replays)  # as above
