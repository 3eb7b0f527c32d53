"""What is used of redis-py, with types: its own methods of these names have none."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self, cast

from .protocol import Query

__all__ = [
    "AsyncClient",
    "AsyncCluster",
    "AsyncConnection",
    "AsyncPipeline",
    "AsyncPool",
    "Client",
    "Cluster",
    "Connection",
    "Pipeline",
    "Pool",
    "url_settings",
]


class Connection(Protocol):
    """A sync connection whose waits end at one moment; see ``sockets``."""

    def allow(self, until: float) -> None:
        """Let every wait end at this moment, monotonic seconds."""
        ...

    def connect(self) -> None:
        """Connect and log in, unless that is done."""
        ...

    def disconnect(self) -> None:
        """Close the connection."""
        ...

    def pack_commands(self, commands: Query) -> Sequence[bytes]:
        """Encode commands."""
        ...

    def send_packed_command(self, command: Sequence[bytes], *, check_health: bool) -> None:
        """Send encoded commands."""
        ...

    def read_response(self, *, disconnect_on_error: bool = True) -> object:
        """Read one reply; an error reply is raised."""
        ...


class Pipeline(Protocol):
    """Commands that go out in one write."""

    def execute_command(self, *command: str | bytes | int) -> object:
        """Add a command."""
        ...

    def execute(self, *, raise_on_error: bool) -> Sequence[object]:
        """Send the commands and read the replies."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Pool(Protocol):
    """A client's connections."""

    max_connections: int

    def disconnect(self, *, inuse_connections: bool) -> None:
        """Close the idle connections, or all."""
        ...


class Client(Protocol):
    """``redis.Redis``."""

    connection_pool: Pool

    def pipeline(self, *, transaction: bool) -> Pipeline:
        """A new pipeline."""
        ...


class Cluster(Protocol):
    """``redis.cluster.RedisCluster``."""

    def execute_command(self, *command: str | bytes | int, target_nodes: str) -> object:
        """Run a command on some of the nodes."""
        ...

    def pipeline(self) -> Pipeline:
        """A new pipeline."""
        ...


class AsyncConnection(Protocol):
    """``redis.asyncio.Connection``."""

    is_connected: bool

    async def connect(self) -> None:
        """Connect and log in, unless that is done."""
        ...

    async def disconnect(self, *, nowait: bool) -> None:
        """Close the connection."""
        ...

    def pack_commands(self, commands: Query) -> Sequence[bytes]:
        """Encode commands."""
        ...

    async def send_packed_command(self, command: Sequence[bytes], *, check_health: bool) -> None:
        """Send encoded commands."""
        ...

    async def read_response(self) -> object:
        """Read one reply; an error reply is raised."""
        ...


class AsyncPipeline(Protocol):
    """``Pipeline`` for asyncio."""

    def execute_command(self, *command: str | bytes | int) -> object:
        """Add a command."""
        ...

    async def execute(self, *, raise_on_error: bool) -> Sequence[object]:
        """Send the commands and read the replies."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class AsyncPool(Protocol):
    """``Pool`` for asyncio."""

    max_connections: int

    async def disconnect(self, *, inuse_connections: bool) -> None:
        """Close the idle connections, or all."""
        ...


class AsyncClient(Protocol):
    """``redis.asyncio.Redis``."""

    connection_pool: AsyncPool

    def pipeline(self, *, transaction: bool) -> AsyncPipeline:
        """A new pipeline."""
        ...


class AsyncCluster(Protocol):
    """``redis.asyncio.RedisCluster``."""

    async def execute_command(self, *command: str | bytes | int, target_nodes: str) -> object:
        """Run a command on some of the nodes."""
        ...

    def pipeline(self) -> AsyncPipeline:
        """A new pipeline."""
        ...


class _PoolOfUrl(Protocol):
    connection_kwargs: dict[str, object]


class _PoolMaker(Protocol):
    def from_url(self, url: str, **settings: object) -> _PoolOfUrl: ...


def url_settings(url: str, pools: object, retry: object) -> dict[str, object]:
    """What a connection to the server of a URL is built with.

    RESP2 without naming the library, so that connecting needs no round trip unless there is a password or a
    database; and none of redis-py's retries and time-outs, which would hold a request for seconds (Law 5.4).

    Args:
        url: The URL of the server.
        pools: ``ConnectionPool`` of the colour, which knows how to read a URL.
        retry: A ``Retry`` of the colour that does not retry.
    """
    maker = cast("_PoolMaker", pools)
    pool = maker.from_url(url, protocol=2, driver_info=None, retry=retry, socket_timeout=None)
    return dict(pool.connection_kwargs)
