"""The key set of one (issuer, tenant): pure decisions over a snapshot that is swapped whole (Law 3.12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..clock import Instant
from ..effects import RingName
from ..errors import AlgorithmRefused, UnknownKey
from ..jose.compact import Header
from ..jose.keys import Key, KeySet
from .plan import Await, Plan, Refuse, Settled, Unavailable, Use, UseAndRefresh
from .state import RingState
from .times import KeyTimes

__all__ = ["KeyRing", "KeySetHealth"]


@dataclass(frozen=True, slots=True)
class KeySetHealth:
    """How a key set is (Law 4.12).

    Args:
        issuer: The configured name of the issuer.
        tenant: The tenant, where the issuer keeps one key set for each.
        status: ``static`` for keys of the configuration; ``fresh``; ``stale`` when due for a refresh, and
            answering all the same; ``down`` when no key answers.
        age: Seconds since the newest good document; None where there is none.
        keys: How many keys answer.
        last_error: Why the last refresh failed; None after a good one.
    """

    issuer: str
    tenant: str | None
    status: Literal["fresh", "stale", "down", "static"]
    age: float | None
    keys: int
    last_error: str | None


class KeyRing:
    """Decides, for a token's ``kid`` and ``alg``, which keys may verify it and whether to fetch newer ones.

    It takes no lock and does no I/O: each method reads ``state`` once, which the refresher alone replaces.

    Args:
        name: Whose keys these are.
        times: The numbers to live by.

    Attributes:
        name: As given.
        state: The present snapshot.
        is_proven: Whether one of its keys has verified a token.
    """

    __slots__ = ("is_proven", "name", "state")

    def __init__(self, name: RingName, times: KeyTimes | None = None) -> None:
        self.name = name
        self.state = RingState(times or KeyTimes())
        self.is_proven = False

    @classmethod
    def static(cls, name: RingName, keys: KeySet) -> KeyRing:
        """A ring of keys that are part of the configuration: never old, never refreshed."""
        ring = cls(name)
        ring.state = RingState(KeyTimes(), keys)
        return ring

    def current(self) -> KeyRing:
        """The ring itself; of a tenant's ring ``TenantDoor.current`` tells which it is after a wait."""
        return self

    def is_spare(self, now: Instant) -> bool:
        """Whether it may make room for another tenant's: it has verified nothing, or is past its time (Law 4.13)."""
        state = self.state
        is_of_use = self.is_proven and state.usable(now) is not None
        return not is_of_use and not state.forgotten and state.attempt_since is None

    def plan(self, kid: str | None, alg: str, now: Instant) -> Plan:
        """What to do about a token.

        Args:
            kid: The token's, if it has one.
            alg: The token's, on the issuer's allow-list already.
            now: The present moment.
        """
        state = self.state
        if kid in state.forgotten:
            return _forgotten()
        keys = state.usable(now)
        if keys is None:
            return _plan_cold(state, now)
        choice = _choose(keys, kid, alg)
        return _plan_unknown(state, now) if choice is None else _plan_known(state, choice, now)

    def settle(self, kid: str | None, alg: str, now: Instant) -> Settled:
        """What to do after a wait: as ``plan``, but never to wait again."""
        state = self.state
        if kid in state.forgotten:
            return _forgotten()
        keys = state.usable(now)
        if keys is None:
            return _settle_cold(state, now)
        return _choose(keys, kid, alg) or _unknown(state, now)

    def plan_newer(self, alg: str, tried: tuple[Key, ...], now: Instant) -> Plan:
        """What to do where a token has no kid and the ``tried`` keys failed: an unknown kid (Law 3.4)."""
        state = self.state
        settled = _newer(state, alg, tried, now)
        return settled if isinstance(settled, Use) else _plan_unknown(state, now)

    def settle_newer(self, alg: str, tried: tuple[Key, ...], now: Instant) -> Settled:
        """As ``plan_newer``, after the wait."""
        return _newer(self.state, alg, tried, now)

    def known(self, header_segment: str, now: Instant) -> tuple[Header, Key] | None:
        """What a header segment means, if a good token of this set had it and the set is fresh (Law 4.2)."""
        keys = self.state.fresh(now)
        return None if keys is None else keys.recall(header_segment)

    def remember(self, header_segment: str, header: Header, key: Key) -> None:
        """Keep what a header segment means, for a token with a kid whose signature was good.

        Ignored where the key has left the set meanwhile: what is remembered dies with its set.
        """
        self.is_proven = True
        keys = self.holding(key, header.kid)
        if keys is not None and header.kid is not None:
            keys.remember(header_segment, header, key)

    def holding(self, key: Key, kid: str | None) -> KeySet | None:
        """The present set, if this very key is one of it: what a key proved may be kept as long as its set.

        Args:
            key: What verified a token.
            kid: The token's, if it has one. A key that nobody named answers to every kid and so outlasts those
                that were forgotten (Law 4.7).
        """
        state = self.state
        keys = state.keys
        return None if keys is None or kid in state.forgotten or key not in keys else keys

    def health(self, now: Instant) -> KeySetHealth:
        """How the key set is (Law 4.12)."""
        state = self.state
        keys = state.usable(now)
        if state.is_static:
            status: Literal["fresh", "stale", "down", "static"] = "static"
        elif keys is None:
            status = "down"
        else:
            status = "stale" if state.fresh(now) is None else "fresh"
        age = None if state.loaded_at is None else state.age(now)
        count = 0 if keys is None else len(keys)
        return KeySetHealth(self.name.issuer, self.name.tenant, status, age, count, state.last_error)


