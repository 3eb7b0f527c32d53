"""Families of refresh tokens in Redis: of each one token is current, and to use another ends it.

    {prefix}:refresh:FAMILY       a hash: ``sub``, whose it is; ``current``, the serial of the token that may be used
                                  next, or how the family ended

What a token was is decided and changed in one script, so that of many uses at one time one is the first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, cast, get_args

from ...clock import Clock
from ...errors import RevocationUnavailable
from ...events import Notice
from .line import Line, LineTerms
from .line_aio import AsyncLine
from .protocol import Query

__all__ = ["AsyncFamilyStore", "Families", "FamilyStore", "Use", "read_use"]

Use: TypeAlias = Literal["renewed", "stolen", "reused", "revoked", "unknown"]
"""What the use of a token was: good; the first that gave a theft away; a later one; of a family that was ended
otherwise; of none that is kept."""

_USES: Final = frozenset(get_args(Use))

# Redis runs a script whole, and nothing between. A serial is drawn for each call, so that who finds its own as the
# current one has asked before and did not hear the answer: the connection was closed, and it is tried again (Law 5.4).
_RENEW: Final = """
local sub, current = unpack(redis.call('HMGET', KEYS[1], 'sub', 'current'))
if sub ~= ARGV[1] then return 'unknown' end
if current == 'revoked' or current == 'reused' then return current end
if current == ARGV[3] then return 'renewed' end
if current ~= ARGV[2] then
  redis.call('HSET', KEYS[1], 'current', 'reused')
  return 'stolen'
end
redis.call('HSET', KEYS[1], 'current', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 'renewed'
"""

_BEGIN: Final = """
redis.call('HSET', KEYS[1], 'sub', ARGV[1], 'current', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 'renewed'
"""

_END: Final = """
local sub, current = unpack(redis.call('HMGET', KEYS[1], 'sub', 'current'))
if sub ~= ARGV[1] then return 'unknown' end
if current ~= 'reused' then redis.call('HSET', KEYS[1], 'current', 'revoked') end
return 'revoked'
"""

_GRACE: Final = 120.0
"""How long a family is kept after its newest token has expired, in seconds (Law 5.8)."""


@dataclass(frozen=True, slots=True)
class Families:
    """What is asked about families.

    Args:
        prefix: What every key begins with.
        lifetime: How long a token lives, in seconds.
    """

    prefix: str
    lifetime: float

    def begin(self, family: str, sub: str, serial: str) -> Query:
        """Begin a family whose first token has this serial."""
        return self._script(_BEGIN, family, sub, serial, self._life)

    def renew(self, family: str, sub: str, serial: str, new: str) -> Query:
        """Use a token up, and let another serial be the current one."""
        return self._script(_RENEW, family, sub, serial, new, self._life)

    def end(self, family: str, sub: str) -> Query:
        """End a family: none of its tokens may be used any more."""
        return self._script(_END, family, sub)

    @property
    def _life(self) -> int:
        return math.ceil((self.lifetime + _GRACE) * 1000)

    def _script(self, script: str, family: str, *given: str | int) -> Query:
        return (("EVAL", script, 1, f"{self.prefix}:refresh:{family}", *given),)


def read_use(replies: Sequence[object]) -> Use:
    """What the reply of a script says.

    Raises:
        RevocationUnavailable: If it is no such reply.
    """
    (reply,) = replies
    if isinstance(reply, Exception):
        raise RevocationUnavailable(f"Redis refused: {reply}")
    said: object = reply.decode("ascii", "replace") if isinstance(reply, bytes) else reply
    if not isinstance(said, str) or said not in _USES:
        raise RevocationUnavailable("Redis answered something else than was asked")
    return cast("Use", said)


class FamilyStore:
    """Families in Redis or Valkey, for threads and forked processes.

    Args:
        client_or_url: A URL, or a redis-py client, of which nothing is wrong.
        families: What is asked.
        clock: Where the time comes from.
        notice: Told what an operator should know.
    """

    def __init__(
        self, client_or_url: object, families: Families, clock: Clock, notice: Callable[[Notice], None]
    ) -> None:
        self._families = families
        self._line = Line(client_or_url, LineTerms("redis", "refresh_tokens", clock, notice))

    def begin(self, family: str, sub: str, serial: str) -> None:
        """Begin a family; raises RevocationUnavailable if that was not written for certain."""
        read_use(self._line.ask(self._families.begin(family, sub, serial)))

    def renew(self, family: str, sub: str, serial: str, new: str) -> Use:
        """Use a token up, and say what that was; raises RevocationUnavailable if there is no answer."""
        return read_use(self._line.ask(self._families.renew(family, sub, serial, new)))

    def end(self, family: str, sub: str) -> None:
        """End a family; raises RevocationUnavailable if that was not written for certain."""
        read_use(self._line.ask(self._families.end(family, sub)))

    def close(self) -> None:
        """Close the connections that were built from a URL."""
        self._line.close()


class AsyncFamilyStore:
    """``FamilyStore`` for event loops."""

    def __init__(
        self, client_or_url: object, families: Families, clock: Clock, notice: Callable[[Notice], None]
    ) -> None:
        self._families = families
        self._line = AsyncLine(client_or_url, LineTerms("redis", "refresh_tokens", clock, notice))

    async def begin(self, family: str, sub: str, serial: str) -> None:
        """As ``FamilyStore.begin``."""
        read_use(await self._line.ask(self._families.begin(family, sub, serial)))

    async def renew(self, family: str, sub: str, serial: str, new: str) -> Use:
        """As ``FamilyStore.renew``."""
        return read_use(await self._line.ask(self._families.renew(family, sub, serial, new)))

    async def end(self, family: str, sub: str) -> None:
        """As ``FamilyStore.end``."""
        read_use(await self._line.ask(self._families.end(family, sub)))

    async def aclose(self) -> None:
        """Close what was built from a URL for the running loop."""
        await self._line.aclose()
