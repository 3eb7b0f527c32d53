"""Where revocations are kept, as frozen values: a gate makes the stores of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Final, Literal, TypeAlias

from .addresses import masked_url
from .health import RedisSource
from .servers import prefix_problems, server_problems

__all__ = ["MemoryRevocation", "RedisRevocation"]

RedisLayout: TypeAlias = Literal["authgate", "m8", "mercury"]

_OWN_PREFIX: Final = "authgate"
_OWNERS: Final = {"m8": "m8", "mercury": "Mercury"}
_SOURCES: Final[Mapping[str, RedisSource]] = {"m8": "redis:m8", "mercury": "redis:mercury"}


@dataclass(frozen=True, slots=True)
class MemoryRevocation:
    """Revocations in this process's memory: for tests, and for services of one process."""

    def problems(self, _colour: Literal["sync", "async"]) -> list[str]:
        """What is wrong with it: nothing can be."""
        return []


@dataclass(frozen=True, slots=True)
class RedisRevocation:
    """Revocations in Redis or Valkey, in authgate's own layout, in Mercury's or in m8's.

    Those of others are only read. In Mercury's ``revoked_token:JTI`` refuses a token,
    ``project_secret_version:PROJECT`` the secrets below a version, and a project token passes only while
    ``project_token:TOKEN_ID`` is there; in m8's ``jwt:blacklist:JTI`` refuses a token. Tokens then need a ``jti``
    of at most 255 letters, digits or any of ``. _ : -`` (Law 5.9). Who revokes through ``gate.revocations`` gives
    the gate a second source.

    Args:
        client_or_url: ``redis://``, ``rediss://`` or ``unix://``, with authgate's own time-outs (Law 5.4);
            or a redis-py client for one server, Sentinel or a Cluster: asyncio for ``AsyncGate``, else sync.
        layout: ``authgate``, ``m8`` or ``mercury``: whose entries they are.
        on_error: ``deny`` answers 503 while the store cannot answer; ``allow`` lets requests pass unchecked,
            but never a project token that has to be there (Law 5.3).
        allow_for: How long ``allow`` does so in one outage, in seconds.
        prefix: What every key of authgate's own layout begins with; others have none.
        feed: Follow what is revoked on a thread, and answer from a copy while it is less than a second old (Law 5.11);
            for authgate's own layout at a URL. Another process's revocation then holds here within a second.
        feed_limit: How many entries the copy may hold; where there are more, Redis is asked.
        accept_slow_client: Accept, in writing, a client with time-outs above 1 s or more than one retry.
    """

    client_or_url: object
    _: KW_ONLY
    layout: RedisLayout = "authgate"
    on_error: Literal["deny", "allow"] = "deny"
    allow_for: float = 600.0
    prefix: str = _OWN_PREFIX
    feed: bool = False
    feed_limit: int = 100_000
    accept_slow_client: bool = False

    def problems(self, colour: Literal["sync", "async"]) -> list[str]:
        """What is wrong with it: one sentence each, naming the setting and the fix (Law 1.6).

        Args:
            colour: ``sync`` for ``Gate``, ``async`` for ``AsyncGate``.
        """
        server, slow = self.client_or_url, self.accept_slow_client
        found = server_problems("RedisRevocation", server, colour, accept_slow=slow)
        if self.layout not in {"authgate", *_OWNERS}:
            found.append('layout: write "authgate" (the default), "m8" or "mercury"')
        if self.on_error not in {"deny", "allow"}:
            found.append('on_error: write "deny" (the default) or "allow"')
        if not _is_positive(self.allow_for):
            found.append("allow_for: write a number of seconds above 0, such as 600.0")
        return [*found, *self._prefix_problems(), *self._feed_problems()]

    @property
    def is_foreign(self) -> bool:
        """Whether others own the entries, so that they are only read (Laws 5.8, 5.9)."""
        return self.layout != "authgate"

    @property
    def owner(self) -> str:
        """Whose entries they are, as people call it."""
        return _OWNERS.get(self.layout, _OWN_PREFIX)

    @property
    def source(self) -> RedisSource:
        """What such a source is called in health and notices."""
        return _SOURCES.get(self.layout, "redis")

    def _prefix_problems(self) -> list[str]:
        found = prefix_problems(self.prefix)
        if not found and self.is_foreign and self.prefix != _OWN_PREFIX:
            return [f"prefix: does nothing in {self.owner}'s layout, whose keys have none; leave it out"]
        return found

    def _feed_problems(self) -> Iterator[str]:
        if not _is_flag(self.feed):
            yield "feed: write True or False"
        if not _is_count(self.feed_limit):
            yield "feed_limit: write a positive whole number, such as 100_000"
        if self.feed and self.is_foreign:
            yield f"feed: {self.owner}'s layout has none, so it is asked at every request; leave it out"
        elif self.feed and not isinstance(self.client_or_url, str):
            yield "feed: is followed on a connection of its own; give RedisRevocation the URL of the server"

    def __repr__(self) -> str:
        server = self.client_or_url
        shown = repr(masked_url(server)) if isinstance(server, str) else f"<{type(server).__name__}>"
        if self.is_foreign:
            return f"RedisRevocation({shown}, layout={self.layout!r}, on_error={self.on_error!r})"
        feed = ", feed=True" if self.feed else ""
        return f"RedisRevocation({shown}, on_error={self.on_error!r}, prefix={self.prefix!r}{feed})"


def _is_positive(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < math.inf


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
