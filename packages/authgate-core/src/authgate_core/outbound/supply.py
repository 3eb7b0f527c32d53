"""Keeps the tokens of one client: what is good is handed out at once, and each is asked for by one call at a time.

A call belongs to no request, as a refresh of keys does not (docs/adr/0031): it runs on a thread of its own for both
colours, so that a cancelled task, a closed event loop, two loops or fifty threads change nothing about it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeAlias

from ..clock import Clock, Instant
from ..errors import AuthgateError, AuthUnavailable, EndpointRefused, EndpointUnavailable
from ..events import Notice
from ..io.forks import survive_fork
from ..runner.exchanges import Exchanges
from ..secret import Secret
from .answers import ClientRefused
from .server import TokenFlow, TokenServer, obtain
from .tokens import NOTHING, Failure, Held, IssuedToken
from .wanted import OnBehalf, Wanted

__all__ = ["Supply"]

_MOST: Final = 10_000
"""Tokens that are kept at once: each caller that is acted for has some."""
_KNOWN_FOR: Final = 300.0
"""After how many seconds the address of an endpoint that fails is asked for again: it may have moved."""
_STOPPED_FOR: Final = 300.0
"""How long a client that its issuer does not know asks for nothing, in seconds: who goes on may be locked out."""

_Outcome: TypeAlias = Secret | Failure
_Flight: TypeAlias = Future[_Outcome]


@dataclass(frozen=True, slots=True)
class _Stop:
    """Since the issuer refused this client itself.

    Args:
        failure: What it said.
        until: When it is asked again, in monotonic seconds.
    """

    failure: Failure
    until: float


class Supply:
    """The tokens of one client of one issuer.

    Args:
        server: Whom they are asked of.
        exchanges: Asks, and leaves an endpoint alone that does not answer.
        clock: Where the time comes from.
        notice: Told what an operator should know.
        random: Gives numbers from 0 to 1.
    """

    def __init__(
        self,
        server: TokenServer,
        exchanges: Exchanges,
        clock: Clock,
        *,
        notice: Callable[[Notice], None],
        random: Callable[[], float],
    ) -> None:
        self._server = server
        self._exchanges = exchanges
        self._clock = clock
        self._notice = notice
        self._random = random
        self._held: dict[Wanted, Held] = {}
        self._url: str | None = None
        self._found = 0.0
        self._stop: _Stop | None = None
        self._start_anew()
        survive_fork(self)

    def _start_anew(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Wanted, _Flight] = {}

    def after_fork(self) -> None:
        """Law 9.5: no lock, call or thread of the parent is used; its tokens stay good."""
        self._start_anew()

    def token(self, wanted: Wanted, *, refused: Secret | None = None) -> Secret:
        """A token that is good at this moment.

        Args:
            wanted: Which.
            refused: One that was refused where it was shown, for which another is wanted.

        Raises:
            AuthgateError: As ``read_answer`` does, where there is none and none can be had.
        """
        found = self._look(wanted, refused)
        return self._told(found.result() if isinstance(found, Future) else found)

    async def token_async(self, wanted: Wanted, *, refused: Secret | None = None) -> Secret:
        """``token`` for a coroutine; the call goes on when this is cancelled."""
        found = self._look(wanted, refused)
        return self._told(await asyncio.wrap_future(found) if isinstance(found, Future) else found)

    def _look(self, wanted: Wanted, refused: Secret | None) -> _Outcome | _Flight:
        """What there is, or the call that is to be waited for; begins one where it is time."""
        now = self._clock.now()
        fresh = self._held.get(wanted, NOTHING).fresh(now, refused)
        if fresh is not None:
            return fresh.value
        held, flight, begins = self._join(wanted, now, refused)
        if begins and flight is not None:
            self._start(wanted, held, flight)
        fresh = held.fresh(now, refused) or (held.good(now) if refused is None else None)
        if fresh is not None:
            return fresh.value
        return flight or self._why_not(held)

    def _join(
        self, wanted: Wanted, now: Instant, refused: Secret | None
    ) -> tuple[Held, _Flight | None, bool]:
        """What is held, and the call under way, if there is one by now; says whether it is to be started."""
        with self._lock:
            held, flight = self._held.get(wanted, NOTHING), self._flights.get(wanted)
            if flight is not None or held.fresh(now, refused) is not None:
                return held, flight, False
            if not held.may_ask(now, refused) or self._stopped(now) is not None:
                return held, None, False
            flight = self._flights[wanted] = Future()
            flight.set_running_or_notify_cancel()  # from now on nobody who waits for it can cancel it
            self._held[wanted] = held.asking(now, refused)
            return held, flight, True

    def _stopped(self, now: Instant) -> _Stop | None:
        return self._stop if self._stop is not None and now.mono < self._stop.until else None

    def _why_not(self, held: Held) -> Failure:
        now = self._clock.now()
        stop = self._stopped(now)
        if stop is not None:
            return replace(stop.failure, retry_after=stop.until - now.mono)
        failure = held.failure or Failure(
            EndpointRefused, "another token was had a moment ago, and refused too"
        )
        return replace(failure, retry_after=held.pause.rest(now.mono))

    def _told(self, outcome: _Outcome) -> Secret:
        if isinstance(outcome, Secret):
            return outcome
        raise outcome.error()

    def _start(self, wanted: Wanted, held: Held, flight: _Flight) -> None:
        try:
            _begin(partial(self._fly, wanted, held, flight))
        except RuntimeError as error:  # no thread can be had, as at interpreter exit: one more failure
            self._land(wanted, flight, EndpointUnavailable(str(error)))

    def _fly(self, wanted: Wanted, held: Held, flight: _Flight) -> None:
        newer = held.token.refresh_token if held.token is not None else None
        try:
            now = self._clock.now()
            issued = self._run(obtain(self._server, wanted, newer, self._url, now, found=self._find))
        except AuthgateError as outcome:
            self._land(wanted, flight, outcome)
        except BaseException as bug:
            self._land(wanted, flight, bug)
            raise  # Law 1.3: perhaps nobody waits, so the thread's own hook shows it
        else:
            self._land(wanted, flight, issued)

    def _run(self, flow: TokenFlow) -> IssuedToken:
        try:
            effect = next(flow)
            while True:
                try:
                    answered = self._exchanges.ask(effect)
                except AuthUnavailable as error:
                    effect = flow.throw(error)
                else:
                    effect = flow.send(answered)
        except StopIteration as stop:
            issued: IssuedToken = stop.value
            return issued

    def _find(self, url: str) -> None:
        self._url, self._found = url, self._clock.now().mono

    def _land(self, wanted: Wanted, flight: _Flight, result: IssuedToken | BaseException) -> None:
        """Put the result in place, tell what changed, and let everyone go on whatever comes of it."""
        now = self._clock.now()
        with self._lock:
            if self._flights.get(wanted) is flight:
                del self._flights[wanted]
            before = self._held.get(wanted, NOTHING)
            after = self._after(before, result, now)
            self._keep(wanted, after)
        try:
            self._tell(before, after)
        finally:
            if isinstance(result, IssuedToken):
                flight.set_result(result.value)
            elif after.failure is not None and isinstance(result, AuthgateError):
                flight.set_result(replace(after.failure, retry_after=after.pause.rest(now.mono)))
            else:
                flight.set_exception(result)

    def _after(self, before: Held, result: IssuedToken | BaseException, now: Instant) -> Held:
        jitter = self._random()
        if isinstance(result, IssuedToken):
            self._stop = None
            return before.issued(result, jitter)
        failure = _failure(result)
        if failure.of_client:
            self._stop = _Stop(failure, now.mono + _STOPPED_FOR)
        if not failure.is_definite and now.mono - self._found >= _KNOWN_FOR:
            self._url = None
        return before.failed(failure, now, jitter)

    def _keep(self, wanted: Wanted, held: Held) -> None:
        """Keep what is held, and of what stands for callers no more than there is room for, the youngest."""
        self._held.pop(wanted, None)
        self._held[wanted] = held
        if len(self._held) > _MOST:
            of_callers = [old for old in self._held if isinstance(old.grant, OnBehalf) and old is not wanted]
            for old in of_callers[: _MOST // 4]:
                del self._held[old]

    def _tell(self, before: Held, after: Held) -> None:
        """What changed, and every refusal: only a person can mend that (Law 1.6)."""
        name, failure = self._server.issuer, after.failure
        if failure is None:
            if before.failure is not None:
                self._notice(Notice("token_issued_again", name, "it issues tokens to this service again"))
        elif issubclass(failure.kind, EndpointRefused):
            self._notice(Notice("token_refused", name, failure.reason, alarm=True))
        elif before.failure is None and issubclass(failure.kind, AuthUnavailable):
            self._notice(Notice("token_not_issued", name, failure.reason))


def _begin(call: Callable[[], None]) -> None:
    threading.Thread(target=call, name="authgate-tokens", daemon=True).start()


def _failure(result: BaseException) -> Failure:
    match result:
        case ClientRefused():
            return Failure(EndpointRefused, result.reason, of_client=True)
        case AuthUnavailable():
            return Failure(type(result), result.reason, result.retry_after)
        case AuthgateError():
            return Failure(type(result), result.reason)
        case _:
            return Failure(EndpointUnavailable, f"a bug: {type(result).__name__}")
