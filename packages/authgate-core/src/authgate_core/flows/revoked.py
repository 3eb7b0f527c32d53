"""Whether something that verified was revoked since (Law 5.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from ..effects import CheckRevoked, Flow
from ..principal import ProjectRef, TokenRef

__all__ = ["Known", "check_revoked"]

Known: TypeAlias = Callable[[TokenRef | ProjectRef], Literal["revoked", "clear", "ask"]]
"""The pure door: what this process knows without asking anyone."""


def check_revoked(ref: TokenRef | ProjectRef, known: Known) -> Flow[bool]:
    """Answer from memory where that is enough, else ask the sources: at most one effect."""
    answer = known(ref)
    if answer == "ask":
        return (yield from CheckRevoked(ref))
    return answer == "revoked"
