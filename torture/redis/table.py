"""What is promised of each way in which Redis misbehaves."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from ..rows import Row
from . import faults
from .beside import Plainly
from .busy import keep_busy
from .failover import MOVED, WATCHED
from .judging import ANY, LEASE, Promised
from .trial import Trial
from .world import Fault

__all__ = ["ROWS"]

DOWN: Final = Promised()
"""Nobody passes, the breaker opens, a revocation raises; all of it ends by itself."""

CALM: Final = Promised(
    innocent=("admitted",),
    revoked=("refused",),
    opens=False,
    writes="confirmed",
    status="ok",
    codes=frozenset(),
)
"""As if nothing were wrong."""

READABLE: Final = replace(CALM, writes="raises")
"""Requests are judged as ever; a revocation raises, for it is not written."""

UNLOADED: Final = replace(
    DOWN,
    opens=False,
    writes="either",
    reload=True,
    status="unloaded",
    codes=frozenset({"revocation_epoch_lost"}),
)
"""Nobody passes until the entries are written again and the gate is told so."""

PASSED_OVER: Final = Promised(
    innocent=("admitted",),
    revoked=("refused",),
    unchecked=True,
    codes=DOWN.codes | {"revocation_unchecked", "revocation_checked_again"},
)
"""Whoever is not known here to be revoked passes, and is counted."""


FEED: Final = frozenset({"revocation_feed_lost", "revocation_feed_back"})

FOLLOWED: Final = replace(
    DOWN,
    innocent=("admitted", "unavailable"),
    revoked=("refused", "unavailable"),
    allowed_for=LEASE,
    followers=1,
    codes=frozenset({"revocation_breaker_open", "revocation_feed_lost"}),
    also=DOWN.codes | FEED,
)
"""Answered from the copy for the rest of its lease, then as without one."""

FALTERING: Final = replace(
    FOLLOWED, allowed_for=math.inf, opens=False, writes="either", status=None, codes=frozenset()
)
"""Answered from the copy whenever it has a lease."""

EMPTIED: Final = replace(
    UNLOADED, innocent=FOLLOWED.innocent, revoked=FOLLOWED.revoked, allowed_for=LEASE, followers=1, also=FEED
)
"""Nobody passes once the copy knows that the store is empty, until the gate is told that it is not."""

UNNOTICED: Final = replace(CALM, followers=1)
"""As if nothing were wrong, and what others revoke is known here within a second."""


def _row(name: str, promised: str, trial: Trial, law: str = "5.3-5.5") -> Row:
    beside = Plainly(trial.fault, trial.brief)
    return Row(name=name, law=law, promised=promised, part="redis", run=trial, beside=beside, waits=True)


def _down(name: str, fault: Fault, *, brief: bool = False) -> Row:
    text = "503 within 300 ms, 1 ms with the breaker open; one probe; back within 5 s"
    return _row(name, text, Trial(fault=fault, promised=DOWN, brief=brief))


def _fed(name: str, trial: Trial) -> Row:
    text = "answered from the copy for at most a second; what others revoke is in force within one"
    return _row(f"{name}, feed on", text, trial, "5.11")


ROWS: Final[tuple[Row, ...]] = (
    _down("stopped", faults.STOPPED),
    _down("hanging", faults.FROZEN),
    _row(
        "herd while it hangs",
        "each of a crowd is answered within 300 ms; then one probe, not one for each",
        # Most of a crowd have to open a connection first.
        Trial(fault=faults.FROZEN, promised=replace(DOWN, first=ANY), herd={"sync": 50, "async": 500}),
    ),
    _down("half-open", faults.MUTE),
    _row(
        "connections forgotten",
        "connections that lead nowhere are given up together; back within 5 s",
        Trial(
            fault=faults.FORGOTTEN,
            promised=replace(
                CALM,
                innocent=("unavailable", "admitted"),
                revoked=("unavailable", "refused"),
                writes="confirmed",
            ),
        ),
        "5.4-5.5",
    ),
    _row(
        "idle connections closed",
        "nobody notices: tried once more on a new connection",
        Trial(fault=faults.CLOSED, promised=CALM),
        "5.4",
    ),
    _down("slow", faults.SLOW),
    _row("late, but in time", "nobody notices", Trial(fault=faults.LATE, promised=CALM), "5.4"),
    _down("loading", faults.LOADING, brief=True),
    _down("wrong password", faults.LOCKED_OUT),
    _row("made a replica", "never believed: 503", Trial(fault=faults.REPLICA, promised=DOWN), "5.10"),
    _row(
        "read-only", "checks go on; revoking raises", Trial(fault=faults.READ_ONLY, promised=READABLE), "5.6"
    ),
    _row(
        "out of memory", "checks go on; revoking raises", Trial(fault=faults.FULL, promised=READABLE), "5.6"
    ),
    _row(
        "evicting",
        "said at the start; 503 from the loss of the marker until reloaded",
        Trial(
            fault=faults.EVICTING,
            promised=replace(UNLOADED, codes=UNLOADED.codes | {"revocation_eviction"}),
        ),
        "5.10",
    ),
    _row("flushed", "503 until reloaded", Trial(fault=faults.FLUSHED, promised=UNLOADED), "5.10"),
    _row(
        "restarted empty",
        "503 until reloaded",
        Trial(
            fault=faults.LOST,
            promised=replace(DOWN, reload=True, codes=DOWN.codes | UNLOADED.codes),
        ),
        "5.10",
    ),
    _row(
        "failing over by address",
        "503 meanwhile; what was confirmed and replicated is in force after",
        Trial(fault=MOVED, promised=DOWN),
        "5.10",
    ),
    _row(
        "failing over by Sentinel",
        "the same, with a client handed in",
        Trial(
            fault=WATCHED,
            promised=replace(
                DOWN,
                innocent=("unavailable", "admitted"),
                revoked=("unavailable", "refused"),
                writes="either",
                status=None,
            ),
        ),
        "5.12",
    ),
    _row(
        'stopped, on_error="allow"',
        "passed over and counted; what is known here to be revoked is refused",
        Trial(fault=faults.STOPPED, promised=PASSED_OVER, on_error="allow"),
        "5.3",
    ),
    _row(
        'stopped, "allow" ended',
        "503 once allow_for is over",
        Trial(
            fault=faults.STOPPED,
            promised=replace(
                PASSED_OVER,
                innocent=("admitted", "unavailable"),
                allowed_for=0.8,
                codes=PASSED_OVER.codes | {"revocation_allow_ended"},
            ),
            on_error="allow",
        ),
        "5.3",
    ),
    _fed("stopped", Trial(fault=faults.STOPPED, promised=FOLLOWED, feed=True)),
    _fed("hanging", Trial(fault=faults.FROZEN, promised=FOLLOWED, feed=True)),
    _fed("cut off, and others revoke", Trial(fault=faults.MUTE, promised=FOLLOWED, feed=True)),
    _fed(
        "connections forgotten",
        Trial(fault=faults.FORGOTTEN, promised=replace(FALTERING, also=FEED), feed=True),
    ),
    _fed("idle connections closed", Trial(fault=faults.CLOSED, promised=UNNOTICED, feed=True)),
    _fed("slow", Trial(fault=faults.SLOW, promised=FALTERING, feed=True)),
    _fed("made a replica", Trial(fault=faults.REPLICA, promised=FOLLOWED, feed=True)),
    _fed("flushed", Trial(fault=faults.FLUSHED, promised=EMPTIED, feed=True)),
    _fed("failing over by address", Trial(fault=MOVED, promised=FOLLOWED, feed=True)),
    Row(
        name="process too busy",
        law="5.5",
        promised="an event loop that is late opens no breaker",
        part="redis",
        run=keep_busy,
    ),
)
