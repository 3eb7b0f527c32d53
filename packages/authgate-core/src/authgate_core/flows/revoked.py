"""Whether something that verified was revoked since (Law 5.1)."""

from __future__ import annotations

from typing import Literal, Protocol

from ..clock import Instant
from ..effects import CheckRevoked, Flow
from ..principal import ProjectRef, TokenRef

__all__ = ["Known", "check_revoked"]


class Known(Protocol):
    """The pure door: what this process knows without asking anyone. Nothing in it waits or takes a lock."""

    def known(self, ref: TokenRef | ProjectRef, /) -> Literal["revoked", "clear", "ask"]:
        """What is known of a credential, at this moment."""
        ...

    def edition(self, now: Instant, /) -> object:
        """What is known at this moment, by a name: a token that was clear in an edition is clear in all of it.

        An entry that is added makes another edition, and is there to be found before that is. None where there is
        nothing to go by, so that ``known`` has to be asked.
        """
        ...


def check_revoked(ref: TokenRef | ProjectRef, known: Known) -> Flow[bool]:
    """Answer from memory where that is enough, else ask the sources: at most one effect."""
    answer = known.known(ref)
    if answer == "ask":
        return (yield from CheckRevoked(ref))
    return answer == "revoked"
