"""The suite for project directories, held to an honest directory and to dishonest ones."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import NoReturn

import pytest

from authgate_core.credentials import AppCredentials
from authgate_core.errors import ProjectsUnavailable, ServiceNotEnabled
from authgate_core.ports import ProjectDirectory
from authgate_core.principal import Project
from authgate_core.secret import Secret
from authgate_core.testing.contracts import (
    AsyncProjectDirectoryContract,
    AsyncProjectDirectoryOutageContract,
    AsyncProjectDirectoryServiceContract,
    OpenDirectory,
    ProjectDirectoryContract,
    ProjectDirectoryOutageContract,
    ProjectDirectoryServiceContract,
)

SECRET = "Correct horse battery staple, and 32 characters more"
RIGHT = AppCredentials("app-1", Secret(SECRET))


class _Honest:
    """The plainest directory that keeps every promise: one project, compared."""

    project = Project(id="p1", name="First", enabled_services=["orders"], roles=["partner"])

    def look_up(self, credentials: AppCredentials) -> Project | None:
        known = self.knows(credentials.app_id) and self.proves(credentials.secret.reveal())
        return self.project if known else None

    def knows(self, app_id: str) -> bool:
        return app_id == RIGHT.app_id

    def proves(self, secret: str) -> bool:
        return secret == SECRET


class _AdmitsAll(_Honest):
    def look_up(self, credentials: AppCredentials) -> Project | None:
        return self.project


class _AdmitsNobody(_Honest):
    def look_up(self, credentials: AppCredentials) -> Project | None:
        return None


class _TrimsSecrets(_Honest):
    def proves(self, secret: str) -> bool:
        return secret.strip() == SECRET


class _TrimsIds(_Honest):
    def knows(self, app_id: str) -> bool:
        return app_id.strip() == RIGHT.app_id


class _FoldsCase(_Honest):
    def proves(self, secret: str) -> bool:
        return secret.lower() == SECRET.lower()


class _ComparesPrefixes(_Honest):
    def proves(self, secret: str) -> bool:
        return SECRET.startswith(secret) or secret.startswith(SECRET)


class _TakesTheEmptyForAny(_Honest):
    def proves(self, secret: str) -> bool:
        return secret in {"", SECRET}


class _TakesTheHash(_Honest):
    def proves(self, secret: str) -> bool:
        return secret in {SECRET, RIGHT.secret.digest().hex()}


class _LooksAtTheSecretAlone(_Honest):
    def knows(self, app_id: str) -> bool:
        return True


class _RaisesOnTheUnknown(_Honest):
    def knows(self, app_id: str) -> bool:
        return {RIGHT.app_id: True}[app_id]


class _MatchesPatterns(_Honest):
    def proves(self, secret: str) -> bool:
        return secret in {SECRET, "*"}


class _AnotherAtEachLookUp(_Honest):
    def look_up(self, credentials: AppCredentials) -> Project | None:
        return Project(id=str(time.monotonic_ns())) if super().look_up(credentials) else None


class _NamesNobody(_Honest):
    project = Project(id="")


class _AnswersTables(_Honest):
    def look_up(self, credentials: AppCredentials) -> Project | None:
        found = super().look_up(credentials)
        return None if found is None else {"id": found.id}  # type: ignore[return-value]  # the mistake under test


class _Writable(Project):
    __setattr__ = object.__setattr__  # type: ignore[assignment]  # the mistake under test


class _GivesWritable(_Honest):
    project = _Writable(id="p1")


class _SharedTable(Project):
    table: dict[str, object] = {"id": "p1", "enabled_services": ["orders"]}  # noqa: RUF012 - the mistake under test

    def to_dict(self) -> dict[str, object]:
        return self.table


class _SharesItsTable(_Honest):
    project = _SharedTable(id="p1")


class _Leaks(_Honest):
    project = Project(id="p1", claims={"secret": SECRET})


class _MixesAnswers(_Honest):
    """The answer goes through one place that all threads share."""

    answer: Project | None = None

    def look_up(self, credentials: AppCredentials) -> Project | None:
        self.answer = super().look_up(credentials)
        time.sleep(0.002)
        return self.answer


class _Direct:
    """A driver of the suite's tests without pytest's fixtures."""

    def __init__(self, directory: ProjectDirectory) -> None:
        self.look_up = directory.look_up

    def look_up_at_once(self, credentials: Sequence[AppCredentials]) -> list[Project | None]:
        with ThreadPoolExecutor(8) as threads:
            return list(threads.map(self.look_up, credentials))


class _AsyncHonest:
    """``_Honest`` in the other colour, open in one event loop."""

    def __init__(self) -> None:
        self.directory = _Honest()
        self.loop = asyncio.get_running_loop()

    async def look_up(self, credentials: AppCredentials) -> Project | None:
        assert self.loop is asyncio.get_running_loop()
        await asyncio.sleep(0)
        return self.directory.look_up(credentials)


class TestHonestDirectory(ProjectDirectoryContract):
    @pytest.fixture
    def directory(self) -> _Honest:
        """An honest one."""
        return _Honest()

    @pytest.fixture
    def credentials(self) -> AppCredentials:
        """What it knows."""
        return RIGHT


class TestAsyncHonestDirectory(AsyncProjectDirectoryContract):
    @pytest.fixture
    def open_directory(self) -> OpenDirectory:
        """Opens an honest one."""

        @asynccontextmanager
        async def opened() -> AsyncIterator[_AsyncHonest]:
            directory = _AsyncHonest()
            yield directory
            assert directory.loop is asyncio.get_running_loop()

        return opened

    @pytest.fixture
    def credentials(self) -> AppCredentials:
        """What it knows."""
        return RIGHT


SUITE = ProjectDirectoryContract()
TESTS: Mapping[str, Callable[[_Direct], None]] = {
    "right": partial(SUITE.test_the_right_secret_is_a_project, credentials=RIGHT),
    **{
        f"wrong: {change}": partial(SUITE.test_a_wrong_secret_is_none, credentials=RIGHT, change=change)
        for change in ("longer", "shorter", "case", "space", "empty", "app id", "hash-like")
    },
    **{
        f"unknown: {change}": partial(SUITE.test_an_unknown_id_is_none, credentials=RIGHT, change=change)
        for change in ("longer", "empty", "space")
    },
    "odd": partial(SUITE.test_odd_credentials_are_none, credentials=RIGHT),
    "read-only": partial(SUITE.test_what_is_returned_is_read_only, credentials=RIGHT),
    "shown": partial(SUITE.test_the_secret_is_not_in_the_project, credentials=RIGHT),
    "at once": partial(SUITE.test_look_ups_at_once_do_not_mix, credentials=RIGHT),
}


def broken_promises(directory: ProjectDirectory) -> set[str]:
    """The tests of the suite that find something."""
    broken = set()
    for name, test in TESTS.items():
        try:
            test(_Direct(directory))
        except (AssertionError, KeyError, AttributeError, pytest.fail.Exception):
            broken.add(name)
    return broken


class TestTheSuite:
    def test_tries_everything_here(self) -> None:
        """No test of the suite is missing from this file's table."""
        assert 7 == sum(name.startswith("test_") for name in dir(SUITE))
        assert set() == broken_promises(_Honest())

    @pytest.mark.parametrize(
        ("directory", "promise"),
        [
            (_AdmitsAll, "wrong: app id"),
            (_AdmitsAll, "unknown: longer"),
            (_AdmitsNobody, "right"),
            (_TrimsSecrets, "wrong: space"),
            (_TrimsIds, "unknown: space"),
            (_FoldsCase, "wrong: case"),
            (_ComparesPrefixes, "wrong: longer"),
            (_ComparesPrefixes, "wrong: shorter"),
            (_TakesTheEmptyForAny, "wrong: empty"),
            (_TakesTheHash, "wrong: hash-like"),
            (_LooksAtTheSecretAlone, "unknown: empty"),
            (_RaisesOnTheUnknown, "unknown: longer"),
            (_MatchesPatterns, "odd"),
            (_AnotherAtEachLookUp, "right"),
            (_NamesNobody, "right"),
            (_AnswersTables, "right"),
            (_GivesWritable, "read-only"),
            (_SharesItsTable, "read-only"),
            (_Leaks, "shown"),
            (_MixesAnswers, "at once"),
        ],
    )
    def test_finds_every_mistake(self, directory: type[_Honest], promise: str) -> None:
        """A directory with one mistake breaks the promise that is about it."""
        assert promise in broken_promises(directory())


