"""What is wrong with a Redis that somebody else than a revocation source keeps things in."""

from __future__ import annotations

import importlib.util
import re
from typing import Final, Literal

from .addresses import url_problems
from .clients import client_kind, client_problems

__all__ = ["prefix_problems", "server_problems"]

_PREFIX: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_NO_SERVER: Final = "write a URL such as redis://localhost:6379/0, or hand in a redis-py client"


def server_problems(
    owner: str, server: object, colour: Literal["sync", "async"], *, accept_slow: bool
) -> list[str]:
    """What is wrong with a URL or a client: one sentence each, naming the fix (Laws 1.6, 5.4, 9.4).

    Args:
        owner: Who was given it.
        server: What was given.
        colour: Of whoever asks it.
        accept_slow: Whether a client with long time-outs was accepted in writing.
    """
    if isinstance(server, str):
        found = url_problems(server)
        if importlib.util.find_spec("redis") is None:
            found.append(f"{owner} needs redis-py: pip install 'authgate-core[redis]'")
        return found
    if client_kind(server) is None:
        return [f"{owner} got a {type(server).__name__}: {_NO_SERVER}"]
    return client_problems(server, colour, accept_slow=accept_slow)


def prefix_problems(prefix: object) -> list[str]:
    """What is wrong with what every key begins with."""
    if isinstance(prefix, str) and _PREFIX.fullmatch(prefix) is not None:
        return []
    return ["prefix: write 1 to 64 letters, digits or any of . _ : -, such as 'authgate'"]
