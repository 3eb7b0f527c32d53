"""From specifications to what does I/O: the one place that turns the ones into the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol, TypeAlias, cast, runtime_checkable

from ..cache import ProjectCache
from ..clock import Clock
from ..config import GateConfig
from ..events import Notice
from ..flows.revoked import Known
from ..io.memory import COVERS_ONE_PROCESS, AsyncMemoryStore, MemoryStore
from ..io.projects import AsyncLocalDirectory, LocalDirectory
from ..ports import AsyncProjectDirectory, AsyncRevocationStore, ProjectDirectory, RevocationStore
from ..principal import ProjectRef, TokenRef
from ..projects import StaticProjects
from ..revocation import MemoryRevocation, RedisRevocation, RevocationHealth
from ..runner.lookups import AsyncProjectLookups, ProjectLookups

__all__ = [
    "AsyncReloadable",
    "OwnStore",
    "Reloadable",
    "known_by",
    "open_async_projects",
    "open_async_stores",
    "open_projects",
    "open_stores",
    "own",
]

Tell: TypeAlias = Callable[[Notice], None]


class OwnStore(Protocol):
    """What a store of authgate's own has besides its port."""

    def known(self, ref: TokenRef | ProjectRef) -> Literal["revoked", "clear", "ask"]:
        """What it knows without asking anyone."""
        ...

    def health(self) -> RevocationHealth:
        """How it last was."""
        ...


@runtime_checkable
class Reloadable(Protocol):
    """A store of authgate's own that stops believing its server when that has lost its entries (Law 5.10)."""

    def reload(self) -> None:
        """Believe it again."""
        ...


@runtime_checkable
class AsyncReloadable(Protocol):
    """``Reloadable`` for ``AsyncGate``."""

    async def reload(self) -> None:
        """Believe it again."""
        ...


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


def own(stores: Sequence[object], config: GateConfig) -> tuple[OwnStore, ...]:
    """The stores that the gate made itself; of what it was handed it uses the port, and nothing that looks alike."""
    made = (store for store in stores if not any(store is source for source in config.sources))
    return tuple(cast("OwnStore", store) for store in made)


def known_by(stores: Sequence[object], config: GateConfig) -> Known:
    """The pure door to revocation: what the stores know without being asked (Law 5.1)."""
    mine = own(stores, config)
    others = len(mine) < len(stores)

    def known(ref: TokenRef | ProjectRef) -> Literal["revoked", "clear", "ask"]:
        answers = {store.known(ref) for store in mine}
        return "revoked" if "revoked" in answers else "ask" if others or "ask" in answers else "clear"

    return known


def open_projects(
    config: GateConfig, cache: ProjectCache, clock: Clock, notice: Tell
) -> ProjectLookups | None:
    """The project directory of a ``Gate``, in front of its cache."""
    projects = config.projects
    if projects is None:
        return None
    directory = LocalDirectory(projects) if isinstance(projects, StaticProjects) else projects
    return ProjectLookups(cast("ProjectDirectory", directory), cache, clock, notice=notice)


def open_async_projects(
    config: GateConfig, cache: ProjectCache, clock: Clock, notice: Tell
) -> AsyncProjectLookups | None:
    """The project directory of an ``AsyncGate``, in front of its cache."""
    projects = config.projects
    if projects is None:
        return None
    directory = AsyncLocalDirectory(projects) if isinstance(projects, StaticProjects) else projects
    return AsyncProjectLookups(cast("AsyncProjectDirectory", directory), cache, clock, notice=notice)
