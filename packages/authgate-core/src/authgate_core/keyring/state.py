"""The snapshot that a key ring swaps: what it holds, how old that is, and what may happen next."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from ..clock import Instant
from ..jose.keys import KeyDocument, KeySet
from .pacing import Backoff, Bucket, Farewell
from .times import KeyTimes

__all__ = ["RingState"]


@dataclass(frozen=True, slots=True)
class RingState:
    """Everything that is known of one key set at one time; a transition makes another.

    Args:
        times: The numbers that it lives by.
        keys: Those of the newest good document, less the forgotten; None where there is none, or it ended.
        loaded_at: When that document arrived; None for keys of the configuration, which have no age.
        soft_ttl: How long it is fresh, in seconds.
        key_url: Where discovery said that the key set is.
        discovered_at: When it said so, on the monotonic clock.
        warnings: What is to be said of the document.
        attempt_since: When the refresh under way started, on the monotonic clock.
        last_error: Why the last refresh failed; None after a good one.
        backoff: The pause after failures.
        bucket: What unknown kids draw from.
        farewell: Definite answers.
        absent_until: Until when the issuer is believed to know no such tenant (Law 4.13), on the monotonic clock.
        forgotten: Kids that are not believed again in this process, whatever is published (Law 4.7).

    Attributes:
        fresh_until: Until when the keys are fresh on the wall clock, and until when on the monotonic one.
    """

    times: KeyTimes = field(repr=False)
    keys: KeySet | None = None
    loaded_at: Instant | None = None
    soft_ttl: float = 0.0
    key_url: str | None = None
    discovered_at: float = -math.inf
    warnings: tuple[str, ...] = ()
    attempt_since: float | None = None
    last_error: str | None = None
    backoff: Backoff = Backoff()
    bucket: Bucket = Bucket()
    farewell: Farewell = Farewell()
    absent_until: float = -math.inf
    forgotten: frozenset[str] = frozenset()
    fresh_until: tuple[float, float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fresh_until", self._freshness())

    def _freshness(self) -> tuple[float, float]:
        if self.loaded_at is None:
            return (math.inf, math.inf)
        wall, mono = self.loaded_at.plus(min(self.soft_ttl, self.times.max_stale))
        return wall, min(mono, math.nextafter(self.farewell.ends_at, -math.inf))

    @property
    def is_static(self) -> bool:
        """Whether the keys are part of the configuration and never refreshed."""
        return self.keys is not None and self.loaded_at is None

    @property
    def is_absent(self) -> bool:
        """Whether the issuer knew no such tenant when it was last asked (Law 4.13)."""
        return self.keys is None and self.absent_until > -math.inf

    def age(self, now: Instant) -> float:
        """Seconds since the newest good document, on the clock that says more (Law 4.3).

        The monotonic clock may stand still while a machine sleeps; the wall clock may be set back.
        """
        if self.loaded_at is None:
            return 0.0 if self.is_static else math.inf
        return max(now.mono - self.loaded_at.mono, now.wall - self.loaded_at.wall)

    def usable(self, now: Instant) -> KeySet | None:
        """The keys, unless they are past the hard limit or were ended by definite answers (Law 4.4)."""
        if self.keys is None or self.age(now) > self.times.max_stale or now.mono >= self.farewell.ends_at:
            return None
        return self.keys

    def fresh(self, now: Instant) -> KeySet | None:
        """The keys, if they answer with no further thought (Law 4.2)."""
        wall, mono = self.fresh_until
        return self.keys if now.wall <= wall and now.mono <= mono else None

    def is_newer_than(self, moment: Instant | None) -> bool:
        """Whether the newest good document came after this moment."""
        return moment is not None and self.loaded_at is not None and self.loaded_at.mono > moment.mono

    def may_start(self, now: Instant, *, unknown_kid: bool) -> bool:
        """Whether a refresh may start: none is under way, no pause holds, age or the bucket asks for it."""
        if self.is_static or self.attempt_since is not None or not self.backoff.is_over(now.mono):
            return False
        return self.fresh(now) is None or (unknown_kid and self.bucket.has_one(now.mono, self.times))

    def idle_wait(self, now: Instant) -> float:
        """How long a request for a known kid waits: only once, after an idle time (Laws 4.3, 4.4)."""
        idle_after = self.times.idle_factor * self.soft_ttl
        if self.age(now) <= idle_after or self.backoff.has_failed_within(now.mono, idle_after):
            return 0.0
        # Counted from the start of the attempt, so that a hanging one delays nobody for longer in all.
        waited = 0.0 if self.attempt_since is None else now.mono - self.attempt_since
        return max(0.0, self.times.idle_wait - waited)

    def known_key_url(self, now: Instant) -> str | None:
        """What discovery said, while that is no older than a fresh key set may be."""
        return self.key_url if now.mono - self.discovered_at < self.soft_ttl else None

    def started(self, now: Instant) -> RingState:
        """After a refresh was started; it draws from the bucket unless age asked for it (Law 4.5)."""
        bucket = self.bucket if self.fresh(now) is None else self.bucket.drawn(now.mono, self.times)
        return replace(self, attempt_since=now.mono, bucket=bucket)

    def abandoned(self) -> RingState:
        """After a refresh was lost with the process that ran it (Law 9.5)."""
        return replace(self, attempt_since=None)

    def loaded(
        self, document: KeyDocument, now: Instant, *, max_age: float | None = None, key_url: str | None = None
    ) -> RingState:
        """After a good document, which replaces everything that the last one said (Laws 4.7, 4.8).

        Args:
            document: What was read.
            now: When.
            max_age: The response's, in seconds.
            key_url: Where discovery said that it is, if it was asked this time.
        """
        return replace(
            self,
            keys=document.keys.without(self.forgotten),
            loaded_at=now,
            soft_ttl=self.times.ttl(max_age),
            key_url=key_url or self.key_url,
            discovered_at=now.mono if key_url else self.discovered_at,
            warnings=document.warnings,
            attempt_since=None,
            last_error=None,
            backoff=Backoff(),
            farewell=Farewell(),
            absent_until=-math.inf,
        )

    def failed(
        self, reason: str, now: Instant, *, jitter: float, definite: bool = False, retry_after: float = 0.0
    ) -> RingState:
        """After a refresh that brought nothing; good keys stay as they are (Law 4.4).

        Args:
            reason: Why, for logs and health.
            now: When.
            jitter: Random, from 0 to 1.
            definite: Whether the issuer answered, and said that there are no keys.
            retry_after: What it asked for, in seconds.
        """
        farewell = self.farewell.said(now.mono, self.times) if definite else self.farewell.interrupted()
        after = replace(
            self,
            key_url=None,
            attempt_since=None,
            last_error=reason,
            backoff=self.backoff.failed(now.mono, self.times, jitter=jitter, at_least=retry_after),
            bucket=self.bucket.emptied(now.mono, self.times),
            farewell=farewell,
        )
        return after if after.usable(now) is not None else replace(after, keys=None, loaded_at=None)

    def absent(self, now: Instant) -> RingState:
        """After a definite answer: where there are no keys, the issuer knows no such tenant, for a while.

        That is an answer and no failure: it is asked again when the while is over. Keys that are there go on, and
        the pause of the failure holds (Laws 4.4, 4.6).
        """
        if self.keys is not None:
            return self
        until = now.mono + self.times.absent_for
        return replace(self, backoff=Backoff(until=until), absent_until=until)

    def forgetting(self, kid: str) -> RingState:
        """After a key was disowned: gone at once, and not taken back from a later document (Law 4.7)."""
        keys = None if self.keys is None else self.keys.without((kid,))
        return replace(self, keys=keys, forgotten=self.forgotten | {kid})
