"""The revocation stores that a gate made itself, and what it may ask of them besides their port."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, TypeVar, cast, runtime_checkable

from ..clock import Instant
from ..config import GateConfig
from ..errors import AuthUnavailable
from ..events import Notice
from ..flows.revoked import Known
from ..principal import ProjectRef, TokenRef
from ..revocation import RevocationHealth

__all__ = [
    "AsyncRemoteStore",
    "OwnStore",
    "RemoteStore",
    "closing",
    "known_by",
    "look_at",
    "look_at_async",
    "own",
    "writable",
]

Tell: TypeAlias = Callable[[Notice], None]
T = TypeVar("T")


class OwnStore(Known, Protocol):
    """What a store of authgate's own has besides its port."""

    def health(self) -> RevocationHealth:
        """How it last was."""
        ...


@runtime_checkable
class RemoteStore(Protocol):
    """A store of authgate's own with a server behind it, which may be down or lose its entries (Law 5.10)."""

    def warm_up(self) -> None:
        """Look at the server now; raises AuthUnavailable if it does not answer."""
        ...

    def reload(self) -> None:
        """Believe the server again."""
        ...


@runtime_checkable
class AsyncRemoteStore(Protocol):
    """``RemoteStore`` for ``AsyncGate``."""

    async def warm_up(self) -> None:
        """Look at the server now; raises AuthUnavailable if it does not answer."""
        ...

    async def reload(self) -> None:
        """Believe the server again."""
        ...


def own(stores: Sequence[object], config: GateConfig) -> tuple[OwnStore, ...]:
    """The stores that the gate made itself; of what it was handed it uses the port, and nothing that looks alike."""
    made = (store for store in stores if not any(store is source for source in config.sources))
    return tuple(cast("OwnStore", store) for store in made)


def closing(stores: Sequence[object], config: GateConfig) -> tuple[object, ...]:
    """What the gate made itself, and has to close; what it was handed is its owner's."""
    keys = () if config.api_keys is None else (config.api_keys.store,)
    handed = (*config.sources, config.replays, *keys)
    return tuple(store for store in stores if not any(store is one for one in handed))


def writable(stores: Sequence[T], config: GateConfig) -> tuple[T, ...]:
    """The stores without those in a layout of others, which are only read (Law 5.6)."""
    pairs = zip(stores, config.sources, strict=True)
    return tuple(store for store, source in pairs if not any(source is foreign for foreign in config.foreign))


def known_by(stores: Sequence[object], config: GateConfig) -> Known:
    """The pure door to revocation: what the stores know without being asked (Law 5.1)."""
    mine = own(stores, config)
    others = len(mine) < len(stores)
    return mine[0] if len(mine) == 1 and not others else _Together(mine, others)


@dataclass(frozen=True, slots=True)
class _Together:
    """What several stores know; none knows nothing and has nothing to ask.

    Args:
        mine: Those that say what they know.
        others: Whether there are some besides that have to be asked.
    """

    mine: tuple[OwnStore, ...]
    others: bool

    def known(self, ref: TokenRef | ProjectRef, /) -> Literal["revoked", "clear", "ask"]:
        """One that knows of a revocation is enough."""
        answers = {store.known(ref) for store in self.mine}
        return "revoked" if "revoked" in answers else "ask" if self.others or "ask" in answers else "clear"

    def edition(self, now: Instant, /) -> object:
        """Those of all; None where one has none."""
        editions = tuple(store.edition(now) for store in self.mine)
        return None if self.others or None in editions else editions


def look_at(stores: Iterable[OwnStore], notice: Tell) -> None:
    """See at the start how the servers are; one that is down stops nothing (Law 4.12)."""
    for store in stores:
        if isinstance(store, RemoteStore):
            try:
                store.warm_up()
            except AuthUnavailable as outage:
                notice(_silent(outage))


async def look_at_async(stores: Iterable[OwnStore], notice: Tell) -> None:
    """``look_at`` for ``AsyncGate``."""
    for store in stores:
        if isinstance(store, AsyncRemoteStore):
            try:
                await store.warm_up()
            except AuthUnavailable as outage:
                notice(_silent(outage))


def _silent(outage: AuthUnavailable) -> Notice:
    return Notice("revocation_unavailable", "gate", f"at the start: {outage.reason}")
