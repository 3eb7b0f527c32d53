"""How what gates depend on is, and whoever wants to see that."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ..keyring import KeySetHealth
from ..revocation import RevocationHealth

__all__ = ["Attended", "Attending", "Health", "Watchable"]


@dataclass(frozen=True, slots=True)
class Health:
    """What a gate depends on, and how it is.

    Args:
        keys: One entry for each key set (Law 4.12).
        revocation: One entry for each source of authgate's own; how yours is, you know.
    """

    keys: tuple[KeySetHealth, ...]
    revocation: tuple[RevocationHealth, ...] = ()


class Watchable(Protocol):
    """A gate of either colour."""

    def health(self) -> Health:
        """How what it depends on is; asks nobody."""
        ...


@runtime_checkable
class Attending(Protocol):
    """An observer that also looks at the health of the gates that tell it of their decisions."""

    def attend(self, gate: Watchable) -> None:
        """Look at this gate from now on; it calls this once it is built."""
        ...


class Attended:
    """The gates that somebody looks at, for as long as they live.

    The health of several is one list: of two gates that trust the same issuer, the worse is what counts.
    """

    def __init__(self) -> None:
        self._gates: tuple[weakref.ref[Watchable], ...] = ()

    def add(self, gate: Watchable) -> None:
        """Look at a gate as well."""
        living = [ref for ref in self._gates if ref() not in {None, gate}]
        self._gates = (*living, weakref.ref(gate))

    def key_sets(self) -> Mapping[str, list[KeySetHealth]]:
        """The key sets that are fetched, by the configured name of their issuer; tenants are no labels (Law 10.1)."""
        found: dict[str, list[KeySetHealth]] = {}
        for health in self._healths():
            for keys in health.keys:
                if keys.status != "static":
                    found.setdefault(keys.issuer, []).append(keys)
        return found

    def sources(self) -> Mapping[str, list[RevocationHealth]]:
        """The revocation sources, by their kind."""
        found: dict[str, list[RevocationHealth]] = {}
        for health in self._healths():
            for source in health.revocation:
                found.setdefault(source.source, []).append(source)
        return found

    def _healths(self) -> Iterator[Health]:
        for ref in self._gates:
            gate = ref()
            if gate is not None:
                yield gate.health()
