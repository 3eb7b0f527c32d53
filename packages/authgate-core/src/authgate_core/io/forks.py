"""What holds a lock or a connection replaces it in a forked child (Law 9.5)."""

from __future__ import annotations

import os
import weakref
from typing import Final, Protocol

__all__ = ["Forkable", "survive_fork"]


class Forkable(Protocol):
    """Something that knows how to begin anew in a forked child."""

    def after_fork(self) -> None:
        """Replace every lock, connection and probe of the parent; other threads do not exist yet."""
        ...


_alive: Final[weakref.WeakSet[Forkable]] = weakref.WeakSet()


def survive_fork(thing: Forkable) -> None:
    """Have ``thing.after_fork()`` called in every child forked from now on, while ``thing`` lives."""
    _alive.add(thing)


def _in_child() -> None:
    for thing in list(_alive):
        thing.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
