"""What a store is made of beside its connections, by its specification; the same in both colours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from ...clock import Clock, Instant
from ...events import Notice
from ...revocation import RedisRevocation, RevocationHealth, client_kind
from ..memory import MemoryStore
from .conversation import Conversation, LocalMarks
from .copy import StoreCopy
from .feed import FeedTalk
from .follower import FEED_LIMITS, Follower
from .keeper import Keeper
from .layout import Layout
from .m8 import M8Keeper
from .mercury import MercuryKeeper
from .outages import Outages
from .wire import wires_to

__all__ = ["Parts"]

_FOREIGN: Final[Mapping[str, type[M8Keeper | MercuryKeeper]]] = {"m8": M8Keeper, "mercury": MercuryKeeper}


class Parts:
    """The conversations of a store, its outages, and with the feed its copy and who follows it.

    Args:
        spec: Where the store is, in which layout, and how outages are met.
        clock: Where the time comes from.
        notice: Told what an operator should know.

    Attributes:
        known: What is known of a credential without asking: nothing, but by a copy with a lease (Laws 5.1, 5.11).
    """

    def __init__(self, spec: RedisRevocation, clock: Clock, notice: Callable[[Notice], None]) -> None:
        self._spec = spec
        self.copy = StoreCopy(spec.feed_limit, clock) if spec.feed else None
        passes = spec.on_error == "allow"
        local: LocalMarks | None = self.copy or (MemoryStore(clock) if passes else None)
        own = None if spec.is_foreign else _own_keeper(spec, clock, notice, local)
        self.keeper: Conversation = own or _FOREIGN[spec.layout](clock, notice, spec.source, local=local)
        self.known = self.keeper.known if self.copy is None else self.copy.known
        self.outages = Outages(spec, clock, notice, local if passes else None, required=self.keeper.requires)
        self._follower: Follower | None = None
        if own is not None and self.copy is not None:
            # The thread holds the follower while it reads; in a cycle with this it would hardly ever be let go.
            talk = partial(FeedTalk, own, Layout(spec.prefix), self.copy, clock)
            new_wire = wires_to(spec.client_or_url, FEED_LIMITS)
            self._follower = Follower(self.copy, talk, new_wire, clock, notice, self.outages.answered)

    def edition(self, now: Instant) -> int | None:
        """That of a copy with a lease; None where there is none, so that the store has to be asked."""
        return None if self.copy is None else self.copy.replica.edition(now)

    def follow(self) -> None:
        """Have the feed followed in this process, where there is one."""
        if self._follower is not None:
            self._follower.ensure()

    def health(self, *, is_open: bool) -> RevocationHealth:
        """Put together what the parts know; a copy that is live proves that the store answers."""
        feed = None if self._follower is None else self._follower.health()
        live = feed is not None and feed.status == "live"
        status = "open" if is_open and not live else "unloaded" if self.keeper.lost else self.outages.status
        return RevocationHealth(
            source=self._spec.source,
            status=status,
            eviction_policy=self.keeper.eviction.policy,
            last_error=self.outages.last_error,
            unchecked=self.outages.unchecked,
            feed=feed,
        )

    def close(self) -> None:
        """Follow no more."""
        if self._follower is not None:
            self._follower.close()

    def after_fork(self) -> None:
        """Begin anew in a forked child: locks, threads and leases are the parent's (Law 9.5)."""
        self.keeper.after_fork()
        self.outages.after_fork()
        if self._follower is not None:
            self._follower.after_fork()


def _own_keeper(
    spec: RedisRevocation, clock: Clock, notice: Callable[[Notice], None], local: LocalMarks | None
) -> Keeper:
    cluster = client_kind(spec.client_or_url) == "cluster"
    return Keeper(Layout(spec.prefix), clock, notice, cluster=cluster, local=local)
