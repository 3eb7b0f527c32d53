"""When a refresh may start again: three small values that only know monotonic seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .times import KeyTimes

__all__ = ["Backoff", "Bucket", "Farewell"]


@dataclass(frozen=True, slots=True)
class Backoff:
    """The pause after failures (Law 4.6).

    Args:
        failures: How many attempts failed in a row.
        failed_at: When the last of them did.
        until: When the next attempt may start.
    """

    failures: int = 0
    failed_at: float = -math.inf
    until: float = -math.inf

    def failed(self, now: float, times: KeyTimes, *, jitter: float, at_least: float) -> Backoff:
        """The pause after one more failure.

        Args:
            now: When it failed.
            times: For the first and the longest pause.
            jitter: Random, from 0 to 1: spreads half of the pause, so that processes do not ask all at once.
            at_least: What the issuer asked for with ``Retry-After``; it can only lengthen the pause.
        """
        doublings = min(self.failures, 32)
        full = min(times.max_pause, times.first_pause * 2**doublings)
        pause = max(full / 2 + jitter * full / 2, min(at_least, times.max_pause))
        return Backoff(self.failures + 1, now, now + pause)

    def rest(self, now: float) -> float:
        """What is left of the pause."""
        return max(0.0, self.until - now)

    def is_over(self, now: float) -> bool:
        """Whether an attempt may start."""
        return now >= self.until

    def has_failed_within(self, now: float, seconds: float) -> bool:
        """Whether an attempt failed lately: within ``seconds``, or within its own pause."""
        return now - self.failed_at <= max(seconds, self.until - self.failed_at)


@dataclass(frozen=True, slots=True)
class Bucket:
    """What unknown kids draw from (Law 4.5), kept as the moment at which it is full again.

    Args:
        full_at: That moment.
    """

    full_at: float = -math.inf

    def has_one(self, now: float, times: KeyTimes) -> bool:
        """Whether one can be drawn."""
        return self.full_at - now <= (times.bucket - 1) * times.refill

    def drawn(self, now: float, times: KeyTimes) -> Bucket:
        """After one was drawn."""
        return Bucket(max(self.full_at, now) + times.refill)

    def emptied(self, now: float, times: KeyTimes) -> Bucket:
        """After a failed fetch."""
        return Bucket(now + times.bucket * times.refill)


@dataclass(frozen=True, slots=True)
class Farewell:
    """An issuer that says definitely that it has no keys, until it is believed (Law 4.4).

    Args:
        answers: How many definite answers came in a row.
        since: When the first of them came.
        ends_at: When the set ends; never, until enough of them came over long enough.
    """

    answers: int = 0
    since: float = math.inf
    ends_at: float = math.inf

    def said(self, now: float, times: KeyTimes) -> Farewell:
        """After one more definite answer."""
        answers, since = self.answers + 1, min(self.since, now)
        if answers >= times.definite_answers and now - since >= times.definite_span:
            return Farewell(answers, since, min(self.ends_at, since + times.definite_grace))
        return Farewell(answers, since, self.ends_at)

    def interrupted(self) -> Farewell:
        """After another failure: the row starts anew; an end once settled stands until a good document."""
        return Farewell(ends_at=self.ends_at)
