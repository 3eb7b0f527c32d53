"""Tokens that were issued to this service, and what is known of each between two answers of the issuer.

All of it is pure: a token knows how long it is good, and what is held of it says when to ask again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from ..clock import Instant
from ..errors import AuthgateError, AuthUnavailable, EndpointRefused
from ..keyring.pacing import Backoff
from ..keyring.times import KeyTimes
from ..secret import Secret

__all__ = ["NOTHING", "Failure", "Held", "IssuedToken"]

_DUE: Final = 0.8
_SPREAD: Final = 0.1
"""How much sooner at most a token is due, so that processes that began together do not ask together."""
_MARGIN: Final = 5.0
"""Seconds before its end from which on a token is not sent: a call takes a while to arrive."""
_TIMES: Final = KeyTimes()
_REFUSED_FOR: Final = 60.0
_UNHURRIED: Final = 0.05
_SELDOM: Final = 10.0
"""Seconds between two attempts to have a token in the place of one that was refused where it was shown."""


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token of the issuer's.

    Args:
        value: The token.
        asked: When it was asked for: it is as old as that.
        life: For how long it was issued, in seconds.
        refresh_token: What the next one is asked for with, where this came with one.
    """

    value: Secret
    asked: Instant
    life: float
    refresh_token: Secret | None = None

    def _age(self, now: Instant) -> float:
        # As of key sets (Law 4.3): no clock that stands still or is set back makes a token younger than it is.
        return max(now.mono - self.asked.mono, now.wall - self.asked.wall)

    def is_good(self, now: Instant) -> bool:
        """Whether it can still be sent."""
        return self._age(now) < self.life - min(_MARGIN, self.life / 10)

    def is_due(self, now: Instant, jitter: float) -> bool:
        """Whether it is time for the next one; ``jitter`` is from 0 to 1."""
        return self._age(now) >= self.life * _DUE * (1 - _SPREAD * jitter)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no token.

    Args:
        kind: The outcome.
        reason: Why, for logs.
        retry_after: When to ask again at the earliest, in seconds.
        of_client: Whether it is the client that is refused, whatever it asks for.
    """

    kind: type[AuthgateError]
    reason: str
    retry_after: float = 0.0
    of_client: bool = False

    @property
    def is_definite(self) -> bool:
        """Whether asking again soon would be answered alike."""
        return issubclass(self.kind, EndpointRefused) or not issubclass(self.kind, AuthUnavailable)

    def error(self) -> AuthgateError:
        """An error of its own for each who is told."""
        if issubclass(self.kind, AuthUnavailable):
            return self.kind(self.reason, retry_after=self.retry_after)
        return self.kind(self.reason)


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of one token that is wanted.

    Args:
        token: The last one that was issued.
        jitter: From 0 to 1: how much sooner than others this is due.
        failure: Why the last attempt failed; None where it did not.
        pause: When the next attempt may start.
        replaced: When one was last asked for in the place of a token that was refused, in monotonic seconds.
    """

    token: IssuedToken | None = None
    jitter: float = 0.0
    failure: Failure | None = None
    pause: Backoff = Backoff()
    replaced: float = -math.inf

    def good(self, now: Instant) -> IssuedToken | None:
        """The token, where it can be sent."""
        return self.token if self.token is not None and self.token.is_good(now) else None

    def fresh(self, now: Instant, refused: Secret | None) -> IssuedToken | None:
        """The token, where nobody need ask for another; ``refused`` is one that is of no use."""
        token = self.good(now)
        if token is None or token.is_due(now, self.jitter) or token.value == refused:
            return None
        return token

    def may_ask(self, now: Instant, refused: Secret | None) -> bool:
        """Whether an attempt may start."""
        is_seldom = refused is None or now.mono - self.replaced >= _SELDOM
        return is_seldom and self.pause.is_over(now.mono)

    def asking(self, now: Instant, refused: Secret | None) -> Held:
        """After an attempt was started."""
        return self if refused is None else replace(self, replaced=now.mono)

    def issued(self, token: IssuedToken, jitter: float) -> Held:
        """After a good answer."""
        kept = token.refresh_token or (self.token.refresh_token if self.token is not None else None)
        return Held(replace(token, refresh_token=kept), jitter, replaced=self.replaced)

    def failed(self, failure: Failure, now: Instant, jitter: float) -> Held:
        """After an attempt that failed: the token stands while it is good, unless the issuer has ended it."""
        at_least = max(failure.retry_after, _REFUSED_FOR if failure.is_definite else self._unhurried(now))
        pause = self.pause.failed(now.mono, _TIMES, jitter=jitter, at_least=at_least)
        is_over = not issubclass(failure.kind, AuthUnavailable)
        return replace(self, token=None if is_over else self.token, failure=failure, pause=pause)

    def _unhurried(self, now: Instant) -> float:
        """How long a failure need not be repeated, in seconds: one token alone opens no breaker while it is good."""
        token = self.good(now)
        return 0.0 if token is None else token.life * _UNHURRIED


NOTHING: Final = Held()
