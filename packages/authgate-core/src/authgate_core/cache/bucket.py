"""A token bucket as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["Bucket"]

_RATE: Final = 10.0  # Law 6.6: ten failures a second
_BURST: Final = 10.0


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many failures are still allowed.

    Args:
        level: What was left in it; below zero when calls that were under way together failed.
        at: When, in monotonic seconds.
    """

    level: float = _BURST
    at: float = 0.0

    def drawn(self, mono: float) -> Bucket:
        """The bucket after one more failure."""
        return Bucket(self._level(mono) - 1.0, max(mono, self.at))

    def wait(self, mono: float) -> float:
        """Seconds until another failure is allowed; 0.0 when one is."""
        return max(0.0, (1.0 - self._level(mono)) / _RATE)

    def _level(self, mono: float) -> float:
        return min(_BURST, self.level + _RATE * max(0.0, mono - self.at))
