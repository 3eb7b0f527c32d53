"""One request on its way through GraphQL: what its guards have found, once for all its fields."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Final, TypeAlias

from authgate_core import Admission, AuthgateError, ConfigurationError
from authgate_core.challenge import OnRefusal, Problem
from authgate_core.principal import joined

from .hosts import AnyGate, Host
from .requirement import Requirement

__all__ = ["Verdict", "Visit", "running_loop", "unfit"]

Verdict: TypeAlias = Admission | AuthgateError
"""What a requirement was found to be worth: who was let in, or the refusal."""


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
        loop = running_loop() if waits else None
        waits = loop is not None
        self._forget()
        known = self._verdicts.get(requirement)
        if known is not None:
            return known
        if loop is not None and (turn := self._turns.get(loop)) is not None and turn.locked():
            return None
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


def unfit(gate: object, app: str, fit: str) -> ConfigurationError:
    """What is wrong where no gate, or one of the wrong colour, is to judge.

    Args:
        gate: The gate that there is; None for none.
        app: What kind of app it is to judge the requests of.
        fit: The kind of gate that can.
    """
    if gate is None:
        return ConfigurationError(
            "this GraphQL view has guards but its app no gate: write AuthGate(app) where the app is made, "
            "or give the view one (`gate=`)"
        )
    return ConfigurationError(
        f"{type(gate).__name__} cannot judge the requests of this {app}: give it {fit}(config)"
    )


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop that runs here, so that something can be awaited; None where none does."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
