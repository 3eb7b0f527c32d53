"""The API keys of a gate: who is asked about them; and ``gate.api_keys``, which mints and removes them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol, TypedDict, Unpack, runtime_checkable

from ..api_keys import ApiKeys, MintedKey, RemoteKeys, mint_key, read_entry
from ..cache import Answers
from ..effects import Endpoint
from ..errors import ConfigurationError
from ..flows.api_key import KnownKeys
from ..flows.remote_keys import KeyService
from ..principal import ApiKey

__all__ = [
    "ApiKeyDesk",
    "AsyncApiKeyDesk",
    "AsyncKeyUses",
    "AsyncWritableKeys",
    "KeyTerms",
    "KeyUses",
    "WritableKeys",
    "known_keys",
]

_WRITTEN: Final = "minted and removed"
_ASKED: Final = "asked about"
_EARLIEST: Final = 1_000_000_000
"""September 2001, in Unix seconds: nobody makes a key that ended before, so a lower number was meant as a duration."""


class KeyTerms(TypedDict, total=False):
    """What a key is minted with: whatever is left out, or None, it does not have.

    ``expires_at`` is a ``datetime`` with its offset, or Unix seconds.
    """

    owner_id: str | None
    service: str | None
    tenant: str | None
    roles: Sequence[str] | None
    scopes: Sequence[str] | None
    expires_at: datetime | float | None


@runtime_checkable
class KeyUses(Protocol):
    """A store of authgate's own that knows when keys were used."""

    def last_used(self, name: str) -> float | None:
        """When a key was last used, Unix seconds."""
        ...


@runtime_checkable
class AsyncKeyUses(Protocol):
    """``KeyUses`` for ``AsyncGate``."""

    async def last_used(self, name: str) -> float | None:
        """When a key was last used, Unix seconds."""
        ...


@runtime_checkable
class WritableKeys(Protocol):
    """A store of authgate's own that keys can be written to."""

    def add(self, name: str, table: Mapping[str, object]) -> None:
        """Write a new key."""
        ...

    def remove(self, name: str) -> None:
        """Remove a key."""
        ...


@runtime_checkable
class AsyncWritableKeys(Protocol):
    """``WritableKeys`` for ``AsyncGate``."""

    async def add(self, name: str, table: Mapping[str, object]) -> None:
        """Write a new key."""
        ...

    async def remove(self, name: str) -> None:
        """Remove a key."""
        ...


def known_keys(keys: ApiKeys | None) -> KnownKeys | None:
    """The API keys that a gate admits, and the service that is asked about them."""
    if keys is None or not isinstance(keys.store, RemoteKeys):
        return None if keys is None else KnownKeys(keys)
    remote = keys.store
    answers = Answers[ApiKey](os.urandom(32), remote.url, remote.name, keys.prefix)
    endpoint = Endpoint(f"{remote.name} (API keys)", remote.url)
    return KnownKeys(keys, KeyService(remote, keys.prefix, endpoint, answers))


class ApiKeyDesk:
    """The API keys of a ``Gate``, for whoever hands them out.

    Args:
        keys: The specification; None where the gate has no keys.
        store: The store that the gate made of it; None where it made none.
    """

    __slots__ = ("_keys", "_store")

    def __init__(self, keys: ApiKeys | None, store: object = None) -> None:
        self._keys = keys
        self._store = store

    def mint(self, **terms: Unpack[KeyTerms]) -> MintedKey:
        """Make a key and store its hash; returns once that is durable. What is returned alone has the key.

        Args:
            terms: What the key has.

        Raises:
            ConfigurationError: If the keys are not in Redis.
            ValueError: If a term is not what it should be.
            ApiKeysUnavailable: If it was not written for certain; nobody has that key, so mint another.
        """
        minted, table = _drafted(self._keys, terms)
        if not isinstance(self._store, WritableKeys):
            raise _no_store(_WRITTEN)
        self._store.add(minted.id, table)
        return minted

    def remove(self, name: str) -> None:
        """Have a key refused from the next request on, in every process.

        Args:
            name: The key's id.

        Raises:
            ConfigurationError: If the keys are not in Redis.
            ApiKeysUnavailable: If it was not removed for certain; doing it again does no harm.
        """
        if not isinstance(self._store, WritableKeys):
            raise _no_store(_WRITTEN)
        self._store.remove(name)

    def last_used(self, name: str) -> float | None:
        """When a key was last used, Unix seconds; None for never.

        Keys in Redis know it to a minute and of every process, those of a file of this process alone.

        Args:
            name: The key's id.

        Raises:
            ConfigurationError: If the store is one of your own, or there is none.
            ApiKeysUnavailable: If the store does not answer.
        """
        if not isinstance(self._store, KeyUses):
            raise _no_store(_ASKED)
        return self._store.last_used(name)


class AsyncApiKeyDesk:
    """``ApiKeyDesk`` for ``AsyncGate``."""

    __slots__ = ("_keys", "_store")

    def __init__(self, keys: ApiKeys | None, store: object = None) -> None:
        self._keys = keys
        self._store = store

    async def mint(self, **terms: Unpack[KeyTerms]) -> MintedKey:
        """As ``ApiKeyDesk.mint``."""
        minted, table = _drafted(self._keys, terms)
        if not isinstance(self._store, AsyncWritableKeys):
            raise _no_store(_WRITTEN)
        await self._store.add(minted.id, table)
        return minted

    async def remove(self, name: str) -> None:
        """As ``ApiKeyDesk.remove``."""
        if not isinstance(self._store, AsyncWritableKeys):
            raise _no_store(_WRITTEN)
        await self._store.remove(name)

    async def last_used(self, name: str) -> float | None:
        """As ``ApiKeyDesk.last_used``."""
        if not isinstance(self._store, AsyncKeyUses):
            raise _no_store(_ASKED)
        return await self._store.last_used(name)


def _no_store(asked: str) -> ConfigurationError:
    return ConfigurationError(
        f"api_keys: this gate keeps none where they can be {asked}; give api_keys=ApiKeys.redis(url)"
    )


def _drafted(keys: ApiKeys | None, terms: KeyTerms) -> tuple[MintedKey, Mapping[str, object]]:
    """A new key, and what is stored of it."""
    if keys is None:
        raise _no_store(_WRITTEN)
    minted = mint_key(keys.prefix)
    given = {name: value for name, value in terms.items() if value is not None}
    table: dict[str, object] = {"secret_hash": minted.secret_hash, **given}
    problems: list[str] = []
    if read_entry(minted.id, table, keys.prefix, problems) is None:
        raise ValueError("; ".join(problems))
    ends = table.get("expires_at")
    moment = ends.timestamp() if isinstance(ends, datetime) else ends
    if isinstance(moment, (int, float)) and moment < _EARLIEST:
        raise ValueError(f"expires_at: {moment:g} is a moment long ago; add a duration to time.time()")
    return minted, table if moment is None else table | {"expires_at": moment}
