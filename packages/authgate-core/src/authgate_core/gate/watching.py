"""Asking again, while a connection is open, whether those who were admitted to it still are (Law 5.13)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from ..errors import AuthgateError, AuthUnavailable
from ..policy import Policy
from ..request import Memo, RequestView
from .aio import AsyncGate

__all__ = ["BUG", "Closed", "Closing", "Grant", "Watch"]

_BORNE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Grant:
    """A guard that let a connection in, and all that it takes to ask it again; equal where it would be the same.

    Args:
        gate: The gate that judged.
        policy: What the guard asks.
        optional: Whether it also lets nobody in.
        view: The connection as it was judged.
        lasts: Whether somebody was admitted who may be revoked; nobody is, and no stand-in of a test.
    """

    gate: AsyncGate
    policy: Policy
    optional: bool
    view: RequestView = field(compare=False)
    lasts: bool

    async def renew(self, memo: Memo) -> None:
        """Admit the connection once more, as if it had come now.

        Args:
            memo: What it was found to be this time, by other guards.

        Raises:
            AuthgateError: If it would be refused now.
        """
        if self.view.memo is not None:
            memo.succeed(self.view.memo)
        await self.gate.admit(self.view.with_memo(memo), self.policy, optional=self.optional)


@dataclass(frozen=True, slots=True)
class Closing:
    """How a WebSocket is closed.

    Args:
        code: The close code.
        reason: What the client may know of why.
        error: Why, where what is open is no WebSocket; None for a bug.
    """

    code: int
    reason: str
    error: AuthgateError | None = field(default=None, compare=False, repr=False)


BUG: Final = Closing(1011, "")
"""How a WebSocket is closed whose guards could not be asked (Law 1.3)."""


class Closed(OSError):
    """Raised to an application that sends to a WebSocket which the gate has closed, as if the client had gone.

    Args:
        closing: How it was closed.
    """

    def __init__(self, closing: Closing) -> None:
        super().__init__(f"the gate closed this WebSocket: {closing.reason}")


class Watch:
    """Holds a connection against every guard that let it in.

    Args:
        grants: Says which those are, whenever it looks.
    """

    def __init__(self, grants: Callable[[], Iterable[Grant]]) -> None:
        self._grants = grants
        self._unknown_since: float | None = None

    async def look(self) -> Closing | None:
        """How to close the connection, or None where it stays open.

        An outage is borne for 60 s: it says nothing about who was admitted.
        """
        memo = Memo()
        outage: Closing | None = None
        now = 0.0
        for grant in [grant for grant in self._grants() if grant.lasts]:
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
    return Closing(problem.websocket_code, str(problem.body["code"]), error)
