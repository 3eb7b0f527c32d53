"""Look-ups for ``AsyncGate``: shared within each running event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeAlias
from weakref import WeakKeyDictionary

from ...cache import ProjectCache
from ...clock import Clock
from ...effects import LookUpProject, RefreshProject
from ...errors import AuthgateError, AuthUnavailable, ProjectsUnavailable, ServiceNotEnabled
from ...events import Notice
from ...ports import AsyncProjectDirectory
from ...principal import Project
from .shared import TASK, Lookups, Question, checked

__all__ = ["AsyncProjectLookups"]

_Call: TypeAlias = asyncio.Task[Project | AuthgateError | None]
_Flights: TypeAlias = dict[bytes, _Call]


class AsyncProjectLookups(Lookups):
    """Performs ``LookUpProject`` and ``RefreshProject`` with an async directory.

    Every call is a task of its own, so that a request that is cancelled takes nothing from the others.

    Args:
        directory: Is asked; its time-outs bound how long a request waits.
        cache: As in ``Lookups``, like ``clock`` and ``notice``; several loops may share it.
    """

    _directory: AsyncProjectDirectory
    _loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _Flights]

    def __init__(
        self,
        directory: AsyncProjectDirectory,
        cache: ProjectCache,
        clock: Clock,
        *,
        notice: Callable[[Notice], None],
    ) -> None:
        super().__init__(cache, clock, notice)
        self._directory = directory
        self._loops = WeakKeyDictionary()

    async def look_up(self, effect: LookUpProject) -> Project | None:
        """Ask the directory, or join a call under way on this loop.

        Raises:
            ProjectsUnavailable: If too many calls are under way.
            ServiceNotEnabled: If the directory says that the project may not use this service.
            AuthUnavailable: If the directory cannot answer; what else it raises leaves as itself (Law 1.3).
        """
        flights = self._flights()
        call = flights.get(effect.flight_key)
        if call is None:
            known = self._known(effect, len(flights))
            if known is not None:
                return known[0]
            call = self._start(effect, flights)
        # Unlike awaiting the task, this neither cancels it with its waiter nor the waiter with it.
        await asyncio.wait((call,))
        if call.cancelled():
            raise ProjectsUnavailable("the call to the project directory was cancelled")
        answer = call.result()
        if isinstance(answer, AuthgateError):
            raise answer
        return answer

    def refresh(self, effect: RefreshProject) -> None:
        """Ask the directory in a task of its own, unless that is under way; raises nothing."""
        flights = self._flights()
        if effect.flight_key not in flights and self._may_refresh(effect, len(flights)):
            self._start(effect, flights)

    async def aclose(self) -> None:
        """Cancel the calls that are under way on this loop."""
        calls = tuple(self._flights().values())
        for call in calls:
            call.cancel()
        if calls:
            await asyncio.wait(calls)

    def start_over(self) -> None:
        """As in ``Lookups``."""
        super().start_over()
        self._loops = WeakKeyDictionary()

    def _start(self, effect: Question, flights: _Flights) -> _Call:
        call = asyncio.get_running_loop().create_task(self._ask(effect), name=TASK)
        flights[effect.flight_key] = call
        call.add_done_callback(partial(_landed, effect, flights))
        return call

    async def _ask(self, effect: Question) -> Project | AuthgateError | None:
        asked = self._clock.now()
        try:
            answer = checked(await self._directory.look_up(effect.credentials))
        except (AuthUnavailable, ServiceNotEnabled) as outcome:
            self._failed(effect, outcome)
            return outcome  # a result: asyncio complains of exceptions that nobody waited for
        except Exception as error:
            self._failed(effect, error)
            raise
        self._answered(effect, answer, asked)
        return answer

    def _flights(self) -> _Flights:
        loop = asyncio.get_running_loop()
        with self._lock:
            flights = self._loops.get(loop)
            if flights is None:
                # Calls that were left behind when a loop was closed would keep it alive.
                for closed in [known for known in self._loops if known.is_closed()]:
                    del self._loops[closed]
                flights = self._loops[loop] = {}
            return flights


def _landed(effect: Question, flights: _Flights, call: _Call) -> None:
    flights.pop(effect.flight_key, None)
    if isinstance(effect, RefreshProject) and not call.cancelled():
        call.exception()  # _failed told of it; asyncio need not complain as well
