"""What a directory answered about project credentials (Laws 6.2, 6.6): pure decisions over bounded tables.

    no answer known             ask, unless too much has failed lately
    a no, up to 10 s            refused without asking; so is a project that may not use this service
    a yes, up to 60 s           good
    a yes, up to 3 min          good, and asked again in the background
    a yes, up to 15 min         asked again first; good while the directory is unreachable
    older                       no answer known

``plan`` takes no lock: entries are values, and each step of a change leaves tables that are safe to read.
Changes come from one writer at a time; ``runner.lookups`` sees to it.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, replace
from math import inf
from typing import Final, TypeVar, final

from ..clock import Instant
from ..credentials import AppCredentials
from ..principal import Project
from .bucket import Bucket
from .plans import Ask, Barred, Hit, HitAndRefresh, Limited, Plan, Refused

__all__ = ["ProjectCache"]

FRESH: Final = 60.0
BACKGROUND: Final = 180.0
"""As with keys (Law 4.3), three times the fresh time: an older yes counts unasked only in an outage."""
USABLE: Final = 900.0
REFUSED: Final = 10.0
RETRY: Final = 5.0
"""How long after an attempt that failed the next one begins, in seconds."""
OUTAGE: Final = 60.0
"""How long one outage that was seen counts as the directory being unreachable, in seconds."""

_POSITIVE: Final = 10_000
_NEGATIVE: Final = 10_000
_SHORTEST_KEY: Final = 16

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class _Yes:
    """A good answer; all times are monotonic seconds.

    Args:
        project: The answer.
        asked: When the question was put: the answer may be as old as that.
        tried: When it was last put again in vain.
        outage: When the directory was last seen to be unreachable.
    """

    project: Project
    asked: float
    tried: float = -inf
    outage: float = -inf


@dataclass(frozen=True, slots=True)
class _No:
    """A refusal.

    Args:
        at: When it was given, in monotonic seconds.
        barred: Whether the project is known and may not use this service.
    """

    at: float
    barred: bool


@final
class ProjectCache:
    """Remembers what a directory answered, without the secrets.

    Failures are limited in two ways. An app id that the directory has confirmed in this process has a limit
    of its own; all others share the gate's. So made-up app ids neither fill a table nor shut out a project
    that is known, and where the table of known app ids is full, the oldest share the gate's limit again.

    Args:
        hash_key: At least 16 random bytes, new for each process, that key the hashes of what is presented.
        positive: How many good answers, and how many known app ids, are kept; the oldest go first.
        negative: How many refusals are kept.

    Raises:
        ValueError: If ``hash_key`` is too short.
    """

    __slots__ = ("_buckets", "_forgotten", "_gate", "_hash_key", "_negative", "_no", "_positive", "_yes")

    def __init__(self, hash_key: bytes, *, positive: int = _POSITIVE, negative: int = _NEGATIVE) -> None:
        if len(hash_key) < _SHORTEST_KEY:
            raise ValueError(f"a hash key has at least {_SHORTEST_KEY} bytes, not {len(hash_key)}")
        self._hash_key = hash_key
        self._positive = positive
        self._negative = negative
        self._yes: OrderedDict[bytes, _Yes] = OrderedDict()
        self._no: OrderedDict[bytes, _No] = OrderedDict()
        self._forgotten = -inf
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._gate = Bucket()

    def key(self, credentials: AppCredentials) -> bytes:
        """What names the credentials here: a keyed hash of both, each with its length (Law 6.2)."""
        digest = hashlib.blake2b(key=self._hash_key, digest_size=32)
        for text in (credentials.app_id, credentials.secret.reveal()):
            part = text.encode("utf-8", "surrogatepass")
            digest.update(len(part).to_bytes(8) + part)
        return digest.digest()

    def plan(self, key: bytes, app_id: str, now: Instant) -> Plan:
        """What to do about these credentials."""
        yes = self._yes.get(key)
        if yes is not None and now.mono - yes.asked <= USABLE:
            return _use(yes, now.mono)
        refused = self._no.get(key)
        if refused is not None and now.mono - refused.at < REFUSED:
            return Barred() if refused.barred else Refused()
        wait = self._buckets.get(app_id, self._gate).wait(now.mono)
        return Limited(wait) if wait > 0.0 else Ask()

    def last_good(self, key: bytes, now: Instant) -> Project | None:
        """The last good answer, if it may be used now that the directory could not be asked."""
        yes = self._yes.get(key)
        # The attempt took its time: the outage that it ended with is later than the start of the request.
        if yes is None or max(now.mono, yes.outage) - yes.asked > USABLE:
            return None
        return yes.project

    def answered(
        self, key: bytes, app_id: str, answer: Project | None, *, asked: Instant, now: Instant
    ) -> None:
        """Commit what the directory said.

        Args:
            key: What names the credentials.
            app_id: Their app id, which the limits go by.
            answer: The project, or None for a definite refusal.
            asked: When it was asked; a yes to a question older than the last no is not kept.
            now: When it answered.
        """
        if answer is None:
            self._refuse(key, _No(now.mono, barred=False))
            self._draw(app_id, now.mono)
        elif asked.mono > max(self._refused(key), self._asked(key)):
            _put(self._yes, key, _Yes(answer, asked.mono), self._positive)
            self._forget(self._no.pop(key, None))
            _put(self._buckets, app_id, self._buckets.get(app_id, Bucket()), self._positive)

    def barred(self, key: bytes, now: Instant) -> None:
        """Commit that the project is known and may not use this service; that is no failed attempt (Law 6.6).

        Args:
            key: What names the credentials.
            now: When the directory answered.
        """
        self._refuse(key, _No(now.mono, barred=True))

    def failed(self, key: bytes, now: Instant, *, outage: bool) -> None:
        """Commit that the directory gave no answer.

        Args:
            key: What names the credentials.
            now: When the attempt ended.
            outage: Whether it was unreachable, which alone lets an answer be used for longer (Law 6.2).
        """
        yes = self._yes.get(key)
        if yes is not None:
            self._yes[key] = replace(yes, tried=now.mono, outage=now.mono if outage else yes.outage)

    def _refuse(self, key: bytes, no: _No) -> None:
        self._yes.pop(key, None)
        before = self._no.get(key)
        latest = no if before is None or before.at < no.at else replace(no, at=before.at)
        self._forget(_put(self._no, key, latest, self._negative))

    def _draw(self, app_id: str, mono: float) -> None:
        known = self._buckets.get(app_id)
        if known is None:
            self._gate = self._gate.drawn(mono)
        else:
            self._buckets[app_id] = known.drawn(mono)

    def _forget(self, refused: _No | None) -> None:
        """Of refusals that leave the table the latest time stays, so that no older yes is kept after one."""
        if refused is not None:
            self._forgotten = max(self._forgotten, refused.at)

    def _refused(self, key: bytes) -> float:
        refused = self._no.get(key)
        return self._forgotten if refused is None else refused.at

    def _asked(self, key: bytes) -> float:
        yes = self._yes.get(key)
        return -inf if yes is None else yes.asked

    def __repr__(self) -> str:
        return f"ProjectCache({len(self._yes)} good, {len(self._no)} refused)"


def _use(yes: _Yes, mono: float) -> Plan:
    age = mono - yes.asked
    if age < FRESH:
        return Hit(yes.project)
    if age < BACKGROUND or mono - yes.outage < OUTAGE:
        return Hit(yes.project) if mono - yes.tried < RETRY else HitAndRefresh(yes.project)
    return Ask()


def _put(table: OrderedDict[K, V], key: K, value: V, bound: int) -> V | None:
    """Make an entry the newest, with no moment without it, and give back the oldest if it had to go."""
    table[key] = value
    table.move_to_end(key)
    return table.popitem(last=False)[1] if len(table) > bound else None
