"""What a key ring tells a flow to do about one token: a closed union of values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ..errors import InvalidToken
from ..jose.keys import Key

__all__ = ["Await", "Plan", "Refuse", "Settled", "Unavailable", "Use", "UseAndRefresh"]


@dataclass(frozen=True, slots=True)
class Use:
    """Try these keys: one, or up to four where the token has no kid."""

    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class UseAndRefresh:
    """Try these keys at once, and have the set refreshed in the background (Law 4.3)."""

    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Await:
    """Wait for a refresh, then ask ``KeyRing.settle``.

    Args:
        timeout: How long at most, in seconds.
        unknown_kid: Whether an unknown kid asks while the set has keys (Law 4.10).
    """

    timeout: float
    unknown_kid: bool = False


@dataclass(frozen=True, slots=True)
class Refuse:
    """The token is bad (401).

    Args:
        error: Why.
        refresh: Whether the set is due for a refresh by its age: one that only bad tokens reach must mend.
    """

    error: InvalidToken
    refresh: bool = False


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The keys cannot be had, which says nothing of the token (503, Law 1.5).

    Args:
        reason: Why, for logs.
        retry_after: What is left of the back-off, in seconds (Law 1.8).
    """

    reason: str
    retry_after: float


Settled: TypeAlias = Use | Refuse | Unavailable
Plan: TypeAlias = Settled | UseAndRefresh | Await
