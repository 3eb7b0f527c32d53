"""The configured API keys as a store, in both colours; nothing waits here."""

from __future__ import annotations

from typing import final

from ..api_keys import StaticKeys
from ..clock import Clock
from ..credentials import ApiKeyCredential
from ..principal import ApiKey

__all__ = ["AsyncLocalKeys", "LocalKeys"]


@final
class LocalKeys:
    """An ``ApiKeyStore`` over ``StaticKeys``; when each was last used is known of this process alone.

    Args:
        keys: The specification, of which nothing is wrong.
        clock: Says when a key is used.
    """

    __slots__ = ("_clock", "_keys", "_used")

    def __init__(self, keys: StaticKeys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._used: dict[str, float] = {}

    def look_up(self, credential: ApiKeyCredential) -> ApiKey | None:
        """The key, or None where it is unknown or wrong."""
        key = self._keys.find(credential.value)
        wall = self._clock.now().wall
        if key is not None and not key.has_expired(wall):
            self._used[key.id] = wall
        return key

    def last_used(self, name: str) -> float | None:
        """When a key of this id was last used, Unix seconds; None for never."""
        return self._used.get(name)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._keys!r})"


@final
class AsyncLocalKeys:
    """``LocalKeys`` for ``AsyncGate``: a microsecond of hashing, on the loop (Law 9.2)."""

    __slots__ = ("_store",)

    def __init__(self, keys: StaticKeys, clock: Clock) -> None:
        self._store = LocalKeys(keys, clock)

    async def look_up(self, credential: ApiKeyCredential) -> ApiKey | None:
        """The key, or None where it is unknown or wrong."""
        return self._store.look_up(credential)

    async def last_used(self, name: str) -> float | None:
        """As ``LocalKeys.last_used``."""
        return self._store.last_used(name)

    def __repr__(self) -> str:
        return f"Async{self._store!r}"