class _Unreachable:
    """A directory whose server is gone."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def look_up(self, credentials: AppCredentials) -> NoReturn:
        raise self.error


class TestUnreachableDirectory(ProjectDirectoryOutageContract):
    @pytest.fixture
    def directory(self) -> _Unreachable:
        """One without a server."""
        return _Unreachable(ProjectsUnavailable("gone"))


class TestAsyncUnreachableDirectory(AsyncProjectDirectoryOutageContract):
    @pytest.fixture
    def open_directory(self) -> OpenDirectory:
        """Opens one without a server."""

        class _Gone(_AsyncHonest):
            async def look_up(self, credentials: AppCredentials) -> Project | None:
                raise ProjectsUnavailable("gone")

        @asynccontextmanager
        async def opened() -> AsyncIterator[_AsyncHonest]:
            yield _Gone()

        return opened


class TestTheOutageSuite:
    @pytest.mark.parametrize("directory", [_AdmitsAll, _AdmitsNobody])
    def test_a_directory_that_guesses(self, directory: type[_Honest]) -> None:
        """Law 1.5: neither a project nor None will do."""
        with pytest.raises(pytest.fail.Exception):
            ProjectDirectoryOutageContract().test_a_look_up_is_not_answered(_Direct(directory()))

    def test_a_directory_that_lets_its_library_speak(self) -> None:
        """Law 1.3: another exception would be a bug, and reach the framework."""
        with pytest.raises(ConnectionError):
            ProjectDirectoryOutageContract().test_a_look_up_is_not_answered(
                _Direct(_Unreachable(ConnectionError()))
            )


class _Elsewhere(_Honest):
    """Knows a project that may not use this service."""

    def look_up(self, credentials: AppCredentials) -> Project | None:
        if super().look_up(credentials) is None:
            return None
        raise ServiceNotEnabled


class _SaysSoToAnybody(_Honest):
    def look_up(self, credentials: AppCredentials) -> NoReturn:
        raise ServiceNotEnabled


class TestDirectoryOfAnotherService(ProjectDirectoryServiceContract):
    @pytest.fixture
    def directory(self) -> _Elsewhere:
        """One that judges services itself."""
        return _Elsewhere()

    @pytest.fixture
    def credentials(self) -> AppCredentials:
        """What it knows."""
        return RIGHT


class TestAsyncDirectoryOfAnotherService(AsyncProjectDirectoryServiceContract):
    @pytest.fixture
    def open_directory(self) -> OpenDirectory:
        """Opens one that judges services itself."""

        class _AsyncElsewhere(_AsyncHonest):
            def __init__(self) -> None:
                super().__init__()
                self.directory = _Elsewhere()

        @asynccontextmanager
        async def opened() -> AsyncIterator[_AsyncElsewhere]:
            yield _AsyncElsewhere()

        return opened

    @pytest.fixture
    def credentials(self) -> AppCredentials:
        """What it knows."""
        return RIGHT


class TestTheServiceSuite:
    @pytest.mark.parametrize("directory", [_AdmitsAll, _AdmitsNobody])
    def test_a_directory_that_does_not_say_so(self, directory: type[_Honest]) -> None:
        """Neither a project nor None will do for one that is known and barred."""
        with pytest.raises(pytest.fail.Exception):
            ProjectDirectoryServiceContract().test_the_right_secret_is_told(_Direct(directory()), RIGHT)

    def test_a_directory_that_says_so_to_anybody(self) -> None:
        """Law 6.5: a wrong secret must not learn it."""
        with pytest.raises(ServiceNotEnabled):
            ProjectDirectoryServiceContract().test_a_wrong_secret_is_not(_Direct(_SaysSoToAnybody()), RIGHT)
