"""Where values that were used are remembered, as frozen values: a gate makes the stores of them."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Literal

from ..revocation import masked_url, prefix_problems, server_problems

__all__ = ["MemoryReplays", "RedisReplays"]


@dataclass(frozen=True, slots=True)
class MemoryReplays:
    """Used values in this process's memory: another process would take each of them once more.

    Args:
        limit: How many are remembered at most; where there are more, requests that bring one are answered 503.
    """

    limit: int = 100_000

    def problems(self, _colour: Literal["sync", "async"]) -> list[str]:
        """What is wrong with it: one sentence, naming the setting and the fix (Law 1.6)."""
        limit: object = self.limit
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            return ["limit: write a positive whole number, such as 100_000"]
        return []


@dataclass(frozen=True, slots=True)
class RedisReplays:
    """Used values in Redis or Valkey, shared by all processes that use the same server and prefix.

    Each is kept for as long as it could be used again, a minute or so. A server that evicts keys forgets some
    earlier: its ``maxmemory-policy`` should be ``noeviction``, as for revocations.

    Args:
        client_or_url: As for ``RedisRevocation``.
        prefix: What every key begins with.
        accept_slow_client: Accept, in writing, a client with time-outs above 1 s or more than one retry.
    """

    client_or_url: object
    _: KW_ONLY
    prefix: str = "authgate"
    accept_slow_client: bool = False

    def problems(self, colour: Literal["sync", "async"]) -> list[str]:
        """What is wrong with it: one sentence each, naming the setting and the fix (Law 1.6).

        Args:
            colour: ``sync`` for ``Gate``, ``async`` for ``AsyncGate``.
        """
        server, slow = self.client_or_url, self.accept_slow_client
        found = server_problems("RedisReplays", server, colour, accept_slow=slow)
        return [*found, *prefix_problems(self.prefix)]

    def __repr__(self) -> str:
        server = self.client_or_url
        shown = repr(masked_url(server)) if isinstance(server, str) else f"<{type(server).__name__}>"
        return f"RedisReplays({shown}, prefix={self.prefix!r})"
