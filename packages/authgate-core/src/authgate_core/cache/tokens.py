"""Tokens that were verified, for a minute: a table that is read and written without a lock (Law 7.1).

What is kept lies in a fixed number of slots; the index only says in which one to look. A slot names the token that
it is for, so whatever threads do to the index at the same moment, a reader finds its own token or none. Nothing
here is lost to a ``fork()``: what was verified is as true in the child.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar, final

__all__ = ["VerifiedTokens"]

KEPT_FOR: Final = 60.0
"""How long a token is remembered at most, in seconds; what it says of its own end is judged at every hit."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    """What fills a slot.

    Args:
        digest: What names the token.
        until: Until when it is remembered, in monotonic seconds.
        value: What was found.
    """

    digest: bytes = field(repr=False)
    until: float
    value: T


@final
class VerifiedTokens(Generic[T]):
    """Remembers what verification found, by the SHA-256 of the whole token and never by the token.

    When all slots are taken, a hand goes round and gives each that was hit since its last visit a second chance.

    Args:
        size: How many tokens are remembered at most.
    """

    __slots__ = ("_hand", "_index", "_slots", "_used")

    def __init__(self, size: int) -> None:
        self._index: dict[bytes, int] = {}
        self._slots: list[_Kept[T] | None] = [None] * size
        self._used = bytearray(size)
        self._hand = 0

    def recall(self, digest: bytes, mono: float) -> T | None:
        """What was found of this token, if that is remembered still.

        Args:
            digest: What names the token.
            mono: The present moment, in monotonic seconds.
        """
        slot = self._index.get(digest)
        if slot is None:
            return None
        kept = self._slots[slot]
        if kept is None or kept.digest != digest or mono >= kept.until:
            return None
        self._used[slot] = 1
        return kept.value

    def keep(self, digest: bytes, value: T, mono: float) -> None:
        """Remember what was found of a token.

        Args:
            digest: What names the token.
            value: What was found.
            mono: When, in monotonic seconds.
        """
        slot = self._slot_of(digest)
        if slot is None:
            slot = self._vacated(mono)
        self._slots[slot] = _Kept(digest, mono + KEPT_FOR, value)
        self._used[slot] = 0
        self._index[digest] = slot
        if len(self._index) > len(self._slots):  # threads met, and left names behind that no slot has
            self._index = {kept.digest: place for place, kept in enumerate(self._slots) if kept is not None}

    def _slot_of(self, digest: bytes) -> int | None:
        slot = self._index.get(digest)
        kept = None if slot is None else self._slots[slot]
        return slot if kept is not None and kept.digest == digest else None

    def _vacated(self, mono: float) -> int:
        slot = self._next(mono)
        last = self._slots[slot]
        if last is not None and self._index.get(last.digest) == slot:
            self._index.pop(last.digest, None)
        return slot

    def _next(self, mono: float) -> int:
        slot = self._hand
        for _ in self._slots:  # once round at most: after that nobody has a chance left
            if not self._is_wanted(slot, mono):
                break
            self._used[slot] = 0
            slot = (slot + 1) % len(self._slots)
        self._hand = (slot + 1) % len(self._slots)
        return slot

    def _is_wanted(self, slot: int, mono: float) -> bool:
        kept = self._slots[slot]
        return kept is not None and mono < kept.until and self._used[slot] == 1

    def __len__(self) -> int:
        return len(self._index)

    def __repr__(self) -> str:
        return f"VerifiedTokens({len(self)} of {len(self._slots)})"
