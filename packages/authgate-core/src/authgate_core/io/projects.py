"""The configured projects as a directory, in both colours; nothing waits here."""

from __future__ import annotations

from typing import final

from ..credentials import AppCredentials
from ..errors import ConfigurationError
from ..principal import Project
from ..projects import Hasher, StaticProjects, secret_digest

__all__ = ["AsyncLocalDirectory", "LocalDirectory"]


@final
class LocalDirectory:
    """A ``ports.ProjectDirectory`` over ``StaticProjects``.

    Args:
        projects: The specification.
        hasher: How secrets are hashed; tests count with it (Law 6.5).

    Raises:
        ConfigurationError: If the specification has problems.
    """

    __slots__ = ("_hasher", "_projects")

    def __init__(self, projects: StaticProjects, *, hasher: Hasher = secret_digest) -> None:
        problems = projects.problems()
        if problems:
            raise ConfigurationError(*(f"projects: {problem}" for problem in problems))
        self._projects = projects
        self._hasher = hasher

    def look_up(self, credentials: AppCredentials) -> Project | None:
        """The project, or None when the app id is unknown or the secret wrong."""
        return self._projects.find(credentials, self._hasher)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._projects!r})"


@final
class AsyncLocalDirectory:
    """``LocalDirectory`` for ``AsyncGate``: some microseconds of hashing, on the loop (Law 9.2)."""

    __slots__ = ("_directory",)

    def __init__(self, projects: StaticProjects, *, hasher: Hasher = secret_digest) -> None:
        self._directory = LocalDirectory(projects, hasher=hasher)

    async def look_up(self, credentials: AppCredentials) -> Project | None:
        """The project, or None when the app id is unknown or the secret wrong."""
        return self._directory.look_up(credentials)

    def __repr__(self) -> str:
        return f"Async{self._directory!r}"
