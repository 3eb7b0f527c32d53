"""The tokens that are presented: good, revoked, expired, hostile, of keys that are gone; a bounded number of each."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import deque
from typing import Final

from authgate_core.testing import FakeIssuer
from authgate_core.testing.attacks import attacks

from .specimens import Specimen

__all__ = ["LIFETIME", "Stock"]

LIFETIME: Final = 240.0
"""How long a good token lives, in seconds; the longest that the gates accept."""

_GOOD: Final = 100
_REVOKED: Final = 200
_SHORT: Final = 20
_ROTATED: Final = 20
_SHORT_LIFE: Final = 4
_SLACK: Final = 1.0
"""Seconds before its end from which on a token is not good for certain."""

_SHARES: Final = (65, 20, 5, 5, 5)
_DATES: Final = "date"


class Stock:
    """Where those who ask take their tokens from; whoever adds one drops the oldest of its kind.

    Args:
        issuer: Whose tokens they are. Its present key is the one that is never taken away.
    """

    def __init__(self, issuer: FakeIssuer) -> None:
        self._issuer = issuer
        self._kid = issuer.kid
        self._lock = threading.Lock()
        # What is wrong about a date may be right some minutes later.
        hostile = [each.token for each in attacks(issuer) if each.kind != _DATES]
        self._hostile = [Specimen(token, "hostile", dead_from=0.0) for token in hostile]
        self._good = deque((self._new("good") for _ in range(_GOOD)), _GOOD)
        self._revoked: deque[Specimen] = deque(maxlen=_REVOKED)
        self._short: deque[Specimen] = deque(maxlen=_SHORT)
        self._rotated: deque[Specimen] = deque(maxlen=_ROTATED)
        self._shelves = (self._good, self._revoked, self._short, self._rotated, self._hostile)

    def pick(self, chance: random.Random) -> Specimen:
        """Any token: most are good, as with real callers."""
        (shelf,) = chance.choices(self._shelves, _SHARES)
        with self._lock:
            return chance.choice(shelf or self._good)

    def newest(self) -> str:
        """A good token."""
        with self._lock:
            return self._good[-1].token

    def renew(self) -> None:
        """Add a good token, and one that soon expires."""
        good, short = self._new("good"), self._new("expired", lasts=_SHORT_LIFE)
        with self._lock:
            self._good.append(good)
            self._short.append(short)

    def add_revocable(self) -> Specimen:
        """Add a token that will be revoked; it is good until somebody begins to."""
        specimen = self._new("revoked")
        specimen.told = True
        with self._lock:
            self._revoked.append(specimen)
        return specimen

    def revoked_so_far(self) -> list[Specimen]:
        """Those whose revocation was confirmed, and those of which it is not known."""
        with self._lock:
            return [specimen for specimen in self._revoked if specimen.good_until == 0.0]

    def rotate(self) -> list[Specimen]:
        """Publish a key beside the one that stays, and add tokens of it; until it is known, they may be refused."""
        self._issuer.rotate()
        made = [self._new("removed key's", kid=self._issuer.kid) for _ in range(_ROTATED)]
        for specimen in made:
            specimen.good_until = -1.0
        with self._lock:
            self._rotated.extend(made)
        return made

    @property
    def newest_kid(self) -> str:
        """The key that was published last."""
        return self._issuer.kid

    def _new(self, kind: str, *, lasts: float = LIFETIME, kid: str | None = None) -> Specimen:
        sub, sid = uuid.uuid4().hex, uuid.uuid4().hex
        now, wall = time.monotonic(), time.time()
        token = self._issuer.token(sub, expires_in=lasts, sid=sid, kid=kid or self._kid)
        # Dates are whole seconds, counted from the last one.
        ends = now + (int(wall) + lasts - wall)
        return Specimen(token, kind, dead_from=ends, good_until=ends - _SLACK, sid=sid, sub=sub)
