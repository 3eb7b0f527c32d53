"""What happens when a gate begins: what it says aloud, and whom it introduces itself to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from ..config import GateConfig
from ..events import Journal, Notice
from ..io.replays import REMEMBERED_IN_ONE_PROCESS
from ..issuer import AnyAudience
from ..observers.health import Attending, Watchable
from ..replays import MemoryReplays

__all__ = ["beginnings", "introduce"]


def beginnings(config: GateConfig) -> Iterator[Notice]:
    """One notice for each setting by which less is checked, or less is kept, than somebody might think."""
    for issuer in config.trusted_issuers:
        if isinstance(issuer.terms.audience, AnyAudience):
            yield Notice("audience_unchecked", issuer.name, "tokens meant for other APIs are accepted")
    signs = config.gateway is not None and config.gateway.signatures is not None
    if (signs or config.dpop is not None) and isinstance(config.replays, MemoryReplays):
        yield REMEMBERED_IN_ONE_PROCESS
    if config.explain:
        yield Notice("explain", "gate", "callers on this machine are told why they are refused")
    if config.shadow:
        yield Notice("shadow", "gate", "refusals are reported but not carried out", alarm=True)


def introduce(gate: Watchable, observers: Iterable[object], journal: Journal) -> None:
    """Have those observers look at a gate that look at health; that one fails stops no gate (Law 10.2)."""
    for observer in observers:
        if isinstance(observer, Attending):
            journal.observed(partial(observer.attend, gate), "an observer failed to attend")
