"""How sync stores talk to Redis: over connections of our own for a URL, or through a redis-py client."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol, cast

from redis.cluster import RedisCluster
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError, ResponseError

from ...errors import RevocationUnavailable
from ...revocation import client_kind
from .handles import Client, Cluster, Connection
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
from .sockets import connections_to

__all__ = ["ClientWire", "ClusterWire", "UrlWire", "Wire", "wires_to"]


class Wire(Protocol):
    """Carries queries to the master and brings replies back."""

    def exchange(self, query: Query, until: float, /) -> Sequence[object]:
        """Send a query in one write and read its replies; an error reply is one of them.

        Args:
            query: The commands.
            until: When it must be over, monotonic seconds; a client that was handed in has its own limits.

        Raises:
            RedisError, OSError, UnicodeError: If there is no complete reply of a master.
        """
        ...

    def close(self) -> None:
        """Close the connections that authgate built."""
        ...


class UrlWire:
    """Connections of our own, one for each query that is under way (Law 5.4).

    Args:
        new: Makes new connections.
        limits: How long the server may take.
    """

    def __init__(self, new: Callable[[], Connection], limits: Limits) -> None:
        self._new = new
        self._limits = limits
        self._idle: deque[Connection] = deque()

    def exchange(self, query: Query, until: float, /) -> Sequence[object]:
        """Send a query and read its replies; see ``Wire``."""
        with readable():
            try:
                return self._try(self._idle_one() or self._new(), query, until)
            except Closed:
                # Law 5.4: an idle connection may have been closed long ago; once, on a fresh one.
                return self._try(self._new(), query, until)

    def close(self) -> None:
        """Close every idle connection."""
        while (connection := self._idle_one()) is not None:
            connection.disconnect()

    def _idle_one(self) -> Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _try(self, connection: Connection, query: Query, until: float) -> Sequence[object]:
        try:
            replies = _spoken(connection, (HELLO, *query), self._limits, until)
            check_master(replies[0])
        except BaseException as error:
            # Law 5.4: whatever went wrong, a late reply on this connection would answer the next question.
            connection.disconnect()
            if isinstance(error, LEADS_NOWHERE):
                self.close()
            raise
        self._idle.append(connection)
        return replies[1:]


class ClientWire:
    """A redis-py client for one server, directly or through Sentinel, with the limits of its owner.

    Args:
        client: The client.
        limits: How long to wait for one of its connections.
    """

    def __init__(self, client: Client, limits: Limits) -> None:
        self._client = client
        self._limits = limits
        self._slots = threading.BoundedSemaphore(client.connection_pool.max_connections)

    def exchange(self, query: Query, _until: float, /) -> Sequence[object]:
        """Send a query and read its replies; see ``Wire``."""
        if not self._slots.acquire(timeout=self._limits.total):
            raise RevocationUnavailable("every connection of the Redis client is in use")
        try:
            with readable(), self._client.pipeline(transaction=False) as pipeline:
                for command in (HELLO, *query):
                    pipeline.execute_command(*command)
                replies = complete(pipeline.execute(raise_on_error=False))
            check_master(replies[0])
        except LEADS_NOWHERE:
            # Sentinel, or a name that points elsewhere now, is asked again when the client connects anew.
            self._client.connection_pool.disconnect(inuse_connections=False)
            raise
        finally:
            self._slots.release()
        return replies[1:]

    def close(self) -> None:
        """Do nothing: the client is its owner's."""


class ClusterWire:
    """A redis-py client for a Cluster; it asks the nodes in parallel, and a replica there refuses by itself.

    Args:
        client: The client.
    """

    def __init__(self, client: Cluster) -> None:
        self._client = client

    def exchange(self, query: Query, _until: float, /) -> Sequence[object]:
        """Send a query and read its replies; see ``Wire``."""
        if query == (INFO,):
            return [self._info()]
        with readable(), self._client.pipeline() as pipeline:
            for command in query:
                pipeline.execute_command(*command)
            return complete(pipeline.execute(raise_on_error=False))

    def _info(self) -> object:
        try:
            return self._client.execute_command(*INFO, target_nodes=RedisCluster.PRIMARIES)
        except NoPermissionError as error:  # a reply like any other, where commands go through a pipeline
            return error

    def close(self) -> None:
        """Do nothing: the client is its owner's."""


def wires_to(client_or_url: object, limits: Limits) -> Callable[[], Wire]:
    """What makes ways to the server of a specification that has no problems: one for each process.

    Raises:
        ConfigurationError: If files that a URL names are of no use.
    """
    if isinstance(client_or_url, str):
        new = connections_to(client_or_url)
        return lambda: UrlWire(new, limits)
    if client_kind(client_or_url) == "cluster":
        return lambda: ClusterWire(cast("Cluster", client_or_url))
    return lambda: ClientWire(cast("Client", client_or_url), limits)


def _spoken(connection: Connection, query: Query, limits: Limits, until: float) -> list[object]:
    connection.allow(min(time.monotonic() + limits.connect, until))
    connection.connect()
    connection.allow(min(time.monotonic() + limits.reply, until))
    replies: list[object] = []
    try:
        connection.send_packed_command(connection.pack_commands(query), check_health=False)
        for _ in query:
            try:
                replies.append(connection.read_response())
            except ResponseError as error:
                replies.append(error)
    except RedisConnectionError as error:
        if closed_early(error, replies):
            raise Closed(str(error)) from error
        raise
    return replies
