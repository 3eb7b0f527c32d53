"""Contract suites: inherit one, override its fixtures, and pytest tries every promise of the port on yours.

They need pytest, which is why ``authgate_core.testing`` does not import them.
"""

from __future__ import annotations

from .api_keys import (
    ApiKeyStoreContract,
    ApiKeyStoreOutageContract,
    AsyncApiKeyStoreContract,
    AsyncApiKeyStoreOutageContract,
    OpenKeys,
)
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
from .replays import (
    AsyncReplayStoreContract,
    AsyncReplayStoreOutageContract,
    OpenReplays,
    ReplayStoreContract,
    ReplayStoreOutageContract,
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
    "ApiKeyStoreContract",
    "ApiKeyStoreOutageContract",
    "AsyncApiKeyStoreContract",
    "AsyncApiKeyStoreOutageContract",
    "AsyncProjectDirectoryContract",
    "AsyncProjectDirectoryOutageContract",
    "AsyncProjectDirectoryServiceContract",
    "AsyncReplayStoreContract",
    "AsyncReplayStoreOutageContract",
    "AsyncRevocationOutageContract",
    "AsyncRevocationStoreContract",
    "AsyncWritableStore",
    "HttpPortContract",
    "OpenDirectory",
    "OpenKeys",
    "OpenReplays",
    "OpenStore",
    "ProjectDirectoryContract",
    "ProjectDirectoryOutageContract",
    "ProjectDirectoryServiceContract",
    "ReplayStoreContract",
    "ReplayStoreOutageContract",
    "RevocationOutageContract",
    "RevocationStoreContract",
    "WritableStore",
]
