"""What is said to a Redis server, how its replies read, and how long it may take (Law 5.4)."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar, cast

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, RedisClusterException, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

__all__ = [
    "FAILURES",
    "HELLO",
    "INFO",
    "LEADS_NOWHERE",
    "LIMITS",
    "Closed",
    "Command",
    "Exchange",
    "Limits",
    "NotTheMaster",
    "Query",
    "as_bytes",
    "as_list",
    "check_master",
    "closed_early",
    "complete",
    "eviction_policy",
    "is_cluster",
    "readable",
    "unanswered",
]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a server may take, in seconds, where authgate builds the connections (Law 5.4).

    Args:
        connect: To connect, encrypt and log in.
        reply: For the whole reply.
        total: For all of it, the one retry included.
    """

    connect: float = 0.25
    reply: float = 0.1
    total: float = 0.3


LIMITS: Final = Limits()
"""The limits of every gate."""

Command: TypeAlias = tuple[str | bytes | int, ...]
Query: TypeAlias = tuple[Command, ...]
"""Commands that go out in one write."""

T = TypeVar("T")
Exchange: TypeAlias = Generator[Query, Sequence[object], T]
"""A conversation without a colour: yields queries and is sent their replies, errors among them."""

HELLO: Final[Command] = ("HELLO",)
"""Says the server's role, and needs no permission: every user may say hello."""

INFO: Final[Command] = ("INFO", "memory")

FAILURES: Final = (RedisError, RedisClusterException, OSError, UnicodeError)
"""How an exchange fails; a reply in a client's own encoding may not be text."""

_MISREAD: Final = (ValueError, TypeError, OverflowError, RecursionError)
"""What redis-py's parsers and hiredis raise over replies that are none: a length of 60 digits, a map of lists."""

_POLICY: Final = re.compile(rb"^maxmemory_policy:([a-z-]+)", re.MULTILINE)


def unanswered(error: BaseException) -> str:
    """Why there is no answer, for logs."""
    said = str(error)
    return f"Redis does not answer: {type(error).__name__}{f': {said}' if said else ''}"


class Closed(RedisConnectionError):
    """The connection was closed before any reply: the one failure that is tried again (Law 5.4)."""


class NotTheMaster(RedisError):
    """The server is a replica, which may not know the newest entries (Law 5.10)."""


LEADS_NOWHERE: Final = (NotTheMaster, RedisTimeoutError, TimeoutError)
"""How a connection fails that says nothing good of those beside it: they lead where it led.

Kept for later, each would cost a request its time, and after five the probes: after a firewall forgot them, hundreds
of idle connections would keep the breaker open for minutes, though a new one is answered (Law 5.5).
"""


def closed_early(error: RedisConnectionError, replies: Sequence[object]) -> bool:
    """Whether the connection was closed before any reply; a subclass is something that a server said."""
    return type(error) is RedisConnectionError and not replies


@contextmanager
def readable() -> Generator[None]:
    """Take what redis-py cannot read for no answer: of a MOVED without a port, say, it raises ``ValueError``.

    Raises:
        InvalidResponse: Where something in the block raises one; a reply in a client's own encoding that is no
            text is among ``FAILURES`` as it is.
    """
    try:
        yield
    except UnicodeError:
        raise
    except _MISREAD as error:
        raise InvalidResponse(f"a reply cannot be read: {error}") from error


def complete(replies: Sequence[object]) -> Sequence[object]:
    """The replies, unless one of them is no reply: redis-py puts the failure of a Cluster's node among them."""
    for reply in replies:
        if isinstance(reply, Exception) and not isinstance(reply, ResponseError):
            raise reply
    return replies


def check_master(reply: object) -> None:
    """Check the reply to ``HELLO``: a mapping, or a flat list before RESP3.

    Raises:
        RedisError: If it does not come from a master.
    """
    if isinstance(reply, Exception):
        raise reply
    fields = _fields(reply)
    if as_bytes(fields.get(b"role", fields.get("role"))) != b"master":
        raise NotTheMaster("the server is not a master; entries are never read from a replica")


def is_cluster(reply: object) -> bool:
    """Whether the reply to ``HELLO`` comes from a node of a Cluster, though it may be the only one."""
    fields = _fields(reply)
    return as_bytes(fields.get(b"mode", fields.get("mode"))) == b"cluster"


def eviction_policy(reply: object) -> str | None:
    """The eviction policy in a reply to ``INFO memory``; of several servers, one that evicts."""
    if isinstance(reply, (str, bytes)):
        found = _POLICY.search(as_bytes(reply) or b"")
        return None if found is None else found.group(1).decode("ascii")
    if not isinstance(reply, Mapping):
        return None
    fields = _fields(cast("object", reply))
    if "maxmemory_policy" in fields:
        return str(fields["maxmemory_policy"])
    known = [policy for policy in map(eviction_policy, fields.values()) if policy is not None]
    return next((policy for policy in known if policy != "noeviction"), known[0] if known else None)


def as_bytes(reply: object) -> bytes | None:
    """A string reply as bytes, whether or not the client decodes; None for nil.

    Raises:
        InvalidResponse: If it is neither.
    """
    if reply is None or isinstance(reply, bytes):
        return reply
    if isinstance(reply, str):
        return reply.encode("utf-8")
    raise InvalidResponse(f"a string was expected, not {type(reply).__name__}")


def as_list(reply: object) -> list[object]:
    """A reply of several; empty for any other."""
    return list(cast("Iterable[object]", reply)) if isinstance(reply, (list, set, tuple)) else []


def _fields(reply: object) -> dict[str | bytes, object]:
    if isinstance(reply, Mapping):
        return dict(cast("Mapping[str | bytes, object]", reply))
    flat = as_list(reply)
    pairs = zip(flat[::2], flat[1::2], strict=False)
    return {name: value for name, value in pairs if isinstance(name, (str, bytes))}
