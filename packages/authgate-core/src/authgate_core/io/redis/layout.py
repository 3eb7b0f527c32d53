"""authgate's own layout in Redis: which keys there are, and the one script that writes (Laws 5.9, 5.11, 5.12).

    {prefix}:epoch                  a random id: this data set is the one that gates have seen before
    {prefix}:{GROUP}:DIGEST         one mark about one subject; GROUP is its (issuer, tenant)
    {prefix}:feed                   but in a Cluster, a stream of the newest marks that were written
    {prefix}:feed:head              what names its newest entry, and counts them all
    {prefix}:{{prefix}:epoch}:groups
                                    in a Cluster, the groups that have entries, on the node of the epoch
    {prefix}:{GROUP}:epoch          in a Cluster, the epoch again on the node that holds the group's entries

The braces around GROUP are a Cluster's hash tag, so everything that one request asks about is on one node.
"""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from typing import Final

from ...revocation import Mark, Subject, write_mark
from .protocol import Command

__all__ = ["Layout", "begin", "swap"]

# Compare and set: what is written was computed from what was read, so no writer loses another's cut-off. The feed is
# told first, so that a mark which it was not told of is not there either. What somebody else left where the feed
# belongs stops no revocation: another feed is begun, and whoever followed the old one sees that. What is there is
# written once more before anything is deleted, which fails where nothing can be written.
_BEGIN: Final = """
local function begin(feed, head, era)
  if redis.call('HSETNX', head, 'era', era) == 1 then
    redis.call('DEL', feed)
    redis.call('HSET', head, 'number', 0, 'last', '')
  end
end
"""
_SWAP: Final = f"""{_BEGIN}
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
local function tell()
  begin(KEYS[2], KEYS[3], ARGV[4])
  local era, number, last = unpack(redis.call('HMGET', KEYS[3], 'era', 'number', 'last'))
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], '*', 'tag', ARGV[4], 'era', era,
    'number', number + 1, 'after', last, 'life', ARGV[3], 'mark', ARGV[2])
  redis.call('HSET', KEYS[3], 'number', number + 1, 'last', ARGV[4])
end
if #KEYS > 1 and not pcall(tell) then
  redis.call('SET', KEYS[1], ARGV[1], 'XX', 'KEEPTTL')
  redis.call('DEL', KEYS[2], KEYS[3])
  tell()
end
if ARGV[3] == '0' then redis.call('SET', KEYS[1], ARGV[2])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1
"""

_FEED_LENGTH: Final = 10_000
"""How many entries of the feed are kept, about: who has not read one by the time it leaves loads a snapshot."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The names of keys; no text of a caller is in any of them.

    Args:
        prefix: What every key begins with.
    """

    prefix: str

    @property
    def epoch(self) -> str:
        """The key of the epoch."""
        return f"{self.prefix}:epoch"

    @property
    def feed(self) -> str:
        """The key of the feed."""
        return f"{self.prefix}:feed"

    @property
    def head(self) -> str:
        """The key of what names the newest entry of the feed."""
        return f"{self.prefix}:feed:head"

    @property
    def entries(self) -> str:
        """The pattern that the keys of all marks match, and in a Cluster a few others."""
        return f"{self.prefix}:{{*}}:*"

    @property
    def groups(self) -> str:
        """The key of the set of groups that have entries in a Cluster; lost with the epoch or not at all."""
        return f"{self.prefix}:{{{self.epoch}}}:groups"

    def group_epoch(self, group: str) -> str:
        """The key of the epoch beside a group's entries in a Cluster."""
        return f"{self.prefix}:{{{group}}}:epoch"

    def entry(self, group: str, subject: Subject) -> str:
        """The key of the mark about a subject of this group."""
        return f"{self.prefix}:{{{group}}}:{subject.digest()}"


def begin(feed: Layout) -> Command:
    """The command that begins the feed, if nobody did: its era then has a name, which no later one has (Law 5.11)."""
    return (
        "EVAL",
        f"{_BEGIN}begin(KEYS[1], KEYS[2], ARGV[1])",
        2,
        feed.feed,
        feed.head,
        secrets.token_hex(8),
    )


def swap(
    key: str, held: bytes | None, subject: Subject, mark: Mark, now: float, feed: Layout | None
) -> Command:
    """The command that replaces what was read with a mark, and answers 0 if it is there no more.

    Args:
        key: The key of the mark.
        held: What was read.
        subject: What the mark is about.
        mark: What to write.
        now: Unix seconds; a lifetime travels as milliseconds from now, so clocks need not agree.
        feed: Whose feed is told of it; None in a Cluster, where no transaction reaches it (Law 5.11).
    """
    life = 0 if mark.expires_at is None else max(1, math.ceil((mark.expires_at - now) * 1000))
    keys = (key,) if feed is None else (key, feed.feed, feed.head)
    told = () if feed is None else (secrets.token_hex(8), _FEED_LENGTH)
    return ("EVAL", _SWAP, len(keys), *keys, held or b"", write_mark(subject, mark), life, *told)
