"""Asking again, while a WebSocket is open, whether those who were admitted to it still are (Law 5.13)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from authgate_core import AsyncGate, AuthgateError, AuthUnavailable
from authgate_core.request import Memo

from .visit import Visit

__all__ = ["Closing", "Watch"]

_BORNE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Closing:
    """How a WebSocket is closed.

    Args:
        code: The close code.
        reason: What the client may know of why.
    """

    code: int
    reason: str


class Watch:
    """Holds a connection against every guard that let it in.

    Args:
        visit: The connection.
    """

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._unknown_since: float | None = None

    async def look(self) -> Closing | None:
        """How to close the connection, or None where it stays open.

        An outage is borne for 60 s: it says nothing about who was admitted.
        """
        memo = Memo()
        outage: Closing | None = None
        now = 0.0
        for grant in [grant for grant in self._visit.grants if grant.lasts]:
            try:
                await grant.renew(memo)
            except AuthUnavailable as error:
                outage = _closing(grant.gate, error)
                now = grant.gate.clock.now().mono
            except AuthgateError as error:
                return _closing(grant.gate, error)
        return self._borne(outage, now)

    def _borne(self, outage: Closing | None, now: float) -> Closing | None:
        if outage is None:
            self._unknown_since = None
            return None
        if self._unknown_since is None:
            self._unknown_since = now
        return outage if now - self._unknown_since >= _BORNE else None


def _closing(gate: AsyncGate, error: AuthgateError) -> Closing:
    problem = gate.problem(error)
    return Closing(problem.websocket_code, str(problem.body["code"]))
