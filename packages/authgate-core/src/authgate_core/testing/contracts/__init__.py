"""Contract suites: inherit one, override its fixtures, and pytest tries every promise of the port on yours.

They need pytest, which is why ``authgate_core.testing`` does not import them.
"""

from __future__ import annotations

from .http import HttpPortContract
from .projects import (
    AsyncProjectDirectoryContract,
    AsyncProjectDirectoryOutageContract,
    AsyncProjectDirectoryServiceContract,
    OpenDirectory,
    ProjectDirectoryContract,
    ProjectDirectoryOutageContract,
    ProjectDirectoryServiceContract,
)
from .revocation import (
    AsyncRevocationOutageContract,
    AsyncRevocationStoreContract,
    AsyncWritableStore,
    OpenStore,
    RevocationOutageContract,
    RevocationStoreContract,
    WritableStore,
)

__all__ = [
    "AsyncProjectDirectoryContract",
    "AsyncProjectDirectoryOutageContract",
    "AsyncProjectDirectoryServiceContract",
    "AsyncRevocationOutageContract",
    "AsyncRevocationStoreContract",
    "AsyncWritableStore",
    "HttpPortContract",
    "OpenDirectory",
    "OpenStore",
    "ProjectDirectoryContract",
    "ProjectDirectoryOutageContract",
    "ProjectDirectoryServiceContract",
    "RevocationOutageContract",
    "RevocationStoreContract",
    "WritableStore",
]
