"""Whether something that verified was revoked since (Law 5.1)."""

from __future__ import annotations

from typing import Literal, Protocol

from ..effects import CheckRevoked, Flow
from ..principal import ProjectRef, TokenRef

__all__ = ["Known", "check_revoked"]


class Known(Protocol):
    """The pure door: what this process knows without asking anyone. Neither method waits or takes a lock."""

    def names_of(self, ref: TokenRef | ProjectRef, /) -> object:
        """By what names it looks for a credential: made once for a token that is remembered, and kept with it.

        Returns:
            What ``known`` is given back; None where the ref itself is enough to look for.
        """
        ...

    def known(
        self, ref: TokenRef | ProjectRef, names: object = None, /
    ) -> Literal["revoked", "clear", "ask"]:
        """What is known of a credential, at this moment.

        Args:
            ref: The credential.
            names: What ``names_of`` made of it; None to have it made now, where it is needed.
        """
        ...


def check_revoked(ref: TokenRef | ProjectRef, known: Known, names: object = None) -> Flow[bool]:
    """Answer from memory where that is enough, else ask the sources: at most one effect."""
    answer = known.known(ref, names)
    if answer == "ask":
        return (yield from CheckRevoked(ref))
    return answer == "revoked"
