"""A process that computes beside its requests: what it is late for is no outage of its store (Law 5.5)."""

from __future__ import annotations

import itertools
import time
from typing import Final

import authgate_core as ag

from ..memory import Growth
from ..rows import Colour, Form, Happened
from .gates import gated, token
from .judging import counted, listed
from .trial import LASTS
from .world import Fault, nothing, world

__all__ = ["keep_busy"]

_BLOCK: Final = 0.15
"""Longer than a gate waits for a reply, in seconds."""

_DELAY: Final = 0.02
"""How long a reply is under way, so that it arrives while the process is elsewhere, in seconds."""


def _block() -> None:
    time.sleep(_BLOCK)


def keep_busy(colour: Colour, form: Form) -> Happened:
    """Ask a store that is well from a process that hardly gets to it; in ``AsyncGate`` the loop itself is blocked."""
    growth = Growth()
    with world(Fault(begin=nothing)) as surroundings:
        gate = gated(colour, ag.RedisRevocation(surroundings.url))
        try:
            gate.warm_up()
            gate.revoke("revoked")
            surroundings.proxy.delay = _DELAY
            tokens = itertools.cycle([token("innocent"), token("revoked")])
            asked = gate.busy(LASTS[form], _block, tokens)
            status = gate.health.status
        finally:
            gate.close()
    outcomes = [each.outcome for each in asked]
    wrong = "admitted" in outcomes[1::2] or "refused" in outcomes[::2]
    opened = any(code.startswith("revocation_breaker") for code in gate.codes)
    text = f"{counted(asked)}; notices {listed(gate.codes)}; health {status}"
    if not outcomes or "admitted" not in outcomes:
        text = f"BROKEN: no request was admitted; {text}"
    return Happened(
        kept="BROKEN" not in text and not wrong and not opened,
        text=text,
        requests=len(asked),
        worst_wait=max((each.took for each in asked), default=0.0),
        memory=growth.kib,
    )