def _choose(keys: KeySet, kid: str | None, alg: str) -> Use | Refuse | None:
    """What a usable set says of a token; None where no key answers to its kid, or fits where it has none."""
    found = keys.select(kid, alg)
    if found:
        return Use(found)
    if kid is None or not keys.has_kid(kid):
        return None
    # Law 3.4: the kid is known, so nothing that could be fetched would tell more about this token.
    if sum(key.kid == kid and alg in key.algorithms for key in keys.keys) > 1:
        return Refuse(UnknownKey("more than one key has the kid of the token"))
    return Refuse(AlgorithmRefused("the key of this kid does not verify the alg of the token"))


def _settle_cold(state: RingState, now: Instant) -> Refuse | Unavailable:
    if now.mono < state.absent_until:
        return Refuse(UnknownKey("the issuer has no keys for a tenant of this name"))
    return _unavailable(state, now)


def _plan_cold(state: RingState, now: Instant) -> Plan:
    if now.mono < state.absent_until:
        return _settle_cold(state, now)
    if state.attempt_since is not None or state.may_start(now, unknown_kid=False):
        return Await(state.times.key_wait)
    return _unavailable(state, now)


def _plan_known(state: RingState, choice: Use | Refuse, now: Instant) -> Plan:
    if state.fresh(now) is not None:
        return choice
    wait = state.idle_wait(now)
    if wait > 0:
        return Await(wait)
    if not state.may_start(now, unknown_kid=False):
        return choice
    return UseAndRefresh(choice.keys) if isinstance(choice, Use) else Refuse(choice.error, refresh=True)


def _plan_unknown(state: RingState, now: Instant) -> Plan:
    if state.attempt_since is not None or state.may_start(now, unknown_kid=True):
        return Await(state.times.unknown_wait, unknown_kid=True)
    return _unknown(state, now)


def _newer(state: RingState, alg: str, tried: tuple[Key, ...], now: Instant) -> Settled:
    keys = state.usable(now)
    if keys is None:
        return _unavailable(state, now)
    newer = tuple(key for key in keys.select(None, alg) if key not in tried)
    return Use(newer) if newer else _unknown(state, now)


def _unknown(state: RingState, now: Instant) -> Refuse | Unavailable:
    """Law 4.5: a key that is not in a young document does not exist; of an old document nobody can say."""
    if state.is_static or state.age(now) <= state.times.unknown_trust:
        return Refuse(UnknownKey("no key of the issuer answers to the token"))
    return _unavailable(state, now)


def _unavailable(state: RingState, now: Instant) -> Unavailable:
    reason = state.last_error or "they have not arrived yet"
    return Unavailable(f"the keys cannot be had: {reason}", state.backoff.rest(now.mono))


def _forgotten() -> Refuse:
    return Refuse(UnknownKey("the key of this kid is no longer believed here"))
