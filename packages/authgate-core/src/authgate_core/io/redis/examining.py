"""Looking at a Redis server as a physician does: patiently, from outside, and without leaving anything there."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from redis.exceptions import NoPermissionError

from .layout import Layout
from .protocol import FAILURES, INFO, LIMITS, Command, Limits, eviction_policy, unanswered
from .wire import Wire, wires_to

__all__ = ["REPLY_LIMIT", "RedisExam", "examine", "feed_probes", "read_probes", "write_probes"]

REPLY_LIMIT: Final = LIMITS.reply
"""How long a gate waits for a reply, in seconds (Law 5.4)."""
_PATIENT: Final = Limits(connect=2.0, reply=2.0, total=5.0)
_PINGS: Final = 5
_NOBODY: Final = "authgate-doctor"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisExam:
    """How a server is.

    Args:
        error: Why it does not answer; None where it does.
        seconds: How long the middle one of a few questions took, in seconds.
        policy: What it does when its memory is full; None where it may not be asked.
        refused: The commands that its user may not run, of those that were tried.
        epoch: Whether somebody has begun to keep revocations there.
    """

    error: str | None = None
    seconds: float = 0.0
    policy: str | None = None
    refused: frozenset[str] = frozenset()
    epoch: bool = False


def read_probes(prefix: str) -> tuple[Command, ...]:
    """What a gate that checks asks in authgate's own layout, about nothing."""
    key = f"{prefix}:{_NOBODY}"
    return ("GET", key), ("MGET", key), ("EXISTS", key)


def write_probes(prefix: str) -> tuple[Command, ...]:
    """What a gate that revokes runs there; nothing is written, for the key to be replaced is not there."""
    key = f"{prefix}:{_NOBODY}"
    return ("SET", key, "", "XX"), ("EVAL", "return redis.call('EXISTS', KEYS[1])", 1, key)


def feed_probes(prefix: str) -> tuple[Command, ...]:
    """What a gate that follows the feed asks besides."""
    layout = Layout(prefix)
    return (
        ("SCAN", "0", "MATCH", layout.entries, "COUNT", 1),
        ("PTTL", layout.epoch),
        ("XREVRANGE", layout.feed, "+", "-", "COUNT", 1),
        ("XREAD", "COUNT", 1, "STREAMS", layout.feed, "$"),
        ("HMGET", layout.head, "era"),
    )


def examine(client_or_url: object, probes: Sequence[Command], prefix: str) -> RedisExam:
    """Look at a server.

    Args:
        client_or_url: A URL or a sync redis-py client, of which nothing is wrong.
        probes: Commands to try, each for whether the user may run it.
        prefix: What the keys of revocations begin with.
    """
    wire = wires_to(client_or_url, _PATIENT)()
    try:
        seconds = sorted(_timed(wire) for _ in range(_PINGS))[_PINGS // 2]
        (info,) = _asked(wire, INFO)
        (epoch,) = _asked(wire, ("GET", Layout(prefix).epoch))
        refused = frozenset(str(probe[0]) for probe in probes if _is_refused(_asked(wire, probe)[0]))
    except FAILURES as error:
        return RedisExam(error=unanswered(error))
    finally:
        wire.close()
    is_there = epoch is not None and not isinstance(epoch, Exception)
    return RedisExam(seconds=seconds, policy=eviction_policy(info), refused=refused, epoch=is_there)


def _timed(wire: Wire) -> float:
    began = time.monotonic()
    _asked(wire, ("PING",))
    return time.monotonic() - began


def _asked(wire: Wire, command: Command) -> Sequence[object]:
    return wire.exchange((command,), time.monotonic() + _PATIENT.total)


def _is_refused(reply: object) -> bool:
    return isinstance(reply, NoPermissionError)
