"""How what gates depend on is, and whoever wants to see that."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from ..keyring import KeySetHealth
from ..revocation import RevocationHealth

__all__ = ["Attended", "Attending", "Health", "Watchable"]

_STATES: Final = ("fresh", "stale", "down")


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

    def states(self) -> Mapping[str, Mapping[str, int]]:
        """How many key sets are in each state, by the configured name of the issuer; tenants are no labels."""
        return {
            issuer: {state: sum(keys.status == state for keys in sets) for state in _STATES}
            for issuer, sets in self._key_sets().items()
        }

    def ages(self) -> Mapping[str, float]:
        """How old the oldest key set of each issuer is, in seconds (Law 4.4); none where there is none yet."""
        known = {
            issuer: [keys.age for keys in sets if keys.age is not None]
            for issuer, sets in self._key_sets().items()
        }
        return {issuer: max(ages) for issuer, ages in known.items() if ages}

    def ups(self) -> Mapping[str, bool]:
        """Whether each revocation source that was asked answered the last time, by its kind."""
        asked = {
            name: [source.status == "ok" for source in sources if source.status != "unknown"]
            for name, sources in self._sources().items()
        }
        return {name: all(answered) for name, answered in asked.items() if answered}

    def feeds(self) -> Mapping[str, bool]:
        """Whether each source that is followed is answered for by the copy in this process."""
        followed = {
            name: [source.feed.status == "live" for source in sources if source.feed is not None]
            for name, sources in self._sources().items()
        }
        return {name: all(live) for name, live in followed.items() if live}

    def unchecked(self) -> Mapping[str, int]:
        """How many checks ``on_error="allow"`` has passed over (Law 5.3)."""
        return {
            name: sum(source.unchecked for source in sources) for name, sources in self._sources().items()
        }

    def _key_sets(self) -> Mapping[str, list[KeySetHealth]]:
        """Those that are fetched; keys of the configuration have no state."""
        found: dict[str, list[KeySetHealth]] = {}
        for health in self._healths():
            for keys in health.keys:
                if keys.status != "static":
                    found.setdefault(keys.issuer, []).append(keys)
        return found

    def _sources(self) -> Mapping[str, list[RevocationHealth]]:
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
