"""What a project directory promises, in both colours."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Final, Protocol, TypeAlias, cast

import pytest

from ...credentials import AppCredentials
from ...errors import AuthUnavailable, ServiceNotEnabled
from ...ports import AsyncProjectDirectory, ProjectDirectory
from ...principal import Project
from ...secret import Secret

__all__ = [
    "AsyncProjectDirectoryContract",
    "AsyncProjectDirectoryOutageContract",
    "AsyncProjectDirectoryServiceContract",
    "OpenDirectory",
    "ProjectDirectoryContract",
    "ProjectDirectoryOutageContract",
    "ProjectDirectoryServiceContract",
]

OpenDirectory: TypeAlias = Callable[[], AbstractAsyncContextManager[AsyncProjectDirectory]]

# Of what printable ASCII without commas can hold, and only that reaches a directory (Law 2.2).
_ODD: Final = ("*", "'; --", "../..", "%00", "{}", "${x}", "null", "\\", '"', "a b", "x" * 16_384)


class Driver(Protocol):
    """A directory of either colour as the tests use it."""

    def look_up(self, credentials: AppCredentials) -> Project | None:
        """Ask."""
        ...

    def look_up_at_once(self, credentials: Sequence[AppCredentials]) -> list[Project | None]:
        """Ask about all, at the same time."""
        ...


class _SyncDriver:
    def __init__(self, directory: ProjectDirectory) -> None:
        self.look_up = directory.look_up

    def look_up_at_once(self, credentials: Sequence[AppCredentials]) -> list[Project | None]:
        with ThreadPoolExecutor(8) as threads:
            return list(threads.map(self.look_up, credentials))


class _AsyncDriver:
    def __init__(self, runner: asyncio.Runner, directory: AsyncProjectDirectory) -> None:
        self._runner = runner
        self._directory = directory

    def look_up(self, credentials: AppCredentials) -> Project | None:
        return self._runner.run(self._directory.look_up(credentials))

    def look_up_at_once(self, credentials: Sequence[AppCredentials]) -> list[Project | None]:
        async def all_of_them() -> list[Project | None]:
            return await asyncio.gather(*map(self._directory.look_up, credentials))

        return self._runner.run(all_of_them())


class _SyncDriven:
    @pytest.fixture
    def directory(self) -> ProjectDirectory:
        """The directory to judge; override this."""
        raise NotImplementedError(f"{type(self).__name__} has to override the fixture `directory`")

    @pytest.fixture
    def driver(self, directory: ProjectDirectory) -> Driver:
        """The directory as the tests use it."""
        return _SyncDriver(directory)


class _AsyncDriven:
    @pytest.fixture
    def open_directory(self) -> OpenDirectory:
        """Opens the directory to judge; override this."""
        raise NotImplementedError(f"{type(self).__name__} has to override the fixture `open_directory`")

    @pytest.fixture
    def driver(self, open_directory: OpenDirectory) -> Iterator[Driver]:
        """The directory as the tests use it, opened, driven and closed in one event loop."""
        with asyncio.Runner() as runner:
            stack = AsyncExitStack()
            yield _AsyncDriver(runner, runner.run(stack.enter_async_context(open_directory())))
            runner.run(stack.aclose())


class _DirectoryLaws:
    @pytest.fixture
    def credentials(self) -> AppCredentials:
        """An app id and secret that the directory knows; override this."""
        raise NotImplementedError(f"{type(self).__name__} has to override the fixture `credentials`")

    def test_the_right_secret_is_a_project(self, driver: Driver, credentials: AppCredentials) -> None:
        """Law 6.1: it has an id, and is the same project at every look-up."""
        first, second = driver.look_up(credentials), driver.look_up(credentials)
        assert isinstance(first, Project), "not a Project"
        assert isinstance(first.id, str), "its id is no text"
        assert 1 <= len(first.id) <= 255, "its id is empty, or longer than 255 characters"
        assert first == second, "another project at the second look-up"

    @pytest.mark.parametrize("change", ["longer", "shorter", "case", "space", "empty", "app id", "hash-like"])
    def test_a_wrong_secret_is_none(self, driver: Driver, credentials: AppCredentials, change: str) -> None:
        """Law 6.1: nearly right is wrong, and so is nothing (Law 2.5)."""
        right = credentials.secret.reveal()
        wrong = {
            "longer": f"{right}x",
            "shorter": right[:-1],
            "case": right.swapcase() if right.swapcase() != right else f"{right}X",
            "space": f" {right}",
            "empty": "",
            "app id": credentials.app_id,
            "hash-like": credentials.secret.digest().hex(),
        }[change]
        assert driver.look_up(AppCredentials(credentials.app_id, Secret(wrong))) is None

    @pytest.mark.parametrize("change", ["longer", "empty", "space"])
    def test_an_unknown_id_is_none(self, driver: Driver, credentials: AppCredentials, change: str) -> None:
        """Law 6.5: with a secret that would be right elsewhere."""
        known = credentials.app_id
        unknown = {"longer": f"{known}-unknown", "empty": "", "space": f"{known} "}[change]
        assert driver.look_up(AppCredentials(unknown, credentials.secret)) is None

    def test_odd_credentials_are_none(self, driver: Driver, credentials: AppCredentials) -> None:
        """Law 3.11: whatever a header can hold is an answer, not an exception."""
        for odd in _ODD:
            pairs = ((odd, credentials.secret), (credentials.app_id, Secret(odd)), (odd, Secret(odd)))
            found = [driver.look_up(AppCredentials(app_id, secret)) for app_id, secret in pairs]
            assert found == [None] * 3, f"admitted {odd[:16]!r}"

    def test_what_is_returned_is_read_only(self, driver: Driver, credentials: AppCredentials) -> None:
        """Law 7.2: nobody who is given a project can change what the next one is given."""
        project = driver.look_up(credentials)
        assert project is not None, "the right secret was refused"
        for name in ("id", "roles", "enabled_services", "secret_version"):
            with pytest.raises(AttributeError):
                setattr(project, name, "changed")
        before, given = copy.deepcopy(project.to_dict()), project.to_dict()
        for value in given.values():
            if isinstance(value, list):
                cast("list[object]", value).append("changed")
        given.clear()
        again = driver.look_up(credentials)
        assert again is not None, "the right secret was refused the second time"
        assert before == project.to_dict() == again.to_dict(), "a copy that was changed changed the project"

    def test_the_secret_is_not_in_the_project(self, driver: Driver, credentials: AppCredentials) -> None:
        """Law 2.5: the secret stays where it is checked."""
        project = driver.look_up(credentials)
        assert project is not None, "the right secret was refused"
        seen = f"{project!r} {project.to_dict()} {dict(project.claims)}"
        assert credentials.secret.reveal() not in seen, "the secret is shown"

    def test_look_ups_at_once_do_not_mix(self, driver: Driver, credentials: AppCredentials) -> None:
        """Law 6.3: sharing is the gate's business; here everyone gets the answer to their own question."""
        wrong = AppCredentials(credentials.app_id, Secret(f"{credentials.secret.reveal()}x"))
        found = driver.look_up_at_once([credentials, wrong] * 16)
        assert [project is not None for project in found] == [True, False] * 16


