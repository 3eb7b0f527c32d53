"""One request on its way through GraphQL: what its guards have found, once for all its fields."""

from __future__ import annotations

import asyncio
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Final, TypeAlias

from authgate_core import Admission, AsyncGate, AuthgateError, ConfigurationError, Gate
from authgate_core.challenge import OnRefusal, Problem
from authgate_core.gate.begun import Begun
from authgate_core.gate.watching import Grant, Watch
from authgate_core.principal import joined

from . import watch
from .hosts import AnyGate, AsgiHost, Host, WsgiHost
from .requirement import Requirement, built
from .watch import Watcher

__all__ = ["AsgiVisit", "Verdict", "Visit", "WsgiVisit"]

Verdict: TypeAlias = Admission | AuthgateError
"""What a requirement was found to be worth: who was let in, or the refusal."""

_HOLDS: Final = 0.5  # seconds, with which the first look comes within two of a revocation (Law 5.13)


class Visit(ABC):
    """What authgate knows about one request with all its operations.

    Each kind of credential is authenticated once (Law 2.6) and each requirement is judged once; from then on a
    field's check is one look into a dict.

    Args:
        host: What the request came through.
        gate: Who judges, where that is not the gate of the app.

    Attributes:
        given: As given.
        request: The request.
        view: The request as the gate sees it.
        admission: Everyone whom guards have let in so far; None before the first.
        answers_status: Whether a refusal becomes the status of the response, as it does on request.
        words: The application's own words for refusals (Law 1.10).
        answered: The refusal that became the status of the response, if any did.
        unmarked: Headers that credentials were read from, of which no adapter tells the response (Law 1.7).
        passed: The context that each requirement has let its operation in with last, its principals shown there.
    """

    def __init__(self, host: Host, gate: AnyGate | None = None) -> None:
        self.given: Final = gate
        self.request: Final = host.request
        self.view: Final = host.view()
        self.admission: Admission | None = None
        self.answers_status = False
        self.words: OnRefusal | None = None
        self.answered: Problem | None = None
        self.unmarked: Final[dict[str, None]] = {}
        self.passed: Final[dict[Requirement, object]] = {}
        self._turns: Final[dict[asyncio.AbstractEventLoop, asyncio.Lock]] = {}
        self._verdicts: Final[dict[Requirement, Verdict]] = {}

    def verdict(self, requirement: Requirement, *, waits: bool = True) -> Verdict | None:
        """What a requirement is worth, or None where that must be awaited (``settle``).

        Args:
            requirement: What is asked.
            waits: Whether the operation waits for its fields; one that does not has its answer now.

        Raises:
            ConfigurationError: If no gate can judge it here.
        """
        waits = waits and _is_in_loop()
        self._forget()
        known = self._verdicts.get(requirement)
        if known is not None or (waits and self._turn().locked()):
            return known
        found = self._at_once(requirement, waits=waits)
        return found if found is None else self._decide(requirement, found)

    async def settle(self, requirement: Requirement) -> Verdict:
        """What a requirement is worth; whoever asks meanwhile waits for the same answer.

        Raises:
            ConfigurationError: If no gate can judge it here.
        """
        async with self._turn():
            await self._settle_earlier()
            self._forget()
            known = self._verdicts.get(requirement)
            if known is not None:
                return known
            return self._decide(requirement, await self._in_time(requirement))

    @property
    @abstractmethod
    def is_watched(self) -> bool:
        """Whether nobody need ask ``ended``: a WebSocket is closed instead, and an answer of WSGI sent as a whole."""

    @abstractmethod
    async def ended(self) -> AuthgateError | None:
        """Why those who were let in would not be any more, asked while the answer is still being sent (Law 5.13)."""

    @abstractmethod
    def _forget(self) -> None:
        """Forget what does not hold for as long as the request lasts."""

    @property
    @abstractmethod
    def gate(self) -> AnyGate | None:
        """Who is to judge: whom this view was given, or the gate of the app."""

    @property
    @abstractmethod
    def judge(self) -> AnyGate | None:
        """The gate that judged last, which words the refusals; None before the first."""

    @abstractmethod
    def _at_once(self, requirement: Requirement, *, waits: bool) -> Verdict | None:
        """Judge without waiting, or None where the operation can wait."""

    @abstractmethod
    async def _in_time(self, requirement: Requirement) -> Verdict:
        """Judge."""

    @abstractmethod
    async def _settle_earlier(self) -> None:
        """Settle what was begun before."""

    def _turn(self) -> asyncio.Lock:
        # A view that calls `asyncio.run` for each operation of a batch brings a loop each time (Law 9.5).
        return self._turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())

    def _decide(self, requirement: Requirement, found: Verdict) -> Verdict:
        self._verdicts[requirement] = found
        if isinstance(found, Admission):
            self.admission = joined(self.admission, found)
            self._entered(requirement, found)
        return found

    @abstractmethod
    def _entered(self, requirement: Requirement, admission: Admission) -> None:
        """Let the adapter of the app know whom a guard has let in (Laws 1.7, 5.13)."""


