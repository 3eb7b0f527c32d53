"""How async stores talk to Redis: the ways of ``wire``, for one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, Protocol, cast
from urllib.parse import urlsplit

from redis.asyncio import (
    Connection,
    ConnectionPool,
    RedisCluster,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError, ResponseError

from ...errors import ConfigurationError
from ...revocation import client_kind
from .handles import AsyncClient, AsyncCluster, AsyncConnection, url_settings
from .protocol import (
    HELLO,
    INFO,
    LEADS_NOWHERE,
    Closed,
    Limits,
    Query,
    check_master,
    closed_early,
    complete,
    readable,
)
from .tls import UsesTls, prepare_tls

__all__ = [
    "FOREIGN_LOOP",
    "AsyncClientWire",
    "AsyncClusterWire",
    "AsyncUrlWire",
    "AsyncWire",
    "async_wires_to",
]


_KINDS: Mapping[str, Callable[..., object]] = {
    "redis": Connection,
    "rediss": SSLConnection,
    "unix": UnixDomainSocketConnection,
}
_AT_ONCE: Final = 4
FOREIGN_LOOP: Final = (
    "revocation: the Redis client that was handed in belongs to another event loop; "
    "hand in a URL, or build the client in the loop that uses the gate"
)


class AsyncWire(Protocol):
    """``wire.Wire`` for asyncio."""

    @property
    def at_once(self) -> int:
        """How many exchanges may be under way."""
        ...

    async def exchange(self, query: Query, until: float, /) -> Sequence[object]:
        """Send a query and read its replies; ``until`` is in the loop's time. See ``wire.Wire``."""
        ...

    async def aclose(self) -> None:
        """Close the connections that authgate built."""
        ...


class AsyncUrlWire:
    """Connections of our own, one for each query that is under way (Law 5.4).

    Args:
        new: Makes new connections.
        limits: How long the server may take.
    """

    at_once = _AT_ONCE

    def __init__(self, new: Callable[[], AsyncConnection], limits: Limits) -> None:
        self._new = new
        self._limits = limits
        self._idle: list[AsyncConnection] = []

    async def exchange(self, query: Query, until: float, /) -> Sequence[object]:
        """Send a query and read its replies; see ``wire.Wire``."""
        with readable():
            try:
                return await self._try(self._idle.pop() if self._idle else self._new(), query, until)
            except Closed:
                # Law 5.4: an idle connection may have been closed long ago; once, on a fresh one.
                return await self._try(self._new(), query, until)

    async def aclose(self) -> None:
        """Close every idle connection."""
        while self._idle:
            await self._idle.pop().disconnect(nowait=True)

    async def _try(self, connection: AsyncConnection, query: Query, until: float, /) -> Sequence[object]:
        try:
            replies = await _spoken(connection, (HELLO, *query), self._limits, until)
            check_master(replies[0])
        except BaseException as error:
            # Law 5.4: whatever went wrong, or if cancelled, a late reply would answer the next question.
            await connection.disconnect(nowait=True)
            if isinstance(error, LEADS_NOWHERE):
                await self.aclose()
            raise
        self._idle.append(connection)
        return replies[1:]


class AsyncClientWire:
    """A redis-py client for one server, directly or through Sentinel, with the limits of its owner.

    Args:
        client: The client.
    """

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        # One more is wanted now and then, and the client's owner may use the rest.
        self.at_once = max(1, min(_AT_ONCE, client.connection_pool.max_connections - 1))

    async def exchange(self, query: Query, _until: float, /) -> Sequence[object]:
        """Send a query and read its replies; see ``wire.Wire``."""
        try:
            with readable():
                async with self._client.pipeline(transaction=False) as pipeline:
                    for command in (HELLO, *query):
                        pipeline.execute_command(*command)
                    replies = complete(await pipeline.execute(raise_on_error=False))
            check_master(replies[0])
        except LEADS_NOWHERE:
            # Sentinel, or a name that points elsewhere now, is asked again when the client connects anew.
            await self._client.connection_pool.disconnect(inuse_connections=False)
            raise
        except RuntimeError as error:
            raise ConfigurationError(FOREIGN_LOOP) from error
        return replies[1:]

    async def aclose(self) -> None:
        """Do nothing: the client is its owner's."""


class AsyncClusterWire:
    """A redis-py client for a Cluster; it asks the nodes in parallel, and a replica there refuses by itself.

    Args:
        client: The client.
    """

    at_once = _AT_ONCE

    def __init__(self, client: AsyncCluster) -> None:
        self._client = client

    async def exchange(self, query: Query, _until: float, /) -> Sequence[object]:
        """Send a query and read its replies; see ``wire.Wire``."""
        try:
            if query == (INFO,):
                return [await self._info()]
            with readable():
                async with self._client.pipeline() as pipeline:
                    for command in query:
                        pipeline.execute_command(*command)
                    return complete(await pipeline.execute(raise_on_error=False))
        except RuntimeError as error:
            raise ConfigurationError(FOREIGN_LOOP) from error

    async def _info(self) -> object:
        try:
            return await self._client.execute_command(*INFO, target_nodes=RedisCluster.PRIMARIES)
        except NoPermissionError as error:  # a reply like any other, where commands go through a pipeline
            return error

    async def aclose(self) -> None:
        """Do nothing: the client is its owner's."""


def async_wires_to(client_or_url: object, limits: Limits) -> Callable[[], AsyncWire]:
    """What makes ways to the server of a specification that has no problems: one for each loop.

    Raises:
        ConfigurationError: If files that a URL names are of no use.
    """
    if isinstance(client_or_url, str):
        new = _connections_to(client_or_url)
        return lambda: AsyncUrlWire(new, limits)
    if client_kind(client_or_url) == "cluster":
        return lambda: AsyncClusterWire(cast("AsyncCluster", client_or_url))
    return lambda: AsyncClientWire(cast("AsyncClient", client_or_url))


def _connections_to(url: str) -> Callable[[], AsyncConnection]:
    """What makes new connections to the server of a URL, not connected yet."""
    scheme = urlsplit(url).scheme
    kind = _KINDS[scheme]
    tls = prepare_tls(url) if scheme == "rediss" else None
    settings = url_settings(url, ConnectionPool, Retry(NoBackoff(), 0))

    def make() -> AsyncConnection:
        connection = kind(**settings)
        if tls is not None:
            cast("UsesTls", connection).ssl_context = tls
        return cast("AsyncConnection", connection)

    return make


async def _spoken(connection: AsyncConnection, query: Query, limits: Limits, until: float) -> list[object]:
    clock = asyncio.get_running_loop().time
    if not connection.is_connected:
        async with _ended_at(min(clock() + limits.connect, until)):
            await connection.connect()
    replies: list[object] = []
    try:
        async with _ended_at(min(clock() + limits.reply, until)):
            await connection.send_packed_command(connection.pack_commands(query), check_health=False)
            for _ in query:
                try:
                    replies.append(await connection.read_response())
                except ResponseError as error:
                    replies.append(error)
    except RedisConnectionError as error:
        if closed_early(error, replies):
            raise Closed(str(error)) from error
        raise
    return replies


@asynccontextmanager
async def _ended_at(when: float) -> AsyncGenerator[None]:
    """``asyncio.timeout_at``, but what has arrived while the loop was late may still be read.

    A loop that was blocked past the moment finds the reply and the end of its time in one turn; the end is put off
    to the next, which only whoever still waits then sees.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as limit:
        due = loop.call_at(when, lambda: limit.reschedule(loop.time()))
        try:
            yield
        finally:
            due.cancel()
