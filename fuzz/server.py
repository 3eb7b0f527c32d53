"""A Redis server that has said all that it will, behind the very connections and parsers that gates use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar, cast

from redis.backoff import NoBackoff
from redis.connection import Connection, ConnectionPool
from redis.retry import Retry

from authgate_core.errors import RevocationUnavailable
from authgate_core.io.redis import handles
from authgate_core.io.redis.protocol import FAILURES, LIMITS, Exchange
from authgate_core.io.redis.wire import UrlWire

__all__ = ["EPOCH", "HELLO", "INFO", "NIL", "bulk", "heard"]

T = TypeVar("T")

_SETTINGS: Final = handles.url_settings("redis://127.0.0.1:1", ConnectionPool, Retry(NoBackoff(), 0))

HELLO: Final = b"*2\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"
EPOCH: Final = b"$4\r\nabcd\r\n"
INFO: Final = b"$27\r\nmaxmemory_policy:noeviction\r\n"
NIL: Final = b"$-1\r\n"
"""What a server says of itself, its epoch, its memory, and of what is not there."""


def bulk(text: bytes) -> bytes:
    """A string, as a server sends it."""
    return b"$%d\r\n%s\r\n" % (len(text), text)


class _Recorded:
    """A socket on which a server has said these bytes and hung up."""

    def __init__(self, said: bytes) -> None:
        self._said = said

    def recv(self, size: int) -> bytes:
        """The next of the bytes."""
        chunk, self._said = self._said[:size], self._said[size:]
        return chunk

    def recv_into(self, buffer: bytearray) -> int:
        """The same, into a buffer."""
        chunk = self.recv(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def sendall(self, data: bytes) -> None:
        """Nobody listens."""

    def settimeout(self, seconds: float | None) -> None:
        """Nobody waits."""

    def shutdown(self, how: int) -> None:
        """Nothing is open."""

    def close(self) -> None:
        """Nothing is open."""


class _Connection(Connection):
    """A connection to a server that has said all that it will."""

    said = b""

    def allow(self, until: float) -> None:
        """Nobody waits."""

    def _connect(self) -> _Recorded:
        return _Recorded(self.said)


def heard(exchange: Exchange[T], said: bytes, parser: type) -> T | None:
    """What a conversation comes to; None where the server has not answered, as a store would say."""

    def new() -> handles.Connection:
        connection = connections(**_SETTINGS, parser_class=parser)
        connection.said = said
        return cast("handles.Connection", connection)

    connections: Any = _Connection  # redis-py leaves its constructor untyped

    wire = UrlWire(new, LIMITS)
    try:
        query = next(exchange)
        while True:
            replies: Sequence[object] = wire.exchange(query, float("inf"))
            query = exchange.send(replies)
    except StopIteration as done:
        return cast("T", done.value)
    except (RevocationUnavailable, *FAILURES):
        return None
    finally:
        wire.close()
