"""What is wrong with a Redis that things are kept in, and with the names of their keys."""

from __future__ import annotations

import importlib.util
import re
from typing import Final, Literal

from .addresses import url_problems
from .clients import client_problems

__all__ = ["prefix_problems", "server_problems"]

_PREFIX: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")


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
    return client_problems(owner, server, colour, accept_slow=accept_slow)


def prefix_problems(prefix: object, setting: str = "prefix") -> list[str]:
    """What is wrong with what every key begins with, under the name that it is configured by."""
    if isinstance(prefix, str) and _PREFIX.fullmatch(prefix) is not None:
        return []
    return [f"{setting}: write 1 to 64 letters, digits or any of . _ : -, such as 'authgate'"]
