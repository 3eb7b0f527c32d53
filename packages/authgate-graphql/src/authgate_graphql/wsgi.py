"""Visits of requests that come through a WSGI app."""

from __future__ import annotations

import asyncio
import threading
from typing import Final

from authgate_core import Admission, AuthgateError, Gate

from .hosts import AnyGate, WsgiHost
from .requirement import Requirement, built
from .visit import Verdict, Visit, unfit

__all__ = ["WsgiVisit"]


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
            raise unfit(gate, "WSGI app (Flask), async views included", "Gate")
        return gate
