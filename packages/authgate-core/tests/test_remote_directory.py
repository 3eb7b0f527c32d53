"""Mercury asked over real HTTP: the directories of both colours, held to what every directory promises."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import pytest

from authgate_core.credentials import AppCredentials
from authgate_core.errors import AuthUnavailable, ConfigurationError, ProjectsUnavailable
from authgate_core.events import Notice
from authgate_core.io.http import SafeHttp
from authgate_core.io.remote import AsyncRemoteDirectory, RemoteDirectory
from authgate_core.projects import RemoteProjects
from authgate_core.secret import Secret
from authgate_core.testing import FakeMercury, ManualClock, MercuryProject
from authgate_core.testing.contracts import (
    AsyncProjectDirectoryContract,
    AsyncProjectDirectoryOutageContract,
    AsyncProjectDirectoryServiceContract,
    OpenDirectory,
    ProjectDirectoryContract,
    ProjectDirectoryOutageContract,
    ProjectDirectoryServiceContract,
)

VERIFY = "/auth/projects/verify"
PATIENCE = 10.0


@pytest.fixture(scope="module")
def served() -> Iterator[FakeMercury]:
    """One for all tests, since RSA keys are slow to make; its clock stands where a test's begins."""
    with FakeMercury(clock=ManualClock()) as mercury:
        yield mercury


@pytest.fixture
def mercury(served: FakeMercury) -> FakeMercury:
    """Told to behave."""
    served.recover()
    served.reset_hits()
    return served


class Desk:
    """What a directory is made with."""

    def __init__(self, url: str, secret: str, service_id: str = "orders") -> None:
        self.projects = RemoteProjects(url, signing_secret=secret, service_id=service_id)
        self.clock = ManualClock()
        self.notices: list[Notice] = []
        self.http = SafeHttp()

    def directory(self) -> RemoteDirectory:
        return RemoteDirectory(self.projects, self.http, self.clock, notice=self.notices.append)

    def async_directory(self) -> AsyncRemoteDirectory:
        return AsyncRemoteDirectory(self.projects, self.http, self.clock, notice=self.notices.append)

    def opening(self) -> OpenDirectory:
        @asynccontextmanager
        async def opened() -> AsyncIterator[AsyncRemoteDirectory]:
            yield self.async_directory()

        return opened


def right(project: MercuryProject) -> AppCredentials:
    """What the project presents."""
    return AppCredentials(project.app_id, Secret(project.app_secret))


async def arrived(mercury: FakeMercury, turns: int = 0) -> int:
    """Let the loop turn until Mercury was asked, and so many times at least; tells how often it did."""
    for turn in range(int(PATIENCE * 1000)):
        if mercury.hits[VERIFY] and turn >= turns:
            return turn
        await asyncio.sleep(0.001)
    raise AssertionError("Mercury was not asked")


class _Mercury:
    service_id = "orders"

    @pytest.fixture
    def desk(self, mercury: FakeMercury) -> Desk:
        """Of a service that Mercury knows."""
        return Desk(mercury.url, mercury.secret, self.service_id)

    @pytest.fixture
    def credentials(self, mercury: FakeMercury) -> AppCredentials:
        """Of a project that is enabled for orders alone."""
        return right(mercury.nexus)

    @pytest.fixture
    def directory(self, desk: Desk) -> RemoteDirectory:
        """The directory to judge."""
        return desk.directory()

    @pytest.fixture
    def open_directory(self, desk: Desk) -> OpenDirectory:
        """Opens the directory to judge."""
        return desk.opening()


class TestRemoteDirectory(_Mercury, ProjectDirectoryContract):
    """Every promise, over real HTTP."""


class TestAsyncRemoteDirectory(_Mercury, AsyncProjectDirectoryContract):
    """The same in the other colour."""


class TestRemoteDirectoryOfAnotherService(_Mercury, ProjectDirectoryServiceContract):
    service_id = "billing"


class TestAsyncRemoteDirectoryOfAnotherService(_Mercury, AsyncProjectDirectoryServiceContract):
    service_id = "billing"


