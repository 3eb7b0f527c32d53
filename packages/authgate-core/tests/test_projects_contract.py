"""The configured projects, held to what every project directory promises."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from authgate_core.credentials import AppCredentials
from authgate_core.hash_secret import mint
from authgate_core.io.projects import AsyncLocalDirectory, LocalDirectory
from authgate_core.projects import StaticProjects
from authgate_core.testing.contracts import (
    AsyncProjectDirectoryContract,
    OpenDirectory,
    ProjectDirectoryContract,
)

SECRET, STORED = mint(lambda count: bytes(range(count)))
PROJECTS = StaticProjects(
    {
        "shop": {
            "secret_hash": STORED,
            "enabled_services": ["orders"],
            "roles": ["partner"],
            "secret_version": 2,
        },
        "till": {"secret_hash": [STORED, STORED]},
    }
)


class _Known:
    @pytest.fixture
    def credentials(self) -> AppCredentials:
        """What the directory knows."""
        return AppCredentials("shop", SECRET)


class TestLocalDirectory(_Known, ProjectDirectoryContract):
    @pytest.fixture
    def directory(self) -> LocalDirectory:
        """The directory to judge."""
        return LocalDirectory(PROJECTS)


class TestAsyncLocalDirectory(_Known, AsyncProjectDirectoryContract):
    @pytest.fixture
    def open_directory(self) -> OpenDirectory:
        """Opens the directory to judge."""

        @asynccontextmanager
        async def opened() -> AsyncIterator[AsyncLocalDirectory]:
            yield AsyncLocalDirectory(PROJECTS)

        return opened
