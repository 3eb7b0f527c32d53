"""Paths to claims as settings write them, and what stands there (Laws 3.9, 3.11)."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

from authgate_core.principal import MISSING, as_path, resolve

from ..target import hold

__all__ = ["probe", "seeds"]


def probe(data: bytes) -> None:
    """The first line is a path; the rest is JSON, if it is."""
    head, _, rest = data.decode("utf-8", "surrogateescape").partition("\n")
    try:
        path = as_path(head)
    except ValueError:
        hold("only a path with an empty part is refused", kept="" in head.split("."))
        return
    hold("a path is written as it is read", kept=str(path) == head and as_path(str(path)) == path)
    claims: object = None
    with contextlib.suppress(ValueError, RecursionError):
        claims = json.loads(rest)
    if isinstance(claims, dict):
        found = resolve(claims, path)
        plain: object = claims
        for part in path.parts:
            plain = plain.get(part, MISSING) if isinstance(plain, dict) else MISSING
        hold("what is found stands there", kept=found is plain)


def seeds() -> Iterator[bytes]:
    """Paths and claims."""
    yield b'realm_access.roles\n{"realm_access":{"roles":["a"]}}'
    yield b'https://id.test/roles\n{"https://id.test/roles":[]}'
    yield b'sub.uuid\n{"sub":"u1"}'
    yield b"a..b\n{}"
    yield b".\n{}"
