"""The key sets of an issuer that keeps one for each tenant (Laws 3.12, 4.13)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ..clock import Instant
from ..effects import RingName
from .ring import KeyRing
from .state import RingState
from .times import KeyTimes

__all__ = ["TenantDoor", "TenantRings"]

MOST_SETS: Final = 1000
NEW_SETS: Final = 20
NEW_SETS_WITHIN: Final = 60.0
PREPARED: Final = 8
"""How many of the listed tenants have their keys fetched when a gate warms up: as many as may be in flight."""


class TenantRings:
    """Keeps a key ring for each tenant, so that a ``kid`` of one says nothing about another.

    Reading takes no lock: a ring is kept or dropped in one step, by one writer at a time (``runner.refresher``).
    Whether a tenant is served at all was decided before anything here is asked.

    Args:
        issuer: The configured name of the issuer.
        times: The numbers that its rings live by.
        listed: The tenants that were configured by name; they are exempt from the limit on new sets.
    """

    __slots__ = ("_begun", "_issuer", "_listed", "_rings", "_times")

    def __init__(self, issuer: str, times: KeyTimes, listed: Iterable[str] = ()) -> None:
        self._issuer = issuer
        self._times = times
        self._listed = frozenset(listed)
        self._begun: deque[float] = deque(maxlen=NEW_SETS)
        self._rings = {tenant: self._new(tenant) for tenant in sorted(self._listed)[:PREPARED]}

    @property
    def rings(self) -> tuple[KeyRing, ...]:
        """Those that are kept."""
        return tuple(self._rings.values())

    def ring(self, tenant: str) -> KeyRing:
        """The tenant's ring; where none is kept, a cold one, whose plan is to wait for one that is."""
        return self._rings.get(tenant) or self._new(tenant)

    def kept(self, tenant: str) -> KeyRing | None:
        """The tenant's ring, if one is kept."""
        return self._rings.get(tenant)

    def begin(self, tenant: str, now: Instant) -> KeyRing | None:
        """Keep a ring for a tenant; None while the limits leave no room for another (Law 4.13)."""
        known = self._rings.get(tenant)
        if known is not None and (not known.state.is_absent or now.mono < known.state.absent_until):
            return known
        # A tenant that the issuer did not know is as new as one that nobody asked for: strangers make up both.
        if not self._may_begin(tenant, now) or (known is None and not self._has_room(now)):
            return None
        if tenant not in self._listed:
            self._begun.append(now.mono)
        return self._rings.setdefault(tenant, self._new(tenant))

    def hold(self, tenant: str) -> KeyRing:
        """Keep a ring for a tenant beyond all limits: what an operator disowned there must stay so (Law 4.7)."""
        return self._rings.setdefault(tenant, self._new(tenant))

    def _may_begin(self, tenant: str, now: Instant) -> bool:
        if tenant in self._listed or len(self._begun) < NEW_SETS:
            return True
        return now.mono - self._begun[0] >= NEW_SETS_WITHIN

    def _has_room(self, now: Instant) -> bool:
        """Whether there is room for one more, made by dropping the oldest ring that nobody would miss."""
        if len(self._rings) < MOST_SETS:
            return True
        spare = next((tenant for tenant, ring in self._rings.items() if ring.is_spare(now)), None)
        return spare is not None and self._rings.pop(spare, None) is not None

    def _new(self, tenant: str) -> KeyRing:
        return KeyRing(RingName(self._issuer, tenant), self._times)

    def __repr__(self) -> str:
        return f"TenantRings({self._issuer!r}, {len(self._rings)} kept)"


@dataclass(frozen=True, slots=True)
class TenantDoor:
    """One tenant's way to its ring, which may be kept only after a wait.

    Args:
        rings: All of them.
        tenant: Whose.
    """

    rings: TenantRings
    tenant: str

    @property
    def state(self) -> RingState:
        """That of the ring, as it is now."""
        return self.rings.ring(self.tenant).state

    def current(self) -> KeyRing:
        """The ring as it is now."""
        return self.rings.ring(self.tenant)
