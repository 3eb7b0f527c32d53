"""What endpoints said of credentials lately: a yes and a no, each for a while and few enough (Laws 7.3, 7.4).

Tables are read and written without a lock, as ``tokens`` says. An answer is as old as its question, and the one
whose question is later counts: a yes that was long on its way never replaces a newer no.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Generic, TypeVar, final

from ..clock import Instant
from .tokens import VerifiedTokens

__all__ = ["Answers", "Remembered"]

_SHORTEST_KEY: Final = 16
_MOST: Final = 10_000

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Remembered(Generic[T]):
    """One answer; ``until`` and ``was_hit`` are notes of the table that has it.

    Args:
        value: What a yes says; None for a no.
        asked: When the question was put, in monotonic seconds.
    """

    value: T | None
    asked: float
    until: float = 0.0
    was_hit: bool = False


@final
class Answers(Generic[T]):
    """Remembers the answers of one endpoint, under one configuration, and never what was asked about.

    Args:
        hash_key: At least 16 random bytes, new for each process, that key the hashes of what is presented.
        asked_of: What names the endpoint and the configuration that its answers are judged by; it is in every key.
        positive: How many a yes is remembered of at most.
        negative: The same of a no, so that made-up credentials drive out no good ones.

    Raises:
        ValueError: If ``hash_key`` is too short.
    """

    __slots__ = ("_named", "_no", "_yes")

    def __init__(self, hash_key: bytes, *asked_of: str, positive: int = _MOST, negative: int = _MOST) -> None:
        if len(hash_key) < _SHORTEST_KEY:
            raise ValueError(f"a hash key has at least {_SHORTEST_KEY} bytes, not {len(hash_key)}")
        self._named = hashlib.blake2b(key=hash_key, digest_size=32)
        for text in asked_of:
            self._named.update(_part(text))
        self._yes = VerifiedTokens[Remembered[T]](positive)
        self._no = VerifiedTokens[Remembered[T]](negative)

    def key(self, *presented: str) -> bytes:
        """What names a question here: a keyed hash of endpoint, configuration and credential."""
        digest = self._named.copy()
        for text in presented:
            digest.update(_part(text))
        return digest.digest()

    def recall(self, key: bytes, now: Instant) -> Remembered[T] | None:
        """What was answered, if that still counts."""
        refused = self._no.recall(key, now.mono)
        return self._yes.recall(key, now.mono) if refused is None else refused

    def keep(self, key: bytes, value: T, lasts: float, *, asked: Instant, now: Instant) -> None:
        """Remember a yes, unless there is a no to a later question.

        Args:
            key: What names the question.
            value: What the yes says.
            lasts: How long it counts from the question on, in seconds.
            asked: When the question was put.
            now: The present moment.
        """
        refused = self._no.recall(key, now.mono)
        rest = asked.mono + lasts - now.mono
        if rest > 0.0 and (refused is None or refused.asked < asked.mono):
            self._yes.keep(key, Remembered(value, asked.mono), now.mono, rest)
            self._end(self._no.recall(key, now.mono), asked)

    def refuse(self, key: bytes, lasts: float, *, asked: Instant, now: Instant) -> None:
        """Remember a no, unless there is a yes to a later question; arguments as for ``keep``."""
        granted = self._yes.recall(key, now.mono)
        rest = asked.mono + lasts - now.mono
        if granted is None or granted.asked <= asked.mono:
            self._end(granted, asked)
            if rest > 0.0:
                self._no.keep(key, Remembered(None, asked.mono), now.mono, rest)

    def _end(self, other: Remembered[T] | None, asked: Instant) -> None:
        """End an answer that a later question made worthless."""
        if other is not None and other.asked <= asked.mono:
            other.until = other.asked

    def __repr__(self) -> str:
        return f"Answers({len(self._yes)} good, {len(self._no)} refused)"


def _part(text: str) -> bytes:
    """A text with its length, so that two texts never read as two others."""
    part = text.encode("utf-8", "surrogatepass")
    return len(part).to_bytes(8) + part
