"""Refusing eight kilobytes that are no token, over the verification of a signature.

What is sent has the header and the signature of a real token and random base64url between them, canonical, so that no
glance at its shape gives it away. ``shapeless`` is as long and has no dots. Each is refused with the error that a
caller would be answered with, and is reported.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from typing import Final

from .issued import Issued, show
from .peers import Verifier, peers, raw
from .rounds import Work, ratios

SIZE: Final = 8192
KEY: Final = "reject_8kb_junk_over_raw"


def measured() -> dict[str, float]:
    """Every key, with what was measured."""
    issued = Issued.by("RS256")
    noise = base64.urlsafe_b64encode(random.Random(8).randbytes(SIZE)).decode()  # noqa: S311 - noise
    header, _, signature = issued.tokens[0].split(".")
    room = SIZE - len(header) - len(signature) - 2
    junk = f"{header}.{noise[: room - room % 4]}.{signature}"
    ours = issued.gate().verify_token
    works = {KEY: _refused(ours, junk), "reject_8kb_shapeless_over_raw": _refused(ours, noise[:SIZE])}
    for name, verify in peers(issued).items():
        works[f"{KEY}_by_{name}"] = _refused(verify, junk)
    return {name: 1 / ratio for name, ratio in ratios(raw(issued), works).items()}


def _refused(verify: Verifier, junk: str) -> Work:
    def work(times: int) -> None:
        for _ in range(times):
            assert _is_refused(verify, junk)

    return work


def _is_refused(verify: Callable[[str], object], junk: str) -> bool:
    try:
        verify(junk)
    except Exception:  # noqa: BLE001 - each library has a tree of its own
        return True
    return False


if __name__ == "__main__":
    show(measured())
