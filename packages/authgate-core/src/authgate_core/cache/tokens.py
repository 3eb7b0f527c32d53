"""Tokens that were verified, for a minute: a table that is read and written without a lock (Law 7.1).

The index says what was found of a token; a fixed number of slots says which tokens it may hold. Threads that meet
may leave a token in the index that no slot has, which is swept out when the index outgrows the slots, or a slot
whose token is not in the index, which is as good as free. Nobody ever finds what is another's, for the index is
asked by the whole digest. Nothing here is lost to a ``fork()``: what was verified is as true in the child.
"""

from __future__ import annotations

from typing import Final, Generic, Protocol, TypeVar, final

__all__ = ["Remembered", "VerifiedTokens"]

KEPT_FOR: Final = 60.0
"""How long a token is remembered at most, in seconds; what it says of its own end is judged at every hit."""


class Remembered(Protocol):
    """What can be remembered: it has room for what the table notes of it.

    Attributes:
        until: Until when it is remembered, in monotonic seconds.
        was_hit: Whether it was asked for since the hand last came by.
    """

    until: float
    was_hit: bool


T = TypeVar("T", bound=Remembered)


@final
class VerifiedTokens(Generic[T]):
    """Remembers what verification found, by the SHA-256 of the whole token and never by the token.

    When all slots are taken, a hand goes round and gives each that was hit since its last visit a second chance.

    Args:
        size: How many tokens are remembered at most.
    """

    __slots__ = ("_hand", "_index", "_slots")

    def __init__(self, size: int) -> None:
        self._index: dict[bytes, T] = {}
        self._slots: list[bytes | None] = [None] * size
        self._hand = 0

    def recall(self, digest: bytes, mono: float) -> T | None:
        """What was found of this token, if that is remembered still.

        Args:
            digest: What names the token.
            mono: The present moment, in monotonic seconds.
        """
        found = self._index.get(digest)
        if found is None or mono >= found.until:
            return None
        found.was_hit = True
        return found

    def keep(self, digest: bytes, found: T, mono: float, lasts: float = KEPT_FOR) -> None:
        """Remember what was found of a token.

        Args:
            digest: What names the token.
            found: What was found; no other token has it.
            mono: When, in monotonic seconds.
            lasts: For how long, in seconds.
        """
        found.until, found.was_hit = mono + lasts, False
        if digest not in self._index:
            self._slots[self._vacated(mono)] = digest
        self._index[digest] = found
        if len(self._index) > len(self._slots):
            self._sweep()

    def _vacated(self, mono: float) -> int:
        slot = self._hand
        for _ in self._slots:  # once round at most: after that nobody has a chance left
            last = self._found_in(slot)
            if last is None or mono >= last.until or not last.was_hit:
                break
            last.was_hit = False
            slot = (slot + 1) % len(self._slots)
        self._hand = (slot + 1) % len(self._slots)
        digest = self._slots[slot]
        if digest is not None:
            self._index.pop(digest, None)
        return slot

    def _found_in(self, slot: int) -> T | None:
        digest = self._slots[slot]
        return None if digest is None else self._index.get(digest)

    def _sweep(self) -> None:
        """Leave in the index what a slot has: when threads meet, one may take the slot that another just took."""
        pairs = ((digest, self._found_in(slot)) for slot, digest in enumerate(self._slots))
        self._index = {digest: found for digest, found in pairs if digest is not None and found is not None}

    def __len__(self) -> int:
        return len(self._index)

    def __repr__(self) -> str:
        return f"VerifiedTokens({len(self)} of {len(self._slots)})"
