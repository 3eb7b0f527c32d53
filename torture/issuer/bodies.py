"""Bodies that are sent piece by piece, so that nothing large is ever held here."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ["Dripping", "Endless", "Large", "packed"]

PIECE: Final = b" " * 65_536


@dataclass(frozen=True, slots=True)
class Large:
    """A right document with so much white space behind it that it is this large.

    Args:
        document: The document.
        size: In bytes.
    """

    document: object
    size: int

    def __iter__(self) -> Iterator[bytes]:
        head = json.dumps(self.document).encode()
        rest = self.size - len(head)
        yield head
        for _ in range(rest // len(PIECE)):
            yield PIECE
        yield PIECE[: rest % len(PIECE)]


@dataclass(frozen=True, slots=True)
class Endless:
    """A right document, and then white space without end.

    Args:
        document: The document.
        pause: Seconds between two pieces of 64 KiB, so that whoever reads it all does not fill the machine.
    """

    document: object
    pause: float = 0.02

    def __iter__(self) -> Iterator[bytes]:
        yield json.dumps(self.document).encode()
        while True:
            yield PIECE
            time.sleep(self.pause)


@dataclass(frozen=True, slots=True)
class Dripping:
    """A right document, a byte a second.

    Args:
        document: The document.
    """

    document: object

    def __iter__(self) -> Iterator[bytes]:
        for byte in json.dumps(self.document).encode():
            yield bytes([byte])
            time.sleep(1)


def packed(document: object, size: int) -> bytes:
    """A right document with white space behind it, compressed (RFC 1952): a thousandth of what it becomes.

    Args:
        document: The document.
        size: What it becomes, in bytes.
    """
    packing = zlib.compressobj(wbits=31)
    pieces = [packing.compress(piece) for piece in Large(document, size)]
    return b"".join([*pieces, packing.flush()])
