"""API keys in Redis or Valkey, in both colours.

NAMESPACE:api-key:ID        the key's table, as JSON
NAMESPACE:api-key-used:ID   when it was last used, Unix seconds
"""

from __future__ import annotations

import contextlib
import json
import math
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from redis.exceptions import InvalidResponse

from ...api_keys import RedisKeys, StoredKey, key_id, read_entry
from ...clock import Clock
from ...credentials import ApiKeyCredential
from ...errors import ApiKeysUnavailable, RevocationUnavailable
from ...events import Notice
from ...principal import ApiKey
from .line import Line, LineTerms
from .line_aio import AsyncLine
from .protocol import Query, as_bytes

__all__ = ["AsyncRedisKeyStore", "RedisKeyStore"]

_EVERY: Final = 60.0
"""How exactly it is known when a key was last used, in seconds."""
_REMEMBERED: Final = 400 * 86_400
_MOST: Final = 10_000
_UNWRITTEN: Final = (
    "when keys are used is not written; the user of Redis needs SET on the names of API keys: {}"
)


class _Layout:
    """What is asked and how replies read, whatever the colour; and which uses were written lately.

    Args:
        spec: Where the keys are.
        prefix: What they begin with.
        clock: Where it gets the time from.
        notice: Told, once, where uses cannot be written.
    """

    def __init__(self, spec: RedisKeys, prefix: str, clock: Clock, notice: Callable[[Notice], None]) -> None:
        self._namespace = spec.namespace
        self._prefix = prefix
        self._clock = clock
        self._notice = notice
        self._written: OrderedDict[str, float] = OrderedDict()
        self._was_told = False

    def question(self, credential: ApiKeyCredential) -> Query:
        return (("GET", self._entry(key_id(credential.value.reveal(), self._prefix) or "")),)

    def answer(self, credential: ApiKeyCredential, replies: Sequence[object]) -> ApiKey | None:
        name = key_id(credential.value.reveal(), self._prefix) or ""
        held = _held(replies)
        return None if held is None else self._stored(name, held).proven(credential.value)

    def _stored(self, name: str, held: bytes) -> StoredKey:
        problems: list[str] = []
        try:
            entry: object = json.loads(held)
        except (ValueError, RecursionError):
            entry = None
        stored = read_entry(name, entry, self._prefix, problems)
        if stored is None:
            raise ApiKeysUnavailable(f"a key in Redis cannot be read: {'; '.join(problems)}")
        return stored

    def use(self, key: ApiKey | None) -> Query | None:
        """What to write of a use, at most once a minute of each key in each process."""
        now = self._clock.now()
        if key is None or key.has_expired(now.wall) or now.mono - self._written.get(key.id, -_EVERY) < _EVERY:
            return None
        self._written[key.id] = now.mono
        if len(self._written) > _MOST:
            with contextlib.suppress(KeyError):  # which another thread took
                self._written.popitem(last=False)
        return (("SET", self._used(key.id), f"{now.wall:.0f}", "EX", _REMEMBERED),)

    def wrote(self, replies: Sequence[object]) -> None:
        """Tell, once, that this gate may not write; the key is as good without."""
        if isinstance(replies[0], Exception) and not self._was_told:
            self._was_told = True
            self._notice(Notice("api_key_use_unwritten", "redis", _UNWRITTEN.format(replies[0])))

    def addition(self, name: str, table: Mapping[str, object]) -> Query:
        ends = table.get("expires_at")
        until = ("EXAT", math.ceil(ends) + 1) if isinstance(ends, (int, float)) else ()
        return (("SET", self._entry(name), json.dumps(table), *until),)

    def removal(self, name: str) -> Query:
        return (("DEL", self._entry(name)), ("DEL", self._used(name)))

    def inquiry(self, name: str) -> Query:
        return (("GET", self._used(name)),)

    def _entry(self, name: str) -> str:
        return f"{self._namespace}:api-key:{name}"

    def _used(self, name: str) -> str:
        return f"{self._namespace}:api-key-used:{name}"


