"""authgate's own layout in Redis: which keys there are, and the one script that writes (Laws 5.9, 5.12).

    {prefix}:epoch                  a random id: this data set is the one that gates have seen before
    {prefix}:{GROUP}:DIGEST         one mark about one subject; GROUP is its (issuer, tenant)
    {prefix}:{{prefix}:epoch}:groups
                                    in a Cluster, the groups that have entries, on the node of the epoch
    {prefix}:{GROUP}:epoch          in a Cluster, the epoch again on the node that holds the group's entries

The braces around GROUP are a Cluster's hash tag, so everything that one request asks about is on one node.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from ...revocation import Mark, Subject, write_mark
from .protocol import Command

__all__ = ["Layout", "swap"]

# Compare and set: what is written was computed from what was read, so no writer loses another's cut-off.
_SWAP: Final = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
if ARGV[3] == '0' then redis.call('SET', KEYS[1], ARGV[2])
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1
"""


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
    def groups(self) -> str:
        """The key of the set of groups that have entries in a Cluster; lost with the epoch or not at all."""
        return f"{self.prefix}:{{{self.epoch}}}:groups"

    def group_epoch(self, group: str) -> str:
        """The key of the epoch beside a group's entries in a Cluster."""
        return f"{self.prefix}:{{{group}}}:epoch"

    def entry(self, group: str, subject: Subject) -> str:
        """The key of the mark about a subject of this group."""
        return f"{self.prefix}:{{{group}}}:{subject.digest()}"


def swap(key: str, held: bytes | None, subject: Subject, mark: Mark, now: float) -> Command:
    """The command that replaces what was read with a mark, and answers 0 if it is there no more.

    Args:
        key: The key of the mark.
        held: What was read.
        subject: What the mark is about.
        mark: What to write.
        now: Unix seconds; a lifetime travels as milliseconds from now, so clocks need not agree.
    """
    life = 0 if mark.expires_at is None else max(1, math.ceil((mark.expires_at - now) * 1000))
    return ("EVAL", _SWAP, 1, key, held or b"", write_mark(subject, mark), life)
