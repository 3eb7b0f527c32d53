"""Whether a port of the user's own fits the gate that is to use it (Law 9.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

from ..ports import is_async

__all__ = ["Colour", "port_problems"]

Colour: TypeAlias = Literal["sync", "async"]

_MEANT: Final = {
    "projects": "StaticProjects.from_file(path), or RemoteProjects(...)",
    "replays": "RedisReplays(url)",
    "revocation": "RedisRevocation(url)",
}
"""What is likely meant by a text."""


def port_problems(setting: str, port: object, method: str, colour: Colour) -> Iterator[str]:
    """What is wrong with a port: a sentence each, with the setting and the fix.

    Args:
        setting: The name under which it was configured.
        port: What was configured.
        method: What a gate calls of it.
        colour: Of the gate: a port is of one colour, and the gate must be of the same.
    """
    name = port.__name__ if isinstance(port, type) else type(port).__name__
    call: object = getattr(port, method, None)
    if isinstance(port, str):
        yield f"{setting}: is a text; give {_MEANT.get(setting, 'an object that knows them')}"
    elif isinstance(port, type):
        yield f"{setting}: {name} is a class; give an instance, such as {name}()"
    elif not callable(call):
        yield f"{setting}: {name} has no method {method}(); see authgate_core.ports"
    elif is_async(call) and colour == "sync":
        yield f"{setting}: {name}.{method} is async; write it with `def` for Gate, or use AsyncGate"
    elif not is_async(call) and colour == "async":
        yield f"{setting}: {name}.{method} is sync; write it with `async def` for AsyncGate, or use Gate"
