"""Refreshes key sets: of each at most one refresh at a time, on a thread of its own, for both colours.

Because a refresh belongs to no request, a cancelled waiter, a closed event loop, two loops or fifty threads
change nothing about it (Laws 4.1, 4.11). No lock is held while anything waits.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
import weakref
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, TypeAlias

from ..clock import Clock, Instant
from ..effects import AwaitKeys, RingName
from ..errors import AuthUnavailable
from ..events import Notice
from ..flows.keys import Refreshed, RefreshFailed, RefreshFlow, refresh
from ..keyring import KeyRing, KeySource, RingState, TenantRings, notices
from ..ports import HttpPort
from .waits import Outcome, Waits, wait_through, wait_through_async

__all__ = ["KeyRefresher", "Outcome"]

_PLACES: Final = 1
_ASYNC_PLACES: Final = 16
_TENANTS_AT_ONCE: Final = 8

TenantSource: TypeAlias = Callable[[str], KeySource]
"""Where the keys of a tenant are published."""


@dataclass(frozen=True, slots=True, eq=False)
class _Flight:
    """A refresh under way."""

    ring: KeyRing
    source: KeySource
    before: RingState
    key_url: str | None
    outcome: Outcome = field(default_factory=Future)


class KeyRefresher:
    """Starts refreshes, lets requests wait for them, and alone replaces the state of key rings.

    Args:
        http: Sends the requests; used from the refresh threads, several at once.
        clock: Where the time comes from.
        notice: Told what an operator should know.
        random: Gives numbers from 0 to 1, for the jitter of the back-off; must differ after ``fork()``.
    """

    def __init__(
        self, http: HttpPort, clock: Clock, *, notice: Callable[[Notice], None], random: Callable[[], float]
    ) -> None:
        self._http = http
        self._clock = clock
        self._notice = notice
        self._random = random
        self._rings: dict[RingName, KeyRing] = {}
        self._sources: dict[RingName, KeySource] = {}
        self._tenants: dict[str, tuple[TenantRings, TenantSource]] = {}
        self._start_anew()
        _living.add(self)

    def _start_anew(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[RingName, _Flight] = {}
        self._waiting = 0

    def after_fork(self) -> None:
        """Law 9.5: no lock, future or thread of the parent is used; what its rings know stays true."""
        self._start_anew()
        for ring in self.rings.values():
            ring.state = ring.state.abandoned()

    @property
    def rings(self) -> Mapping[RingName, KeyRing]:
        """Every ring that is kept at present, by name; read-only."""
        kept = (ring for rings, _ in self._tenants.values() for ring in rings.rings)
        return MappingProxyType({**self._rings, **{ring.name: ring for ring in kept}})

    def add(self, ring: KeyRing, source: KeySource | None) -> None:
        """Look after a ring; ``source`` is None for keys of the configuration."""
        with self._lock:
            self._rings[ring.name] = ring
            if source is not None:
                self._sources[ring.name] = source

    def add_tenants(self, issuer: str, rings: TenantRings, source: TenantSource) -> None:
        """Look after the rings of an issuer that keeps a key set for each tenant (Law 4.13)."""
        with self._lock:
            self._tenants[issuer] = (rings, source)

    def start(
        self, name: RingName, *, unknown_kid: bool = False, since: Instant | None = None
    ) -> Outcome | None:
        """Start or join a refresh; returns at once.

        Args:
            name: Which key set.
            unknown_kid: Whether an unknown kid asks, which may draw from the bucket (Law 4.5).
            since: When the kid was looked for; a document that came later makes the fetch needless.

        Returns:
            What will be resolved when it is over; None where none may start now.
        """
        with self._lock:
            flight = self._flights.get(name)
            if flight is not None:
                return flight.outcome
            flight = self._prepare(name, unknown_kid=unknown_kid, since=since)
            if flight is None:
                return None
            self._flights[name] = flight
        try:
            threading.Thread(target=self._fly, args=(flight,), name="authgate-keys", daemon=True).start()
        except RuntimeError as error:  # no thread can be had, as at interpreter exit: one more failure
            self._land(flight, RefreshFailed(str(error)))
        return flight.outcome

    def _prepare(self, name: RingName, *, unknown_kid: bool, since: Instant | None) -> _Flight | None:
        if not self._has_room(name):  # first, so that nothing is drawn from the budget for no fetch
            return None
        now = self._clock.now()
        ring, source = self._kept(name, now)
        if ring is None or source is None:
            return None
        before = ring.state
        asks = unknown_kid and not before.is_newer_than(since)
        if not before.may_start(now, unknown_kid=asks):
            return None
        ring.state = before.started(now)
        flight = _Flight(ring, source, before, before.known_key_url(now))
        flight.outcome.set_running_or_notify_cancel()  # from now on nobody who waits for it can cancel it
        return flight

    def _kept(self, name: RingName, now: Instant) -> tuple[KeyRing | None, KeySource | None]:
        """The ring of this name and where its keys are; a tenant's first fetch makes one, if the budget has one."""
        if name.tenant is None or name.issuer not in self._tenants:
            return self._rings[name], self._sources.get(name)
        rings, source = self._tenants[name.issuer]
        return rings.begin(name.tenant, now), source(name.tenant)

    def _has_room(self, name: RingName) -> bool:
        """Law 4.13: the tenants of one issuer share the fetches that may be in flight."""
        flying = sum(other.tenant is not None and other.issuer == name.issuer for other in self._flights)
        return name.tenant is None or flying < _TENANTS_AT_ONCE

    def _fly(self, flight: _Flight) -> None:
        """The whole refresh, as the body of its thread."""
        sign = flight.source.signer(self._clock.now())
        try:
            refreshed = self._run(refresh(flight.source, flight.key_url, sign))
        except RefreshFailed as failure:
            self._land(flight, failure)
        except BaseException as bug:
            self._land(flight, bug)
            raise  # Law 1.3: perhaps nobody waits, so the thread's own hook shows it
        else:
            self._land(flight, refreshed)

    def _run(self, flow: RefreshFlow) -> Refreshed:
        try:
            effect = next(flow)
            while True:
                try:
                    reply = self._http.send(effect.request)
                except AuthUnavailable as error:
                    effect = flow.throw(error)
                else:
                    effect = flow.send(reply)
        except StopIteration as stop:
            refreshed: Refreshed = stop.value
            return refreshed

    def _land(self, flight: _Flight, result: Refreshed | BaseException) -> None:
        """Put the result in place, then let everyone go on, then tell."""
        after = self._commit(flight, result)
        bug = None if isinstance(result, (Refreshed, RefreshFailed)) else result
        flight.outcome.set_result(bug)
        alarm = bug is not None or (isinstance(result, RefreshFailed) and result.alarm)
        if after is not None and not after.is_absent:  # a made-up tenant is no news
            for notice in notices(flight.ring.name, flight.before, after, alarm=alarm):
                self._notice(notice)

    def _commit(self, flight: _Flight, result: Refreshed | BaseException) -> RingState | None:
        """Swap the ring's state; None where the flight is not current any more, and nothing of it is used."""
        with self._lock:
            if self._flights.get(flight.ring.name) is not flight:
                return None
            del self._flights[flight.ring.name]
            flight.ring.state = self._next(flight.ring, result)
            return flight.ring.state

    def _next(self, ring: KeyRing, result: Refreshed | BaseException) -> RingState:
        state, now = ring.state, self._clock.now()
        match result:
            case Refreshed(document, max_age, key_url):
                return state.loaded(document, now, max_age=max_age, key_url=key_url)
            case RefreshFailed(reason=reason, definite=definite, retry_after=pause, gone=gone):
                jitter = self._random()
                after = state.failed(reason, now, jitter=jitter, definite=definite, retry_after=pause)
                return after.absent(now) if gone and ring.name.tenant is not None else after
            case _:
                return state.failed(f"a bug: {type(result).__name__}", now, jitter=self._random())

    def wait(self, effect: AwaitKeys) -> Instant:
        """Perform ``AwaitKeys`` on this thread: start or join a refresh, and wait for it.

        Returns:
            The time after the wait, whether or not the refresh is over.

        Raises:
            BaseException: What escaped from the HTTP port that is no ``AuthUnavailable``, if no key answers
                (Law 1.3).
        """
        return self._waited(effect, wait_through(self._waits(effect, _PLACES)))

    async def wait_async(self, effect: AwaitKeys) -> Instant:
        """``wait`` for a coroutine; cancelling it changes nothing about the refresh."""
        return self._waited(effect, await wait_through_async(self._waits(effect, _ASYNC_PLACES)))

    def _waits(self, effect: AwaitKeys, places: int) -> Waits:
        """What to wait for, one after the other and in all no longer than asked: a place in flight, the refresh."""
        until = time.monotonic() + effect.timeout
        outcome = self.start(effect.ring, unknown_kid=effect.unknown_kid, since=effect.since)
        with self._place(effect, places) as may_wait:
            while may_wait and (rest := until - time.monotonic()) > 0:
                ahead = (outcome,) if outcome is not None else self._ahead(effect.ring)
                if ahead:
                    yield ahead, rest
                if outcome is not None or not ahead:
                    break
                outcome = self.start(effect.ring, unknown_kid=effect.unknown_kid, since=effect.since)
        return outcome

    def _ahead(self, name: RingName) -> tuple[Outcome, ...]:
        """The refreshes that leave no room for one more of the same issuer's tenants (Law 4.13)."""
        with self._lock:
            if self._has_room(name):
                return ()
            return tuple(
                flight.outcome for other, flight in self._flights.items() if other.issuer == name.issuer
            )

    @contextmanager
    def _place(self, effect: AwaitKeys, places: int) -> Generator[bool]:
        """Law 4.10: few requests may wait for unknown kids, over all key sets; for known ones any may."""
        if not effect.unknown_kid:
            yield True
            return
        with self._lock:
            may_wait = self._waiting < places
            self._waiting += may_wait
        try:
            yield may_wait
        finally:
            with self._lock:
                self._waiting -= may_wait

    def _waited(self, effect: AwaitKeys, outcome: Outcome | None) -> Instant:
        now = self._clock.now()
        bug = outcome.result() if outcome is not None and outcome.done() else None
        ring = self.rings.get(effect.ring) if bug is not None else None
        if bug is not None and (ring is None or ring.state.usable(now) is None):
            raise bug
        return now

    def forget(self, name: RingName, kid: str) -> None:
        """Stop believing a key at once, whatever is published later (Law 4.7).

        Raises:
            KeyError: If there is no such key set.
        """
        with self._lock:
            ring = self._held(name)
            ring.state = ring.state.forgetting(kid)

    def _held(self, name: RingName) -> KeyRing:
        """The ring of this name; a tenant's is made where there is none, which no limit may prevent."""
        if name.tenant is None or name.issuer not in self._tenants:
            return self._rings[name]
        rings, source = self._tenants[name.issuer]
        try:
            source(name.tenant)
        except ValueError:  # nothing that could be a tenant
            raise KeyError(name) from None
        return rings.hold(name.tenant)

    def warm_up(self, timeout: float) -> None:
        """Refresh every key set that is due, all at once, and wait at most ``timeout`` seconds.

        An issuer that is down raises nothing: the app starts, and health says so (Law 4.12).
        """
        wait_for(self._start_all(), timeout)

    async def warm_up_async(self, timeout: float) -> None:  # noqa: ASYNC109 - the same promise in both colours
        """``warm_up`` for a coroutine."""
        outcomes = [asyncio.wrap_future(outcome) for outcome in self._start_all()]
        if outcomes:
            await asyncio.wait(outcomes, timeout=timeout)

    def _start_all(self) -> list[Outcome]:
        return [outcome for outcome in map(self.start, self.rings) if outcome is not None]

    def close(self) -> None:
        """Use nothing of what is under way; a later request may start anew. The HTTP port is its owner's to close."""
        with self._lock:
            for flight in self._flights.values():
                flight.ring.state = flight.ring.state.abandoned()
            self._flights.clear()


# A fork hook cannot be taken back, so one serves every refresher that is alive.
_living: Final[weakref.WeakSet[KeyRefresher]] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for refresher in tuple(_living):
        refresher.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
