"""Visits of requests and WebSockets that come through an ASGI app."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Final

from authgate_core import Admission, AsyncGate, AuthgateError, ConfigurationError
from authgate_core.gate.begun import Begun
from authgate_core.gate.watching import Grant, Watch

from . import watch
from .hosts import AnyGate, AsgiHost
from .requirement import Requirement, built
from .visit import Verdict, Visit, unfit
from .watch import Watcher

__all__ = ["AsgiVisit"]

_HOLDS: Final = 0.5  # seconds, with which the first look comes within two of a revocation (Law 5.13)


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
            raise unfit(None, "async app", "AsyncGate")
        self._judge = gate
        return await _finished(gate.begin(self.view, requirement.policy, optional=requirement.optional))

    def _gate(self, requirement: Requirement) -> AsyncGate | None:
        """The gate; None while that of the environment is still to be built."""
        gate = self.gate
        if gate is None and requirement.environment is not None:
            return requirement.environment.async_gate.gate
        if not isinstance(gate, AsyncGate):
            raise unfit(gate, "async app", "AsyncGate")
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