class _Nobody(_Mercury):
    @pytest.fixture
    def desk(self) -> Desk:
        """Of a service whose Mercury is gone."""
        return Desk("http://127.0.0.1:9", "secret")


class TestRemoteDirectoryAlone(_Nobody, ProjectDirectoryOutageContract):
    """What is promised while nobody answers."""


class TestAsyncRemoteDirectoryAlone(_Nobody, AsyncProjectDirectoryOutageContract):
    """The same in the other colour."""


class TestAsking(_Mercury):
    def test_every_request_is_rightly_signed(
        self, mercury: FakeMercury, directory: RemoteDirectory, credentials: AppCredentials
    ) -> None:
        """Mercury, which shares no code with the signer, accepts each at the moment it is sent."""
        before = mercury.accepted
        for wrong in ("", "x", "\u0020y"):
            directory.look_up(AppCredentials(credentials.app_id, Secret(credentials.secret.reveal() + wrong)))
        assert (before + 3, 3) == (mercury.accepted, mercury.hits[VERIFY])

    def test_an_empty_pair_is_not_asked_about(self, mercury: FakeMercury, directory: RemoteDirectory) -> None:
        """Law 2.5: nobody has an empty secret."""
        assert directory.look_up(AppCredentials("app", Secret(""))) is None
        assert directory.look_up(AppCredentials("", Secret("secret"))) is None
        assert {} == mercury.hits

    def test_neither_shows_a_secret(self, desk: Desk, mercury: FakeMercury) -> None:
        """Law 2.5."""
        assert mercury.secret not in f"{desk.directory()!r} {desk.async_directory()!r}"

    def test_problems_are_configuration_errors(self, desk: Desk) -> None:
        """Law 1.6: also where a directory is made without a gate."""
        wrong = RemoteProjects("https://host/", signing_secret="", service_id="orders")
        with pytest.raises(ConfigurationError) as caught:
            RemoteDirectory(wrong, desk.http, desk.clock, notice=desk.notices.append)
        assert 2 == len(caught.value.problems)
        assert all(problem.startswith("projects: ") for problem in caught.value.problems)


class TestWaiting(_Mercury):
    def test_mercury_is_left_alone_as_long_as_it_asks(
        self, mercury: FakeMercury, desk: Desk, credentials: AppCredentials
    ) -> None:
        """RFC 9110 section 10.2.3: until then nothing is sent, and callers are told the rest of the time."""
        directory = desk.directory()
        mercury.answer(b"", status=429, headers=[("Retry-After", "20")])
        with pytest.raises(ProjectsUnavailable):
            directory.look_up(credentials)
        mercury.recover()
        desk.clock.advance(15)
        with pytest.raises(ProjectsUnavailable, match="left alone") as caught:
            directory.look_up(credentials)
        assert (5.0, 1) == (caught.value.retry_after, mercury.hits[VERIFY])
        desk.clock.advance(5)
        assert directory.look_up(credentials) is not None

    def test_at_most_a_minute(self, mercury: FakeMercury, desk: Desk, credentials: AppCredentials) -> None:
        """A misconfigured proxy does not shut a service off for a day."""
        directory = desk.directory()
        mercury.answer(b"", status=503, headers=[("Retry-After", "86400")])
        with pytest.raises(ProjectsUnavailable):
            directory.look_up(credentials)
        mercury.recover()
        desk.clock.advance(60)
        assert directory.look_up(credentials) is not None

    def test_an_outage_without_a_time_is_tried_again_at_once(
        self, mercury: FakeMercury, directory: RemoteDirectory, credentials: AppCredentials
    ) -> None:
        """The pause is Mercury's wish and not a back-off of ours."""
        mercury.outage(503)
        with pytest.raises(ProjectsUnavailable):
            directory.look_up(credentials)
        mercury.recover()
        assert directory.look_up(credentials) is not None


