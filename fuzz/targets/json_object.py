"""The JSON of tokens, key sets and answers: read as every reader reads it, or refused (Laws 3.1, 3.11)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from authgate_core.errors import MalformedToken
from authgate_core.jose.compact import Limits, parse_object

from ..honest import hostile_payloads
from ..target import hold

__all__ = ["probe", "seeds"]

_LIMITS: Final = Limits()


def probe(data: bytes) -> None:
    """What is read says what the bytes say, and can be written and read again."""
    try:
        found = parse_object(data, _LIMITS)
    except MalformedToken:
        return
    written = json.dumps(found, ensure_ascii=False, allow_nan=False).encode("utf-8")
    hold("it is what the standard library reads", kept=json.loads(data.decode("utf-8")) == found)
    hold("it is read again as it was", kept=parse_object(written, Limits(depth=_LIMITS.depth)) == found)
    hold(
        "no object repeats a member", kept=_members(data.decode("utf-8")) == _members(written.decode("utf-8"))
    )


def _members(text: str) -> int:
    count = 0

    def counted(pairs: list[tuple[str, object]]) -> dict[str, object]:
        nonlocal count
        count += len(pairs)
        return dict(pairs)

    json.loads(text, object_pairs_hook=counted)
    return count


def seeds() -> Iterator[bytes]:
    """The payloads of hostile tokens and of their twins."""
    yield b'{"a":[1,-2.5e3,true,null,"\\u00e9\\ud83d\\ude00"],"b":{"c":{}}}'
    yield from hostile_payloads()
