"""Which conversations a store carries on, by its layout."""

from __future__ import annotations

from collections.abc import Callable

from ...clock import Clock
from ...events import Notice
from ...revocation import RedisRevocation, client_kind
from ..memory import MemoryStore
from .conversation import Conversation
from .keeper import Keeper
from .layout import Layout
from .mercury import MercuryKeeper

__all__ = ["keeper_of"]


def keeper_of(
    spec: RedisRevocation, clock: Clock, notice: Callable[[Notice], None], local: MemoryStore | None
) -> Conversation:
    """What to carry on with the store of a specification.

    Args:
        spec: Where the store is, and in which layout.
        clock: Where the time comes from.
        notice: Told what an operator should know.
        local: Keeps what was seen of entries; None if unused.
    """
    if spec.layout == "mercury":
        return MercuryKeeper(clock, notice, spec.source, local=local)
    cluster = client_kind(spec.client_or_url) == "cluster"
    return Keeper(Layout(spec.prefix), clock, notice, cluster=cluster, local=local)
