"""Look-ups for ``Gate``: shared by all threads of a process."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeAlias

from ...cache import ProjectCache
from ...clock import Clock
from ...effects import LookUpProject, RefreshProject
from ...errors import ProjectsUnavailable
from ...events import Notice
from ...ports import ProjectDirectory
from ...principal import Project
from .shared import TASK, Lookups, Question, checked

__all__ = ["ProjectLookups"]

_Flight: TypeAlias = Future[Project | None]


class ProjectLookups(Lookups):
    """Performs ``LookUpProject`` and ``RefreshProject`` with a sync directory.

    A look-up calls the directory on the thread of its request; others that ask about the same credentials
    meanwhile wait for it. A refresh calls it on a thread of its own, outside of any request.

    Args:
        directory: Is asked; its time-outs bound how long a request waits.
        cache: As in ``Lookups``, like ``clock`` and ``notice``.
    """

    _directory: ProjectDirectory
    _flights: dict[bytes, _Flight]

    def __init__(
        self,
        directory: ProjectDirectory,
        cache: ProjectCache,
        clock: Clock,
        *,
        notice: Callable[[Notice], None],
    ) -> None:
        super().__init__(cache, clock, notice)
        self._directory = directory
        self._flights = {}

    def look_up(self, effect: LookUpProject) -> Project | None:
        """Ask the directory, or join a call under way.

        Raises:
            ProjectsUnavailable: If too many calls are under way.
            ServiceNotEnabled: If the directory says that the project may not use this service.
            AuthUnavailable: If the directory cannot answer; what else it raises leaves as itself (Law 1.3).
        """
        mine = _Flight()
        with self._lock:
            flight = self._flights.get(effect.flight_key)
            if flight is None:
                known = self._known(effect, len(self._flights))
                if known is not None:
                    return known[0]
                self._flights[effect.flight_key] = mine
        return self._call(effect, mine) if flight is None else flight.result()

    def refresh(self, effect: RefreshProject) -> None:
        """Ask the directory on a thread of its own, unless that is under way; raises nothing."""
        flight = _Flight()
        with self._lock:
            if effect.flight_key in self._flights or not self._may_refresh(effect, len(self._flights)):
                return
            self._flights[effect.flight_key] = flight
        try:
            threading.Thread(target=self._refresh, args=(effect, flight), name=TASK, daemon=True).start()
        except RuntimeError:
            # No thread is to be had, as while the interpreter shuts down; the next request tries again.
            self._land(effect, flight)
            flight.set_exception(ProjectsUnavailable("no thread could be started"))

    def start_over(self) -> None:
        """As in ``Lookups``."""
        super().start_over()
        self._flights = {}

    def _refresh(self, effect: RefreshProject, flight: _Flight) -> None:
        with contextlib.suppress(Exception):  # _failed told of it, and the flight tells whoever joined
            self._call(effect, flight)

    def _call(self, effect: Question, flight: _Flight) -> Project | None:
        try:
            answer = self._ask(effect)
        except BaseException as error:
            self._land(effect, flight)
            # What ends this thread alone, such as a worker's time-out, is an outage to those who wait for it.
            interrupted = ProjectsUnavailable("the call to the project directory was interrupted")
            flight.set_exception(error if isinstance(error, Exception) else interrupted)
            raise
        self._land(effect, flight)
        flight.set_result(answer)
        return answer

    def _ask(self, effect: Question) -> Project | None:
        asked = self._clock.now()
        try:
            answer = checked(self._directory.look_up(effect.credentials))
        except Exception as error:
            self._failed(effect, error)
            raise
        self._answered(effect, answer, asked)
        return answer

    def _land(self, effect: Question, flight: _Flight) -> None:
        with self._lock:
            if self._flights.get(effect.flight_key) is flight:
                del self._flights[effect.flight_key]
