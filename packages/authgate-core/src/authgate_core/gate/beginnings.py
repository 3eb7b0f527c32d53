"""What a gate says aloud when it begins: where less is checked, or less is kept, than somebody might think."""

from __future__ import annotations

from collections.abc import Iterator

from ..config import GateConfig
from ..events import Notice
from ..io.replays import REMEMBERED_IN_ONE_PROCESS
from ..issuer import AnyAudience
from ..replays import MemoryReplays

__all__ = ["beginnings"]


def beginnings(config: GateConfig) -> Iterator[Notice]:
    """One notice for each such setting."""
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