class RedisKeyStore:
    """An ``ApiKeyStore`` over Redis or Valkey, for threads and forked processes.

    Args:
        spec: Where the keys are; nothing is wrong with it.
        prefix: What they begin with.
        clock: Where it gets the time from.
        notice: Told what an operator should know.
    """

    def __init__(self, spec: RedisKeys, prefix: str, clock: Clock, notice: Callable[[Notice], None]) -> None:
        self._layout = _Layout(spec, prefix, clock, notice)
        self._line = Line(spec.client_or_url, LineTerms("redis", "api_keys", clock, notice))

    def look_up(self, credential: ApiKeyCredential) -> ApiKey | None:
        """The key, or None where it is unknown or wrong.

        Raises:
            ApiKeysUnavailable: If the server does not say, or holds what cannot be read.
        """
        key = self._layout.answer(credential, self._ask(self._layout.question(credential)))
        use = self._layout.use(key)
        if use is not None:
            with contextlib.suppress(ApiKeysUnavailable):  # which the breaker tells of, and takes no key away
                self._layout.wrote(self._ask(use))
        return key

    def add(self, name: str, table: Mapping[str, object]) -> None:
        """Write a new key; returns once the server has confirmed it."""
        _check(self._ask(self._layout.addition(name, table)))

    def remove(self, name: str) -> None:
        """Remove a key, if there is one."""
        _check(self._ask(self._layout.removal(name)))

    def last_used(self, name: str) -> float | None:
        """When a key was last used, Unix seconds, exact to a minute; None for never."""
        return _moment(self._ask(self._layout.inquiry(name)))

    def close(self) -> None:
        """Close the connections."""
        self._line.close()

    def _ask(self, query: Query) -> Sequence[object]:
        try:
            return self._line.ask(query)
        except RevocationUnavailable as outage:
            raise ApiKeysUnavailable(outage.reason, retry_after=outage.retry_after) from outage


class AsyncRedisKeyStore:
    """``RedisKeyStore`` for ``AsyncGate``."""

    def __init__(self, spec: RedisKeys, prefix: str, clock: Clock, notice: Callable[[Notice], None]) -> None:
        self._layout = _Layout(spec, prefix, clock, notice)
        self._line = AsyncLine(spec.client_or_url, LineTerms("redis", "api_keys", clock, notice))

    async def look_up(self, credential: ApiKeyCredential) -> ApiKey | None:
        """As ``RedisKeyStore.look_up``."""
        key = self._layout.answer(credential, await self._ask(self._layout.question(credential)))
        use = self._layout.use(key)
        if use is not None:
            with contextlib.suppress(ApiKeysUnavailable):  # as there
                self._layout.wrote(await self._ask(use))
        return key

    async def add(self, name: str, table: Mapping[str, object]) -> None:
        """As ``RedisKeyStore.add``."""
        _check(await self._ask(self._layout.addition(name, table)))

    async def remove(self, name: str) -> None:
        """As ``RedisKeyStore.remove``."""
        _check(await self._ask(self._layout.removal(name)))

    async def last_used(self, name: str) -> float | None:
        """As ``RedisKeyStore.last_used``."""
        return _moment(await self._ask(self._layout.inquiry(name)))

    async def aclose(self) -> None:
        """Close the connections of the running loop."""
        await self._line.aclose()

    async def _ask(self, query: Query) -> Sequence[object]:
        try:
            return await self._line.ask(query)
        except RevocationUnavailable as outage:
            raise ApiKeysUnavailable(outage.reason, retry_after=outage.retry_after) from outage


def _check(replies: Sequence[object]) -> object:
    """The first reply, none of which is an error.

    Raises:
        ApiKeysUnavailable: If one is.
    """
    for reply in replies:
        if isinstance(reply, Exception):
            raise ApiKeysUnavailable(f"Redis refused: {reply}")
    return replies[0]


def _held(replies: Sequence[object]) -> bytes | None:
    try:
        return as_bytes(_check(replies))
    except InvalidResponse as error:
        raise ApiKeysUnavailable(f"Redis answered what is no key: {error}") from error


def _moment(replies: Sequence[object]) -> float | None:
    held = _held(replies)
    try:
        return None if held is None else float(held)
    except ValueError:
        raise ApiKeysUnavailable("Redis answered what is no time") from None
