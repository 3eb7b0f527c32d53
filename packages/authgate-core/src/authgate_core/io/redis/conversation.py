"""What every layout has in common: which conversations a store carries on, and how replies are taken."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from ...errors import RevocationUnavailable
from ...events import Notice
from ...principal import ProjectRef, Revocation, TokenRef
from ...revocation import Mark, Subject
from .protocol import INFO, Exchange, Query, eviction_policy

__all__ = ["Conversation", "Eviction", "LocalMarks", "asked"]


class Conversation(Protocol):
    """What is asked of a store in one layout, whatever its colour."""

    @property
    def eviction(self) -> Eviction:
        """What the server does when its memory is full."""
        ...

    @property
    def lost(self) -> bool:
        """Whether the entries of the store may be lost (Law 5.10)."""
        ...

    def known(self, ref: TokenRef | ProjectRef, /) -> Literal["revoked", "clear", "ask"]:
        """What is known of a credential without asking."""
        ...

    def requires(self, ref: TokenRef | ProjectRef, /) -> bool:
        """Whether a credential passes only while the store has it, so that no outage is passed over (Law 5.3)."""
        ...

    def check(self, ref: TokenRef | ProjectRef) -> Exchange[bool]:
        """Ask whether a credential is revoked: one query once the store was looked at.

        Raises:
            RevocationUnavailable: If the reply proves nothing.
        """
        ...

    def write(self, entry: Revocation) -> Exchange[None]:
        """Write an entry, and return once the server has confirmed it (Law 5.6).

        Raises:
            ConfigurationError: If this layout is only read.
            RevocationUnavailable: If it was not written for certain.
        """
        ...

    def reload(self) -> Exchange[None]:
        """Believe the store again (Law 5.10)."""
        ...

    def ping(self) -> Exchange[None]:
        """Ask whether the store answers at all."""
        ...

    def first_look(self) -> Exchange[object]:
        """See how the store is, before any request asks."""
        ...

    def after_fork(self) -> None:
        """Begin anew in a forked child (Law 9.5)."""
        ...


class LocalMarks(Protocol):
    """What this process knows of a store by itself."""

    def keep(self, subject: Subject, mark: Mark, /) -> None:
        """Keep what was written or answered."""
        ...

    def is_revoked(self, ref: TokenRef | ProjectRef, /) -> bool:
        """Whether that refuses a credential."""
        ...


class Eviction:
    """What the server does when its memory is full; an operator is told if it evicts (Law 5.10).

    Args:
        notice: Told once.
        source: What the store is called.
    """

    def __init__(self, notice: Callable[[Notice], None], source: str) -> None:
        self._notice = notice
        self._source = source
        self._turn = itertools.count()
        self.policy: str | None = None

    def look(self) -> Exchange[None]:
        """Ask once in a process; a server that may not be asked leaves the policy unknown."""
        if next(self._turn):  # one step of the interpreter, so of many threads one is the first
            return
        (info,) = yield (INFO,)
        self.policy = eviction_policy(info)
        if self.policy not in {None, "noeviction"}:
            text = f"maxmemory-policy is {self.policy}: revocations may be dropped for want of memory; set noeviction"
            self._notice(Notice("revocation_eviction", self._source, text))


def asked(query: Query) -> Exchange[Sequence[object]]:
    """The replies to a query, none of which is an error.

    Raises:
        RevocationUnavailable: If one of them is.
    """
    replies = yield query
    for reply in replies:
        if isinstance(reply, Exception):
            raise RevocationUnavailable(f"Redis refused: {reply}")
    return replies
