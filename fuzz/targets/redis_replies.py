"""What a Redis server sends back, byte by byte, in either layout (Laws 3.11, 5.3, 5.10)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from redis._parsers import _HiredisParser, _RESP2Parser

from authgate_core.clock import SystemClock
from authgate_core.events import Notice
from authgate_core.io.redis.keeper import Keeper
from authgate_core.io.redis.layout import Layout
from authgate_core.io.redis.mercury import MercuryKeeper
from authgate_core.principal import ProjectRef, TokenRef
from authgate_core.revocation import Mark, subjects_of, write_mark

from ..server import EPOCH, HELLO, INFO, NIL, bulk, heard
from ..target import hold

__all__ = ["probe", "seeds"]

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


def probe(data: bytes) -> None:
    """Whatever a server says: revoked, not revoked, or no answer."""
    nobody: list[Notice] = []
    own = Keeper(Layout("authgate"), SystemClock(), nobody.append, cluster=False, local=None)
    cluster = Keeper(Layout("authgate"), SystemClock(), nobody.append, cluster=True, local=None)
    mercury = MercuryKeeper(SystemClock(), nobody.append, "redis:mercury", local=None)
    for keeper in (own, cluster, mercury):
        for ref, parser in ((_TOKEN, _HiredisParser), (_PROJECT, _HiredisParser), (_TOKEN, _RESP2Parser)):
            answer = heard(keeper.check(ref), data, parser)
            hold("an answer is yes or no", kept=answer is None or isinstance(answer, bool))


_REPLICA: Final = b"*2\r\n$4\r\nrole\r\n$7\r\nreplica\r\n"


def seeds() -> Iterator[bytes]:
    """Conversations that are right, and broken off, and with somebody else."""
    looked = HELLO + EPOCH + HELLO + INFO
    for ref in (_TOKEN, _PROJECT):
        subjects = subjects_of(ref)
        mark = bulk(write_mark(subjects[0], Mark(version=2)))
        head, rest = b"*%d\r\n" % (len(subjects) + 1) + EPOCH, NIL * (len(subjects) - 1)
        for there, first in ((1, NIL), (2, mark), (2, NIL), (2, bulk(b"[2]"))):
            yield looked + HELLO + b":%d\r\n" % there + head + first + rest
    yield HELLO + INFO + HELLO + b":1\r\n"
    yield HELLO + INFO + HELLO + b"$1\r\n3\r\n:0\r\n"
    yield _REPLICA + EPOCH
    yield HELLO + b"-LOADING Redis is loading the dataset in memory\r\n"
    yield b"-NOAUTH Authentication required.\r\n" * 2
    yield b"-MOVED 3999 127.0.0.1:6381\r\n"
    yield b"-MOVED 3999 127.0.0.1:none\r\n"
    yield (
        b"%1\r\n$4\r\nrole\r\n$6\r\nmaster\r\n" + b"_\r\n#t\r\n,1.5\r\n(99999999999999999999\r\n~1\r\n:1\r\n"
    )
    yield b"HTTP/1.1 400 Bad Request\r\n\r\n"
