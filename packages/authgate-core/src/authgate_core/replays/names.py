"""What a value that may be used once is remembered by."""

from __future__ import annotations

import hashlib
from typing import Final

__all__ = ["REMEMBERED_LONGER", "once_name"]

REMEMBERED_LONGER: Final = 30.0
"""How much longer than it is good a used value is remembered, in seconds: a request is judged by the moment at which it
came, and may have waited for keys or for an endpoint before it uses the value up."""


def once_name(purpose: str, *parts: str) -> bytes:
    """The SHA-256 of what the value is for and of all that tells it from others, each behind its length.

    Args:
        purpose: What it is for, so that nothing used up for one purpose counts for another.
        parts: Who made it, and the value itself.
    """
    encoded = (part.encode("utf-8", "surrogatepass") for part in (purpose, *parts))
    return hashlib.sha256(b"".join(b"%d:%b;" % (len(part), part) for part in encoded)).digest()