class TestAlarm(_Mercury):
    def test_a_wrong_signing_secret_raises_one(self, mercury: FakeMercury) -> None:
        """Laws 1.5 and 1.6: to callers it is an outage; the operator is told what to mend, once a minute."""
        desk = Desk(mercury.url, "another secret")
        directory = desk.directory()
        for _ in range(3):
            with pytest.raises(ProjectsUnavailable):
                directory.look_up(right(mercury.nexus))
        (notice,) = desk.notices
        assert ("projects_request_refused", "projects", True) == (notice.code, notice.subject, notice.alarm)
        assert "signing_secret" in notice.text
        desk.clock.advance(60)
        with pytest.raises(ProjectsUnavailable):
            directory.look_up(right(mercury.nexus))
        assert 2 == len(desk.notices)

    def test_a_clock_that_is_wrong_raises_one(
        self, mercury: FakeMercury, desk: Desk, credentials: AppCredentials
    ) -> None:
        """Mercury accepts a timestamp for 60 s."""
        directory = desk.directory()
        desk.clock.jump_wall(61)
        with pytest.raises(ProjectsUnavailable):
            directory.look_up(credentials)
        assert ["projects_request_refused"] == [notice.code for notice in desk.notices]


class TestLoop(_Mercury):
    def test_the_loop_is_not_blocked(
        self, mercury: FakeMercury, desk: Desk, credentials: AppCredentials
    ) -> None:
        """Law 9.2: while Mercury takes its time, the loop turns."""
        mercury.slow(PATIENCE)

        async def scenario() -> int:
            asking = asyncio.create_task(desk.async_directory().look_up(credentials))
            turns = await arrived(mercury, turns=50)
            mercury.recover()
            assert await asking is not None
            return turns

        assert 50 <= asyncio.run(scenario())

    def test_a_full_default_executor_shuts_nobody_out(self, desk: Desk, credentials: AppCredentials) -> None:
        """Law 9.2: that one is the application's."""
        busy = threading.Event()

        async def scenario() -> None:
            loop = asyncio.get_running_loop()
            loop.set_default_executor(ThreadPoolExecutor(1))
            held = [loop.run_in_executor(None, busy.wait, PATIENCE) for _ in range(4)]
            try:
                assert await desk.async_directory().look_up(credentials) is not None
            finally:
                busy.set()
                await asyncio.gather(*held)

        asyncio.run(scenario())

    def test_a_cancelled_look_up_ends_nothing_else(
        self, mercury: FakeMercury, desk: Desk, credentials: AppCredentials, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Its thread goes on to its end, after the loop as well, and nobody complains of what it found."""
        mercury.slow(PATIENCE)

        async def scenario() -> None:
            asking = asyncio.create_task(desk.async_directory().look_up(credentials))
            await arrived(mercury)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking

        asyncio.run(scenario())
        mercury.outage(None)
        deadline = time.monotonic() + PATIENCE
        while any(thread.name == "authgate-mercury" for thread in threading.enumerate()):
            assert time.monotonic() < deadline
            time.sleep(0.001)
        assert [] == caplog.records

    def test_no_thread_is_an_outage(
        self, desk: Desk, credentials: AppCredentials, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Law 1.5: as while the interpreter shuts down."""

        def start(_: object) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", start)
        with pytest.raises(ProjectsUnavailable, match="new thread"):
            asyncio.run(desk.async_directory().look_up(credentials))

    def test_a_bug_of_the_port_reaches_the_caller(self, desk: Desk, credentials: AppCredentials) -> None:
        """Law 1.3: as itself, from the other thread too."""

        class Broken:
            def send(self, request: object) -> Any:
                raise KeyError("a bug")

            def close(self) -> None: ...

        directory = AsyncRemoteDirectory(desk.projects, Broken(), desk.clock, notice=desk.notices.append)
        with pytest.raises(KeyError, match="a bug"):
            asyncio.run(directory.look_up(credentials))


class TestSlow(_Mercury):
    def test_time_is_bounded(self, mercury: FakeMercury, desk: Desk, credentials: AppCredentials) -> None:
        """Law 4.9: by the port's deadline for the whole exchange."""
        desk.http = SafeHttp(timeout=0.1)
        mercury.slow(PATIENCE)
        with pytest.raises(AuthUnavailable, match="did not answer"):
            desk.directory().look_up(credentials)
