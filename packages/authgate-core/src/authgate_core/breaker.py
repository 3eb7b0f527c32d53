"""A circuit breaker as a value: every transition answers a new one, and the time is an argument (Law 5.5).

Closed, it counts consecutive failures. Open, it admits nobody until its one probe, which belongs to no
request, has gone well. Who shares a breaker swaps the values under a lock of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

__all__ = ["LONGEST_REST", "Breaker", "Pace"]

_FIRST_REST: Final = 0.5

LONGEST_REST: Final = 2.0
"""The longest wait between two probes, in seconds: with a probe's time-out, recovery is seen within 5 s."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How much a breaker bears, and how long it rests.

    Args:
        opens_after: How many consecutive failures open it.
        within: The seconds that these lie within.
        longest_rest: The longest wait between two probes, in seconds.
        first_rest: The wait before the first probe, in seconds; it doubles with each that fails.
    """

    opens_after: int = 5
    within: float = 2.0
    longest_rest: float = LONGEST_REST
    first_rest: float = _FIRST_REST


@dataclass(frozen=True, slots=True)
class Breaker:
    """Whether a dependency is worth asking; all times are monotonic seconds.

    Args:
        pace: When it opens and how long it rests.
        failures: When the last consecutive failures were, at most as many as it takes to open.
        opened_at: Since when it is open; None while it is closed.
        failed_probes: How many probes failed since it opened.
        probe_due: When the next probe may start.
        probing: Whether the one probe is under way.
    """

    pace: Pace = Pace()
    failures: tuple[float, ...] = ()
    opened_at: float | None = None
    failed_probes: int = 0
    probe_due: float = 0.0
    probing: bool = False

    @property
    def is_open(self) -> bool:
        """Whether everybody is refused at once."""
        return self.opened_at is not None

    def failed(self, now: float) -> Breaker:
        """After a failure: open once as many consecutive ones as its pace says lie within the time that it says."""
        if self.is_open:
            return self
        pace = self.pace
        failures = (*self.failures, now)[-pace.opens_after :]
        if len(failures) == pace.opens_after and now - failures[0] <= pace.within:
            return Breaker(pace, opened_at=now, probe_due=now + min(pace.first_rest, pace.longest_rest))
        return Breaker(pace, failures)

    def succeeded(self) -> Breaker:
        """After a success: the failures are consecutive no more. While open only the probe counts."""
        return self if self.is_open or not self.failures else Breaker(self.pace)

    def rest(self, now: float) -> float:
        """Seconds until the next probe may start; 0 when it may, is under way, or none is needed."""
        return max(0.0, self.probe_due - now) if self.is_open and not self.probing else 0.0

    def start_probe(self, now: float) -> Breaker | None:
        """The breaker with its probe under way, or None where none may start: closed, resting, or probing."""
        if not self.is_open or self.probing or now < self.probe_due:
            return None
        return replace(self, probing=True)

    def end_probe(self, now: float, *, succeeded: bool) -> Breaker:
        """After the probe: closed, or resting twice as long as before, at most as long as its pace says."""
        if not self.probing:
            return self
        if succeeded:
            return Breaker(self.pace)
        failed_probes = self.failed_probes + 1
        rest = min(self.pace.longest_rest, self.pace.first_rest * 2.0 ** min(failed_probes, 8))
        return replace(self, failed_probes=failed_probes, probe_due=now + rest, probing=False)
