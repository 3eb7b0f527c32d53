"""What a Redis server sends back, byte by byte, in either layout (Laws 3.11, 5.3, 5.10)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeVar, cast

from redis._parsers import _HiredisParser, _RESP2Parser
from redis.backoff import NoBackoff
from redis.connection import Connection, ConnectionPool
from redis.retry import Retry

from authgate_core.clock import SystemClock
from authgate_core.errors import RevocationUnavailable
from authgate_core.events import Notice
from authgate_core.io.redis import handles
from authgate_core.io.redis.keeper import Keeper
from authgate_core.io.redis.layout import Layout
from authgate_core.io.redis.mercury import MercuryKeeper
from authgate_core.io.redis.protocol import FAILURES, LIMITS, Exchange
from authgate_core.io.redis.wire import UrlWire
from authgate_core.principal import ProjectRef, TokenRef

from ..target import hold

__all__ = ["probe", "seeds"]

T = TypeVar("T")

_SETTINGS: Final = handles.url_settings("redis://127.0.0.1:1", ConnectionPool, Retry(NoBackoff(), 0))
_TOKEN: Final = TokenRef(
    issuer="id",
    tenant=None,
    name="t1",
    has_jti=True,
    session_id="s1",
    subject="u1",
    client_id="web",
    issued_at=1.8e9,
    auth_time=None,
    expires_at=1.9e9,
    kid="key-1",
)
_PROJECT: Final = ProjectRef("shop", 1, "p1")


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


def probe(data: bytes) -> None:
    """Whatever a server says: revoked, not revoked, or no answer."""
    nobody: list[Notice] = []
    own = Keeper(Layout("authgate"), SystemClock(), nobody.append, cluster=False, local=None)
    cluster = Keeper(Layout("authgate"), SystemClock(), nobody.append, cluster=True, local=None)
    mercury = MercuryKeeper(SystemClock(), nobody.append, "redis:mercury", local=None)
    for keeper in (own, cluster, mercury):
        for ref, parser in ((_TOKEN, _HiredisParser), (_PROJECT, _HiredisParser), (_TOKEN, _RESP2Parser)):
            answer = _answer(keeper.check(ref), data, parser)
            hold("an answer is yes or no", kept=answer is None or isinstance(answer, bool))


def _answer(exchange: Exchange[T], said: bytes, parser: type) -> T | None:
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


_HELLO: Final = b"*2\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"
_REPLICA: Final = b"*2\r\n$4\r\nrole\r\n$7\r\nreplica\r\n"
_EPOCH: Final = b"$4\r\nabcd\r\n"
_INFO: Final = b"$27\r\nmaxmemory_policy:noeviction\r\n"


def seeds() -> Iterator[bytes]:
    """Conversations that are right, and broken off, and with somebody else."""
    mark = b"[1,null,null,null,0,null]"
    nils, marked = b"$-1\r\n" * 5, b"$%d\r\n%s\r\n" % (len(mark), mark) + b"$-1\r\n" * 4
    looked = _HELLO + _EPOCH + _HELLO + _INFO
    yield looked + _HELLO + b":1\r\n*6\r\n" + _EPOCH + nils
    yield looked + _HELLO + b":2\r\n*6\r\n" + _EPOCH + marked
    yield looked + _HELLO + b":6\r\n*6\r\n" + _EPOCH + nils
    yield _HELLO + _INFO + _HELLO + b":1\r\n"
    yield _HELLO + _INFO + _HELLO + b"$1\r\n3\r\n:0\r\n"
    yield _REPLICA + _EPOCH
    yield _HELLO + b"-LOADING Redis is loading the dataset in memory\r\n"
    yield b"-NOAUTH Authentication required.\r\n" * 2
    yield b"-MOVED 3999 127.0.0.1:6381\r\n"
    yield b"-MOVED 3999 127.0.0.1:none\r\n"
    yield (
        b"%1\r\n$4\r\nrole\r\n$6\r\nmaster\r\n" + b"_\r\n#t\r\n,1.5\r\n(99999999999999999999\r\n~1\r\n:1\r\n"
    )
    yield b"HTTP/1.1 400 Bad Request\r\n\r\n"