class WsgiVisit(Visit):
    """A request of a WSGI app, judged by a ``Gate``; in an async view on a thread (Law 9.2)."""

    def __init__(self, host: WsgiHost, gate: AnyGate | None = None) -> None:
        super().__init__(host, gate)
        self._host: Final = host
        self._judge: Gate | None = None
        self._one_at_a_time: Final = threading.Lock()

    def _at_once(self, requirement: Requirement, *, waits: bool) -> Verdict | None:
        return None if waits else self._ask(requirement)

    async def _in_time(self, requirement: Requirement) -> Verdict:
        return await asyncio.to_thread(self._ask, requirement)

    async def _settle_earlier(self) -> None:
        """Nothing is ever begun: a ``Gate`` decides in one go."""

    @property
    def is_watched(self) -> bool:
        """As in ``Visit``."""
        return True

    async def ended(self) -> None:
        """As in ``Visit``."""

    def _forget(self) -> None:
        """Nothing: it holds for as long as an answer takes."""

    def _ask(self, requirement: Requirement) -> Verdict:
        gate = self._gate(requirement)
        self._judge = gate
        try:
            # Threads that resolve fields of one request find in its memo what the first of them found (Law 2.6).
            with self._one_at_a_time:
                return gate.admit(self.view, requirement.policy, optional=requirement.optional)
        except AuthgateError as refusal:
            return refusal

    @property
    def gate(self) -> AnyGate | None:
        """As in ``Visit``."""
        return self.given or self._host.gate

    @property
    def judge(self) -> Gate | None:
        """As in ``Visit``."""
        return self._judge

    def _entered(self, requirement: Requirement, admission: Admission) -> None:
        gate, visited, policy = self._judge, self._host.visited, requirement.policy
        if gate is None:
            return
        if visited is None:
            self.unmarked.update(dict.fromkeys(gate.headers_read(policy)))
            return
        optional, lasts = requirement.optional, bool(admission)
        visited.entered(admission, gate, policy, self.view, optional=optional, lasts=lasts)

    def _gate(self, requirement: Requirement) -> Gate:
        gate = self.gate
        if gate is None and requirement.environment is not None:
            return built(requirement.environment.gate)
        if not isinstance(gate, Gate):
            raise _unfit(gate, "WSGI app (Flask), async views included", "Gate")
        return gate


