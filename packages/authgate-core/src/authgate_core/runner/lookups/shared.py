"""What look-ups of both colours share: the cache with its one writer at a time, limits and notices."""

from __future__ import annotations

import contextlib
import inspect
import os
import threading
import traceback
import weakref
from collections.abc import Callable
from math import inf
from typing import Final, TypeAlias, assert_never

from ...cache import Ask, Barred, Hit, HitAndRefresh, Limited, ProjectCache, Refused
from ...clock import Clock, Instant
from ...effects import LookUpProject, RefreshProject
from ...errors import AuthUnavailable, ProjectsUnavailable, ServiceNotEnabled
from ...events import Notice
from ...principal import Project

__all__ = ["TASK", "Lookups", "Question", "checked"]

TASK: Final = "authgate-projects"
"""The name of threads and tasks that call a directory."""

_MOST_CALLS: Final = 32  # Law 6.3
_NOTICE_EVERY: Final = 60.0

Question: TypeAlias = LookUpProject | RefreshProject


class Lookups:
    """The colourless half of ``ProjectLookups`` and ``AsyncProjectLookups``.

    Args:
        cache: Takes the answers.
        clock: Tells the time of questions and answers.
        notice: Told of outages, at most once a minute, and of bugs of the directory in the background.
    """

    _cache: ProjectCache
    _clock: Clock
    _notice: Callable[[Notice], None]
    _lock: threading.Lock
    _outages: int
    _noticed: float

    def __init__(self, cache: ProjectCache, clock: Clock, notice: Callable[[Notice], None]) -> None:
        self._cache = cache
        self._clock = clock
        self._notice = notice
        self._lock = threading.Lock()
        self._outages = 0
        self._noticed = -inf
        _living.add(self)

    def start_over(self) -> None:
        """In a forked child: use no lock and no call of the parent's (Law 9.5)."""
        self._lock = threading.Lock()

    def _known(self, effect: LookUpProject, under_way: int) -> tuple[Project | None] | None:
        """What became known since the flow planned to ask; None if the directory must be asked still."""
        plan = self._cache.plan(effect.flight_key, effect.credentials.app_id, self._clock.now())
        match plan:
            case Hit(project) | HitAndRefresh(project):
                return (project,)
            case Refused():
                return (None,)
            case Barred():
                raise ServiceNotEnabled("the directory says that the project may not use this service")
            case Limited(retry_after):
                raise ProjectsUnavailable("too many failed attempts", retry_after=retry_after)
            case Ask():
                if under_way >= _MOST_CALLS:
                    raise ProjectsUnavailable(f"{_MOST_CALLS} calls to the project directory are under way")
                return None
            case _:
                assert_never(plan)

    def _may_refresh(self, effect: RefreshProject, under_way: int) -> bool:
        plan = self._cache.plan(effect.flight_key, effect.credentials.app_id, self._clock.now())
        return isinstance(plan, HitAndRefresh) and under_way < _MOST_CALLS

    def _answered(self, effect: Question, answer: Project | None, asked: Instant) -> None:
        now = self._clock.now()
        with self._lock:
            self._cache.answered(effect.flight_key, effect.credentials.app_id, answer, asked=asked, now=now)

    def _failed(self, effect: Question, error: Exception) -> None:
        now = self._clock.now()
        if isinstance(error, ServiceNotEnabled):
            with self._lock:
                self._cache.barred(effect.flight_key, now)
            return
        outage = isinstance(error, AuthUnavailable)
        with self._lock:
            self._cache.failed(effect.flight_key, now, outage=outage)
            self._outages += outage
            due = outage and now.mono - self._noticed >= _NOTICE_EVERY
            if due:
                self._noticed = now.mono
        if due:
            text = (
                f"the directory could not be asked ({self._outages} times so far); what it confirmed goes on"
            )
            self._notice(Notice("projects_unavailable", "projects", text))
        elif isinstance(effect, RefreshProject) and not outage:
            self._notice(Notice("project_directory_failed", "projects", _where(error), alarm=True))


def checked(answer: object) -> Project | None:
    """What a directory answered, if it is an answer.

    Raises:
        TypeError: If it is anything else, which is a bug of the directory (Law 1.3).
    """
    if answer is None or isinstance(answer, Project):
        return answer
    if inspect.iscoroutine(answer):
        answer.close()
        raise TypeError("look_up of the project directory is async; write it with `def`, or use AsyncGate")
    raise TypeError(
        f"look_up of the project directory answered {type(answer).__name__}, not a Project or None"
    )


def _where(error: Exception) -> str:
    """Which exception was raised and where; not its text, which may hold a credential (Law 2.5)."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    return f"look_up raised {kind} in the background, at {frame.filename}:{frame.lineno}"


_living: weakref.WeakSet[Lookups] = weakref.WeakSet()


def _after_fork() -> None:
    for lookups in _living:
        lookups.start_over()


with contextlib.suppress(AttributeError):  # Windows does not fork
    os.register_at_fork(after_in_child=_after_fork)
