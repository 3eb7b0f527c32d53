"""Values that were used, remembered in Redis or Valkey for all processes, in both colours."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence

from redis.exceptions import InvalidResponse

from ...clock import Clock
from ...errors import ConfigurationError, ReplaysUnavailable, RevocationUnavailable
from ...events import Notice
from ...replays import RedisReplays
from .line import Line, LineTerms
from .line_aio import AsyncLine
from .protocol import Query, as_bytes

__all__ = ["AsyncRedisReplayStore", "RedisReplayStore"]


class RedisReplayStore:
    """A ``ReplayStore`` over Redis or Valkey, for threads and forked processes.

    Args:
        spec: Where it is.
        clock: Where it gets the time from.
        notice: Told what an operator should know.

    Raises:
        ConfigurationError: If the specification has problems.
    """

    def __init__(self, spec: RedisReplays, clock: Clock, notice: Callable[[Notice], None]) -> None:
        _check(spec.problems("sync"))
        self._prefix = spec.prefix
        self._line = Line(spec.client_or_url, LineTerms("redis", "replays", clock, notice))

    def use(self, name: bytes, ttl: float) -> bool:
        """Use a value up; whether this was its first use.

        Raises:
            ReplaysUnavailable: If the server does not say.
        """
        mark = os.urandom(16)
        try:
            replies = self._line.ask(_claim(self._prefix, name, ttl, mark))
        except RevocationUnavailable as outage:
            raise ReplaysUnavailable(outage.reason, retry_after=outage.retry_after) from outage
        return _is_first(replies, mark)

    def close(self) -> None:
        """Close the connections."""
        self._line.close()


class AsyncRedisReplayStore:
    """``RedisReplayStore`` for ``AsyncGate``."""

    def __init__(self, spec: RedisReplays, clock: Clock, notice: Callable[[Notice], None]) -> None:
        _check(spec.problems("async"))
        self._prefix = spec.prefix
        self._line = AsyncLine(spec.client_or_url, LineTerms("redis", "replays", clock, notice))

    async def use(self, name: bytes, ttl: float) -> bool:
        """As ``RedisReplayStore.use``."""
        mark = os.urandom(16)
        try:
            replies = await self._line.ask(_claim(self._prefix, name, ttl, mark))
        except RevocationUnavailable as outage:
            raise ReplaysUnavailable(outage.reason, retry_after=outage.retry_after) from outage
        return _is_first(replies, mark)

    async def aclose(self) -> None:
        """Close the connections of the running loop."""
        await self._line.aclose()


def _check(problems: Sequence[str]) -> None:
    if problems:
        raise ConfigurationError(*problems)


def _claim(prefix: str, name: bytes, ttl: float, mark: bytes) -> Query:
    """Put a mark of one's own where there is none, and read whose mark stands there.

    Both in one write: where an exchange is tried again (Laws 5.4, 5.5), the mark is found and is one's own.
    """
    key = f"{prefix}:used:{name.hex()}"
    text = mark.hex()  # which a client that decodes replies leaves as it is
    return (("SET", key, text, "NX", "PX", math.ceil(ttl * 1000)), ("GET", key))


def _is_first(replies: Sequence[object], mark: bytes) -> bool:
    """Whose mark it is; where none is there, the server keeps nothing, or an error says that it may not.

    Raises:
        ReplaysUnavailable: If the replies prove nothing.
    """
    for reply in replies:
        if isinstance(reply, Exception):
            raise ReplaysUnavailable(f"Redis refused: {reply}")
    try:
        held = as_bytes(replies[-1])
    except InvalidResponse as error:
        raise ReplaysUnavailable(f"Redis answered what is no mark: {error}") from error
    if held is None:
        raise ReplaysUnavailable("Redis does not keep what it is given")
    return held == mark.hex().encode()
