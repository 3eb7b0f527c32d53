"""Asking endpoints: one call for each question, few at a time, and none of an endpoint that does not answer.

A call is its own affair once it has begun: who waits for it may give up, and whoever asks the same meanwhile waits
for it as well, in whatever thread or event loop (docs/adr/0025).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import Final, TypeAlias

from ..breaker import Breaker, Pace
from ..clock import Clock
from ..effects import Answered, AskEndpoint, Endpoint
from ..errors import AuthUnavailable
from ..events import Notice
from ..ports import HttpPort
from ..request import HttpReply

__all__ = ["Exchanges"]

_MOST_CALLS: Final = 100
"""Calls of one endpoint that may be under way: each has a thread where it may, and a connection."""
_LONGEST_PAUSE: Final = 60.0
_BUSY: Final = frozenset({429, 503})

_Outcome: TypeAlias = Answered | AuthUnavailable
_Flight: TypeAlias = Future[_Outcome]


@dataclass(slots=True, eq=False)
class _Line:
    """The state of one endpoint.

    Args:
        breaker: Whether it is worth asking.
        flights: The calls under way, by what they ask.
        resume: Until when it asked to be left alone, in monotonic seconds.
    """

    breaker: Breaker
    flights: dict[bytes, _Flight] = field(default_factory=dict)
    resume: float = -inf


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    """One question on its way.

    Args:
        effect: The question.
        line: The state of its endpoint.
        flight: What everyone who asks it waits for.
        is_probe: Whether it is the one call that an open breaker lets through.
    """

    effect: AskEndpoint
    line: _Line
    flight: _Flight
    is_probe: bool


class Exchanges:
    """Performs ``AskEndpoint``; all threads and event loops of a gate share it.

    Args:
        http: Sends the requests; used from several threads at once.
        clock: Tells when questions are put.
        notice: Told when a breaker opens and closes.
    """

    def __init__(self, http: HttpPort, clock: Clock, *, notice: Callable[[Notice], None]) -> None:
        self._http = http
        self._clock = clock
        self._notice = notice
        self._lines: dict[Endpoint, _Line] = {}
        self._lock = threading.Lock()
        _living.add(self)

    def start_over(self) -> None:
        """In a forked child: use no lock, call or probe of the parent's (Law 9.5)."""
        self._lock = threading.Lock()
        self._lines = {}

    def ask(self, effect: AskEndpoint) -> Answered:
        """Ask on this thread, or wait for a call under way.

        Raises:
            AuthUnavailable: If there is no complete answer, or the endpoint is not asked at present; what else the
                HTTP port raises leaves as itself (Law 1.3).
        """
        flight, call = self._join(effect)
        if call is not None:
            self._make(call)
        return _answer(flight.result())

    async def ask_async(self, effect: AskEndpoint) -> Answered:
        """``ask`` for a coroutine; the call has a thread of its own, and goes on when this is cancelled."""
        flight, call = self._join(effect)
        if call is not None:
            self._start(call)
        return _answer(await asyncio.wrap_future(flight))

    def _join(self, effect: AskEndpoint) -> tuple[_Flight, _Call | None]:
        """The call under way, or a new one that is for whoever gets it to make."""
        endpoint = effect.endpoint
        with self._lock:
            line = self._lines.get(endpoint)
            if line is None:
                pace = Pace(endpoint.opens_after, endpoint.within, endpoint.longest_rest, endpoint.first_rest)
                line = self._lines[endpoint] = _Line(Breaker(pace))
            flight = line.flights.get(effect.flight_key)
            if flight is not None:
                return flight, None
            is_probe = self._admit(line, endpoint.name)
            flight = line.flights[effect.flight_key] = Future()
        flight.set_running_or_notify_cancel()  # from now on nobody who waits for it can cancel it
        return flight, _Call(effect, line, flight, is_probe)

    def _admit(self, line: _Line, name: str) -> bool:
        """Let one more call begin; says whether it is the probe of an open breaker."""
        mono = self._clock.now().mono
        if mono < line.resume:
            raise AuthUnavailable(f"{name} asked to be left alone", retry_after=line.resume - mono)
        if len(line.flights) >= _MOST_CALLS:
            raise AuthUnavailable(f"{_MOST_CALLS} calls of {name} are under way")
        if not line.breaker.is_open:
            return False
        probing = line.breaker.start_probe(mono)
        if probing is None:
            reason = f"{name} did not answer; it is not asked until a probe succeeds"
            raise AuthUnavailable(reason, retry_after=line.breaker.rest(mono))
        line.breaker = probing
        return True

    def _start(self, call: _Call) -> None:
        try:
            apart = partial(copy_context().run, self._make_apart, call)  # which knows for what request
            threading.Thread(target=apart, name="authgate-ask", daemon=True).start()
        except RuntimeError as error:  # no thread can be had, as at interpreter exit
            self._land(call, AuthUnavailable(str(error)), failed=call.is_probe)

    def _make_apart(self, call: _Call) -> None:
        with contextlib.suppress(Exception):  # whoever waits has it from the flight
            self._make(call)

    def _make(self, call: _Call) -> None:
        asked = self._clock.now()
        try:
            reply = self._http.send(call.effect.request)
        except AuthUnavailable as outage:
            self._land(call, outage, failed=True)
        except BaseException as error:
            # What ends this thread alone, such as a worker's time-out, is an outage to those who wait for it.
            interrupted = AuthUnavailable(f"the call of {call.effect.endpoint.name} was interrupted")
            self._land(call, error if isinstance(error, Exception) else interrupted, failed=True)
            raise
        else:
            failed = reply.status >= 500 or reply.status in call.effect.faults
            self._land(call, Answered(reply, asked, self._clock.now()), failed=failed)

    def _land(self, call: _Call, outcome: Answered | Exception, *, failed: bool) -> None:
        """Note how the endpoint is, tell if that changed, and let everyone go on whatever comes of it."""
        line, mono = call.line, self._clock.now().mono
        with self._lock:
            line.flights.pop(call.effect.flight_key, None)
            before = line.breaker
            if call.is_probe:
                line.breaker = before.end_probe(mono, succeeded=not failed)
            else:
                line.breaker = before.failed(mono) if failed else before.succeeded()
            if isinstance(outcome, Answered):
                line.resume = max(line.resume, mono + _pause(outcome.reply))
            changed = before.is_open != line.breaker.is_open
        try:
            if changed:
                self._tell(call.effect.endpoint.name, outcome, is_open=not before.is_open)
        finally:
            if isinstance(outcome, (Answered, AuthUnavailable)):
                call.flight.set_result(outcome)
            else:
                call.flight.set_exception(outcome)

    def _tell(self, name: str, outcome: Answered | Exception, *, is_open: bool) -> None:
        if not is_open:
            self._notice(Notice("endpoint_breaker_closed", name, "it answers again"))
            return
        why = outcome.reason if isinstance(outcome, AuthUnavailable) else _status(outcome)
        self._notice(Notice("endpoint_breaker_open", name, f"it is not asked for now: {why}", alarm=True))


def _answer(outcome: _Outcome) -> Answered:
    if isinstance(outcome, AuthUnavailable):
        # All who waited for one call share its outcome; each request gets an error of its own.
        raise AuthUnavailable(outcome.reason, retry_after=outcome.retry_after) from outcome
    return outcome


def _pause(reply: HttpReply) -> float:
    asked = reply.retry_after if reply.status in _BUSY else None
    return 0.0 if asked is None else min(asked, _LONGEST_PAUSE)


def _status(outcome: Answered | Exception) -> str:
    if isinstance(outcome, Answered):
        return f"it answered with status {outcome.reply.status}"
    return f"the HTTP port raised {type(outcome).__name__}"


_living: Final[weakref.WeakSet[Exchanges]] = weakref.WeakSet()


def _after_fork() -> None:
    for exchanges in tuple(_living):
        exchanges.start_over()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
