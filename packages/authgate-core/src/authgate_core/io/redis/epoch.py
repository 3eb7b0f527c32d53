"""Whether the data set is still the one that this process has seen before (Law 5.10)."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ...errors import RevocationUnavailable
from ...events import Notice

__all__ = ["EpochWatch"]

_LOST = (
    "the entries of the store may be lost: its epoch is missing or another; write them again, "
    "then call gate.revocations.reload() in every process, or restart them"
)


class EpochWatch:
    """Remembers the epoch that this process saw first; believes the store no more once it is another.

    A store that lost its entries would answer "not revoked" to everything. It counts as reloaded when
    ``reload()`` is called in this process, which an operator does after writing the entries again, or when it
    starts anew.

    Args:
        notice: Told once when the entries are lost.
    """

    def __init__(self, notice: Callable[[Notice], None]) -> None:
        self._notice = notice
        self._lock = threading.Lock()
        self._epoch: bytes | None = None
        self.lost = False

    def remembered(self) -> bytes | None:
        """The epoch of the first look, or None before it.

        Raises:
            RevocationUnavailable: If the entries are lost.
        """
        if self.lost:
            raise RevocationUnavailable(_LOST)
        return self._epoch

    def begin(self, found: bytes) -> bool:
        """Remember what a first look found; of several at the same time all must find the same.

        Returns:
            Whether this was the first of them.

        Raises:
            RevocationUnavailable: If it found another epoch than the first of them.
        """
        with self._lock:
            first = self._epoch is None
            expected = found if self._epoch is None else self._epoch
            self._epoch = expected
        self.require(found, expected)
        return first

    def require(self, found: bytes | None, expected: bytes) -> None:
        """Check the epoch that came with an answer against what was remembered when the question went out.

        Raises:
            RevocationUnavailable: If it is missing or another; from then on always, until reloaded.
        """
        if found == expected:
            return
        with self._lock:
            # A question that went out before a reload says nothing about the store after it.
            first = self._epoch == expected and not self.lost
            self.lost = self.lost or first
        if first:
            self._notice(Notice("revocation_epoch_lost", "redis", _LOST, alarm=True))
        raise RevocationUnavailable(_LOST)

    def reload(self, found: bytes) -> None:
        """Believe the store again, from this epoch on."""
        with self._lock:
            self._epoch = found
            self.lost = False

    def after_fork(self) -> None:
        """Take a new lock; what was remembered still holds."""
        self._lock = threading.Lock()
