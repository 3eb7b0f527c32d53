"""How a revocation store is, for ``gate.health()``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["FeedHealth", "RedisSource", "RevocationHealth"]

RedisSource: TypeAlias = Literal["redis", "redis:m8", "redis:mercury"]
"""A store in Redis, and in a layout of others whose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedHealth:
    """How this process's copy of a store is; it answers while ``live``, and else the store is asked (Law 5.11).

    Args:
        status: ``live``; ``down``, it has no lease; ``full``, there are more entries than it may hold.
        age: Seconds since the last complete read of the feed was sent; None where there was none yet.
        entries: How many it holds.
        limit: How many it may hold.
        last_error: Why it last stopped answering, for people.
    """

    status: Literal["live", "down", "full"]
    age: float | None
    entries: int
    limit: int
    last_error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationHealth:
    """What a revocation store last said, without asking it now.

    Args:
        source: Which kind of store, and for a layout of others whose: ``redis:mercury``.
        status: ``ok``; ``down``, it did not answer the last time; ``open``, the breaker keeps requests from
            asking; ``unloaded``, its entries may be lost (Law 5.10); ``unknown``, it was not asked yet.
        eviction_policy: What the server does when its memory is full; None where it has not said.
        last_error: Why it last failed, for people.
        unchecked: How many checks ``on_error="allow"`` passed over since the process began.
        feed: How this process's copy is; None where there is none.
    """

    source: Literal["memory"] | RedisSource
    status: Literal["ok", "down", "open", "unloaded", "unknown"]
    eviction_policy: str | None = None
    last_error: str | None = None
    unchecked: int = 0
    feed: FeedHealth | None = None

    @property
    def evicts(self) -> bool:
        """Whether the server may drop live entries when its memory is full (Law 5.10)."""
        return self.eviction_policy not in {None, "noeviction"}
