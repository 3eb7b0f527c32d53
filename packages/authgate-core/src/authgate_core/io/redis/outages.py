"""What happens while a store does not answer: refused, or passed over if that was written out (Law 5.3)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal

from ...clock import Clock
from ...errors import RevocationUnavailable
from ...events import Notice
from ...principal import ProjectRef, TokenRef
from ...revocation import Allowance, RedisRevocation
from .conversation import LocalMarks

__all__ = ["Outages"]


class Outages:
    """Remembers how the store last was.

    Args:
        spec: Says whether an outage is passed over, and for how long, and what the store is called.
        clock: Where it gets the time from.
        notice: Told when an outage is passed over.
        local: What this process knows by itself; it is refused in an outage as well.
        required: Says which credentials pass only while the store has them.
    """

    def __init__(
        self,
        spec: RedisRevocation,
        clock: Clock,
        notice: Callable[[Notice], None],
        local: LocalMarks | None,
        *,
        required: Callable[[TokenRef | ProjectRef], bool],
    ) -> None:
        self._source = spec.source
        self._required = required
        self._clock = clock
        self._notice = notice
        self._local = local
        self._lock = threading.Lock()
        self._allowance = Allowance(spec.allow_for)
        self.status: Literal["ok", "down", "unknown"] = "unknown"
        self.last_error: str | None = None

    @property
    def unchecked(self) -> int:
        """How many checks were passed over since the process began."""
        return self._allowance.total

    def answered(self) -> None:
        """The store answered; whatever outage there was is over."""
        if self.status == "ok":
            return
        with self._lock:
            uses, self._allowance = self._allowance.uses, self._allowance.ended()
            self.status = "ok"
        if uses:
            text = f"the store answers again; {uses} checks were passed over meanwhile"
            self._notice(Notice("revocation_checked_again", self._source, text))

    def judge(self, ref: TokenRef | ProjectRef, outage: RevocationUnavailable) -> bool:
        """Whether a credential counts as revoked while the store does not answer.

        Raises:
            RevocationUnavailable: If outages are not passed over, or this one no longer, or never for this
                credential.
        """
        self.status, self.last_error = "down", outage.reason
        if self._local is None:
            raise outage
        if self._local.is_revoked(ref):
            return True
        if self._required(ref):
            raise outage
        now = self._clock.now().mono
        with self._lock:
            self._allowance, passed = self._allowance.used(now)
            said = self._allowance.said(now)
            self._allowance = said or self._allowance
        if said is not None:
            self._notice(self._report(said, outage))
        if not passed:
            raise outage
        return False

    def after_fork(self) -> None:
        """Take a new lock."""
        self._lock = threading.Lock()

    def _report(self, allowance: Allowance, outage: RevocationUnavailable) -> Notice:
        if allowance.over:
            text = f"no answer for {allowance.lasts:.0f} s, so requests are refused again: {outage.reason}"
            return Notice("revocation_allow_ended", self._source, text, alarm=True)
        text = f'on_error="allow": {allowance.uses} checks passed over in this outage: {outage.reason}'
        return Notice("revocation_unchecked", self._source, text, alarm=True)
