"""What a remembered token takes: the bytes that a gate holds once it has verified ten thousand, for each of them.

All that it holds is counted, tables included. Every token is of another user and session.
"""

from __future__ import annotations

import gc
import tracemalloc
from typing import Final

from .issued import Issued, show

TOKENS: Final = 10_000
"""As many as are remembered by default."""


def measured() -> dict[str, float]:
    """Every key, with what was measured."""
    issued = Issued.by("ES256")  # what is remembered does not depend on it, and it signs fast
    issued.gate().verify_token(issued.token(TOKENS))
    tracemalloc.start()
    before = _held()
    gate = issued.gate()
    for number in range(TOKENS):
        gate.verify_token(issued.token(number))
    return {"cached_bytes_per_token": (_held() - before) / TOKENS}


def _held() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


if __name__ == "__main__":
    show(measured())
