"""Where values that were used are remembered, as frozen values: a gate makes the stores of them."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import KW_ONLY, dataclass
from typing import Final, Literal

from ..revocation import client_kind
from ..revocation.addresses import masked_url, url_problems
from ..revocation.clients import client_problems

__all__ = ["MemoryReplays", "RedisReplays"]

_PREFIX: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_NO_SERVER: Final = "write a URL such as redis://localhost:6379/0, or hand in a redis-py client"


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
        prefix: object = self.prefix
        found = self._server_problems(colour)
        if not isinstance(prefix, str) or _PREFIX.fullmatch(prefix) is None:
            found.append("prefix: write 1 to 64 letters, digits or any of . _ : -, such as 'authgate'")
        return found

    def _server_problems(self, colour: Literal["sync", "async"]) -> list[str]:
        server = self.client_or_url
        if isinstance(server, str):
            found = url_problems(server)
            if importlib.util.find_spec("redis") is None:
                found.append("RedisReplays needs redis-py: pip install 'authgate-core[redis]'")
            return found
        if client_kind(server) is None:
            return [f"RedisReplays got a {type(server).__name__}: {_NO_SERVER}"]
        return client_problems(server, colour, accept_slow=self.accept_slow_client)

    def __repr__(self) -> str:
        server = self.client_or_url
        shown = repr(masked_url(server)) if isinstance(server, str) else f"<{type(server).__name__}>"
        return f"RedisReplays({shown}, prefix={self.prefix!r})"