class _OutageLaws:
    def test_a_look_up_is_not_answered(self, driver: Driver) -> None:
        """Laws 1.5 and 7.3: what cannot be checked is neither a project nor None."""
        with pytest.raises(AuthUnavailable):
            driver.look_up(AppCredentials("app", Secret("a secret of more than thirty-two characters")))


class _ServiceLaws:
    @pytest.fixture
    def credentials(self) -> AppCredentials:
        """Of a project that the directory knows and does not enable for its service; override this."""
        raise NotImplementedError(f"{type(self).__name__} has to override the fixture `credentials`")

    def test_the_right_secret_is_told(self, driver: Driver, credentials: AppCredentials) -> None:
        """Law 6.4: known, and not enabled; neither an unknown project nor an outage."""
        for _ in range(2):
            with pytest.raises(ServiceNotEnabled):
                driver.look_up(credentials)

    def test_a_wrong_secret_is_not(self, driver: Driver, credentials: AppCredentials) -> None:
        """Law 6.5: whoever has not the secret does not learn what the project may use."""
        wrong = AppCredentials(credentials.app_id, Secret(f"{credentials.secret.reveal()}x"))
        assert driver.look_up(wrong) is None


class ProjectDirectoryContract(_SyncDriven, _DirectoryLaws):
    """Every promise of a ``ProjectDirectory``.

    Example::

        class TestMyDirectory(ProjectDirectoryContract):
            @pytest.fixture
            def directory(self) -> MyDirectory:
                return MyDirectory({"app-1": SECRET})

            @pytest.fixture
            def credentials(self) -> AppCredentials:
                return AppCredentials("app-1", Secret(SECRET))
    """


class AsyncProjectDirectoryContract(_AsyncDriven, _DirectoryLaws):
    """``ProjectDirectoryContract`` for ``AsyncGate``; each test runs its own event loop, without a plugin.

    Example::

        class TestMyDirectory(AsyncProjectDirectoryContract):
            @pytest.fixture
            def open_directory(self) -> OpenDirectory:
                @asynccontextmanager
                async def opened() -> AsyncIterator[MyDirectory]:
                    async with MyDirectory({"app-1": SECRET}) as directory:
                        yield directory

                return opened

            @pytest.fixture
            def credentials(self) -> AppCredentials:
                return AppCredentials("app-1", Secret(SECRET))
    """


class ProjectDirectoryOutageContract(_SyncDriven, _OutageLaws):
    """What a ``ProjectDirectory`` promises while it cannot answer; for those that ask somebody else.

    Example::

        class TestMyDirectoryAlone(ProjectDirectoryOutageContract):
            @pytest.fixture
            def directory(self) -> MyDirectory:
                return MyDirectory("https://127.0.0.1:1")
    """


class AsyncProjectDirectoryOutageContract(_AsyncDriven, _OutageLaws):
    """``ProjectDirectoryOutageContract`` for ``AsyncGate``; the fixture is ``open_directory``."""


class ProjectDirectoryServiceContract(_SyncDriven, _ServiceLaws):
    """What a ``ProjectDirectory`` promises that judges itself which services a project may use.

    Example::

        class TestMyDirectoryElsewhere(ProjectDirectoryServiceContract):
            @pytest.fixture
            def directory(self) -> MyDirectory:
                return MyDirectory({"app-1": SECRET}, service="billing")

            @pytest.fixture
            def credentials(self) -> AppCredentials:
                return AppCredentials("app-1", Secret(SECRET))
    """


class AsyncProjectDirectoryServiceContract(_AsyncDriven, _ServiceLaws):
    """``ProjectDirectoryServiceContract`` for ``AsyncGate``; the fixture is ``open_directory``."""