class AsgiVisit(Visit):
    """A request or WebSocket of an ASGI app, judged by an ``AsyncGate``."""

    def __init__(self, host: AsgiHost, gate: AnyGate | None = None) -> None:
        super().__init__(host, gate)
        self._host: Final = host
        self._judge: AsyncGate | None = None
        self._begun: tuple[Requirement, Begun] | None = None
        self._watch: Final = Watch(self._grants)
        is_watched_here = host.is_socket and host.visited is None
        self._watcher: Final = Watcher(host.request, self._watch) if is_watched_here else None
        self._forgot_at = self._looked_at = time.monotonic()

    @property
    def is_watched(self) -> bool:
        """As in ``Visit``."""
        return self._host.is_socket

    async def ended(self) -> AuthgateError | None:
        """As in ``Visit``; however often it is asked, the gate is once a second."""
        if self.is_watched or time.monotonic() - self._looked_at < watch.PERIOD:
            return None
        self._looked_at = time.monotonic()
        closing = await self._watch.look()
        return None if closing is None else closing.error

    def _grants(self) -> Iterator[Grant]:
        gate = self._judge
        for asked, found in self._verdicts.items():
            if gate is not None and isinstance(found, Admission):
                yield Grant(gate, asked.policy, asked.optional, self.view, lasts=bool(found))

    def _forget(self) -> None:
        # Operations come for as long as a WebSocket is open, and only whom a guard let in is asked about again.
        if not self._host.is_socket or time.monotonic() - self._forgot_at < _HOLDS:
            return
        self._forgot_at = time.monotonic()
        for asked in [asked for asked, found in self._verdicts.items() if isinstance(found, AuthgateError)]:
            del self._verdicts[asked]
        if self.view.memo is not None:
            self.view.memo.forget()

    def _at_once(self, requirement: Requirement, *, waits: bool) -> Verdict | None:
        if not waits:
            raise ConfigurationError(
                "requests of an async app are judged by an AsyncGate, which nothing can await here: write "
                "`await schema.execute(...)`, with Graphene `await schema.execute_async(...)`"
            )
        gate = self._gate(requirement)
        if gate is None or self._begun is not None:
            return None
        self._judge = gate
        begun = gate.begin(self.view, requirement.policy, optional=requirement.optional)
        if begun.outcome is None:
            self._begun = (requirement, begun)
        return begun.outcome

    async def _settle_earlier(self) -> None:
        if self._begun is not None:
            (requirement, begun), self._begun = self._begun, None
            self._decide(requirement, await _finished(begun))

    async def _in_time(self, requirement: Requirement) -> Verdict:
        gate = self._gate(requirement)
        if gate is None and requirement.environment is not None:
            # Reading settings and files may block, and so may waiting for whoever reads them already (Law 9.2).
            gate = await asyncio.to_thread(built, requirement.environment.async_gate)
        if gate is None:
            raise _unfit(None, "async app", "AsyncGate")
        self._judge = gate
        return await _finished(gate.begin(self.view, requirement.policy, optional=requirement.optional))

    def _gate(self, requirement: Requirement) -> AsyncGate | None:
        """The gate; None while that of the environment is still to be built."""
        gate = self.gate
        if gate is None and requirement.environment is not None:
            return requirement.environment.async_gate.gate
        if not isinstance(gate, AsyncGate):
            raise _unfit(gate, "async app", "AsyncGate")
        return gate

    @property
    def gate(self) -> AnyGate | None:
        """As in ``Visit``."""
        return self.given or self._host.gate

    @property
    def judge(self) -> AsyncGate | None:
        """As in ``Visit``."""
        return self._judge

    def _entered(self, requirement: Requirement, admission: Admission) -> None:
        gate, policy, optional = self._judge, requirement.policy, requirement.optional
        if gate is None:
            return
        visited = self._host.visited
        if visited is not None:
            visited.entered(admission, gate, policy, self.view, optional=optional, lasts=bool(admission))
        elif self._watcher is None:
            self.unmarked.update(dict.fromkeys(gate.headers_read(policy)))
        elif admission:
            self._watcher.begin()


async def _finished(begun: Begun) -> Verdict:
    try:
        return await begun.finish()
    except AuthgateError as refusal:
        return refusal


def _is_in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _unfit(gate: object, app: str, fit: str) -> ConfigurationError:
    if gate is None:
        return ConfigurationError(
            "this GraphQL view has guards but its app no gate: write AuthGate(app) where the app is made, "
            "or give the view one (`gate=`)"
        )
    return ConfigurationError(
        f"{type(gate).__name__} cannot judge the requests of this {app}: give it {fit}(config)"
    )
