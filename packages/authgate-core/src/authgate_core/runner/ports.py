"""What a runner performs effects with."""

from __future__ import annotations

from dataclasses import dataclass

from ..ports import (
    ApiKeyStore,
    AsyncApiKeyStore,
    AsyncReplayStore,
    AsyncRevocationStore,
    HttpPort,
    ReplayStore,
    RevocationStore,
)
from .exchanges import Exchanges
from .lookups import AsyncProjectLookups, ProjectLookups
from .refresher import KeyRefresher

__all__ = ["AsyncPorts", "Ports"]


@dataclass(frozen=True, slots=True)
class Ports:
    """The sync ports.

    Args:
        http: Sends the gate's own requests.
        keys: Refreshes key sets, shared by both colours; None where there are none.
        revocation: The sources that must be asked.
        projects: Calls the project directory; None where there is none.
        replays: Remembers what may be used once; None where nothing may.
        exchanges: Asks endpoints, shared by both colours; None where there are none.
        api_keys: Knows API keys; None where there are none.
    """

    http: HttpPort
    keys: KeyRefresher | None = None
    revocation: tuple[RevocationStore, ...] = ()
    projects: ProjectLookups | None = None
    replays: ReplayStore | None = None
    exchanges: Exchanges | None = None
    api_keys: ApiKeyStore | None = None


@dataclass(frozen=True, slots=True)
class AsyncPorts:
    """The async ports; fields as in ``Ports``."""

    http: HttpPort
    keys: KeyRefresher | None = None
    revocation: tuple[AsyncRevocationStore, ...] = ()
    projects: AsyncProjectLookups | None = None
    replays: AsyncReplayStore | None = None
    exchanges: Exchanges | None = None
    api_keys: AsyncApiKeyStore | None = None
