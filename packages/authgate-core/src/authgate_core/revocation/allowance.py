"""How long an outage is passed over where ``on_error="allow"`` was written out (Law 5.3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

__all__ = ["Allowance"]

_SAID_EVERY: Final = 1.0


@dataclass(frozen=True, slots=True)
class Allowance:
    """A value: each use answers a new one. All times are monotonic seconds.

    Args:
        lasts: How long an outage is passed over, in seconds.
        since: When the outage began; None while the store answers.
        uses: How many checks were passed over in this outage.
        total: How many were passed over since the process began.
        said_at: When it was last reported.
        over: Whether its end was reported.
    """

    lasts: float
    since: float | None = None
    uses: int = 0
    total: int = 0
    said_at: float | None = None
    over: bool = False

    def used(self, now: float) -> tuple[Allowance, bool]:
        """After one more check without an answer: is it passed over?"""
        since = now if self.since is None else self.since
        if now - since >= self.lasts:
            return replace(self, since=since), False
        return replace(self, since=since, uses=self.uses + 1, total=self.total + 1), True

    def said(self, now: float) -> Allowance | None:
        """The allowance once reported; None while it is not time to: at a change and once a second."""
        ended = self.since is not None and now - self.since >= self.lasts
        if ended != self.over:
            return replace(self, said_at=now, over=ended)
        if ended or (self.said_at is not None and now - self.said_at < _SAID_EVERY):
            return None
        return replace(self, said_at=now)

    def ended(self) -> Allowance:
        """After an answer: the next outage is another one."""
        return self if self.since is None else Allowance(self.lasts, total=self.total)
