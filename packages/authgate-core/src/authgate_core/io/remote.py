"""Mercury as a project directory, in both colours; SafeHttp bounds each look-up (Law 4.9)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from math import inf
from typing import Final, final

from ..clock import Clock
from ..credentials import AppCredentials
from ..errors import ConfigurationError, ProjectsUnavailable
from ..events import Notice
from ..flows.remote import AskedToWait, RemoteFlow, RequestRefused, verify_remotely
from ..ports import HttpPort
from ..principal import Project
from ..projects import RemoteProjects

__all__ = ["AsyncRemoteDirectory", "RemoteDirectory"]

_LONGEST_PAUSE: Final = 60.0
_NOTICE_EVERY: Final = 60.0


@final
class RemoteDirectory:
    """A ``ports.ProjectDirectory`` over ``RemoteProjects``; it waits where it is called.

    Args:
        projects: The specification.
        http: Sends the requests; used from several threads at once.
        clock: Tells the time that is signed.
        notice: Told, about once a minute, where Mercury refuses this service itself.

    Raises:
        ConfigurationError: If the specification has problems.
    """

    __slots__ = ("_clock", "_http", "_notice", "_noticed", "_projects", "_resume")

    def __init__(
        self, projects: RemoteProjects, http: HttpPort, clock: Clock, *, notice: Callable[[Notice], None]
    ) -> None:
        problems = projects.problems()
        if problems:
            raise ConfigurationError(*(f"projects: {problem}" for problem in problems))
        self._projects = projects
        self._http = http
        self._clock = clock
        self._notice = notice
        self._noticed = self._resume = -inf

    def look_up(self, credentials: AppCredentials) -> Project | None:
        """The project, or None when the app id is unknown or the secret wrong.

        Raises:
            ServiceNotEnabled: If Mercury says that the project may not use this service.
            AuthUnavailable: If Mercury cannot answer, or asked to be left alone for now.
        """
        if not credentials.app_id or not credentials.secret:
            return None  # Law 2.5: an empty secret is nobody's
        now = self._clock.now()
        if now.mono < self._resume:
            raise ProjectsUnavailable("Mercury asked to be left alone", retry_after=self._resume - now.mono)
        try:
            return self._run(verify_remotely(self._projects, credentials, now))
        except AskedToWait as busy:
            self._resume = self._clock.now().mono + min(busy.retry_after, _LONGEST_PAUSE)
            raise
        except RequestRefused as refused:
            self._alarm(refused.reason)
            raise

    def _run(self, flow: RemoteFlow) -> Project | None:
        try:
            effect = next(flow)
            while True:
                effect = flow.send(self._http.send(effect.request))
        except StopIteration as stop:
            project: Project | None = stop.value
            return project
        finally:
            flow.close()

    def _alarm(self, reason: str) -> None:
        mono = self._clock.now().mono
        if mono - self._noticed >= _NOTICE_EVERY:
            self._noticed = mono
            text = f"{reason}; compare signing_secret and the clock with Mercury's"
            self._notice(Notice("projects_request_refused", "projects", text, alarm=True))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._projects!r})"


@final
class AsyncRemoteDirectory:
    """``RemoteDirectory`` for ``AsyncGate``: each look-up on a short-lived thread of its own (Law 9.2).

    The default executor is the application's, and what fills it must not shut anybody out.
    """

    __slots__ = ("_directory",)

    def __init__(
        self, projects: RemoteProjects, http: HttpPort, clock: Clock, *, notice: Callable[[Notice], None]
    ) -> None:
        self._directory = RemoteDirectory(projects, http, clock, notice=notice)

    async def look_up(self, credentials: AppCredentials) -> Project | None:
        """As in ``RemoteDirectory``; cancelling it leaves the thread to end by its deadline.

        Raises:
            ServiceNotEnabled: If Mercury says that the project may not use this service.
            AuthUnavailable: If Mercury cannot answer.
        """
        answer: Future[Project | None] = Future()
        answer.set_running_or_notify_cancel()  # from now on its waiter cannot cancel it, which shields the thread

        def call() -> None:
            try:
                answer.set_result(self._directory.look_up(credentials))
            except BaseException as error:  # noqa: BLE001 - the waiter gets whatever it was
                answer.set_exception(error)

        try:
            threading.Thread(target=call, name="authgate-mercury", daemon=True).start()
        except RuntimeError as error:  # no thread can be had, as at interpreter exit
            raise ProjectsUnavailable(str(error)) from None
        return await asyncio.wrap_future(answer)

    def __repr__(self) -> str:
        return f"Async{self._directory!r}"
