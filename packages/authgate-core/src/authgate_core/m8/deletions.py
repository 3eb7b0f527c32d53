"""What the deletion of a user comes to at a gate, and what is told of events that go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from pydantic import TypeAdapter

from ..errors import AuthUnavailable
from ..events import Journal, Notice
from ..gate import AsyncGate, Gate
from ..revocation import server_problems
from .events import DELETED, Unreadable, UserDeleted, read_event

__all__ = ["Cut", "Deletions", "pauses", "subscription_problems"]

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0
_DELETIONS: Final = TypeAdapter(UserDeleted)

_NO_LOG: Final = (
    "gate: a user who was deleted is revoked, and the gate has no source that takes that; give it a second one beside "
    'the blacklist: revocation=[RedisRevocation(..., layout="m8"), RedisRevocation(...)]'
)


class Cut(NamedTuple):
    """What ``revoke_before`` is called with.

    Args:
        moment: Unix seconds.
        subject: The id of the principal.
        issuer: The configured name of the issuer.
    """

    moment: float
    subject: str
    issuer: str


def subscription_problems(
    name: str, gate: Gate | AsyncGate, url: object, issuer: str | None
) -> Iterator[str]:
    """What is wrong with a subscription, a sentence each (Law 1.6)."""
    if not isinstance(url, str):
        yield f"{name}: what is published is heard on a connection of its own; give the URL of the server"
    else:
        yield from server_problems(name, url, "sync", accept_slow=False)
    if not gate.revocations.takes_entries:
        yield _NO_LOG
    names = [one.name for one in gate.config.issuers]
    if issuer not in {None, *names} or (issuer is None and len(names) != 1):
        yield f"issuer: name the one whose users are deleted, of {', '.join(map(repr, names)) or 'none'}"


class Deletions:
    """Whom the deletion of a user is about at a gate, and what an operator is told of events.

    Args:
        gate: The gate.
        issuer: The configured name of the issuer; None for the only one.
    """

    def __init__(self, gate: Gate | AsyncGate, issuer: str | None) -> None:
        (found,) = (one for one in gate.config.issuers if issuer in {None, one.name})
        self.issuer = found.name
        self._namespace = found.mapping.namespace
        self._clock = gate.clock
        self._journal = Journal(gate.config.on_event)
        self._waiting: Cut | None = None

    def read(self, data: bytes) -> Cut | None:
        """What to revoke for what was published, as it is now; None, and that is told, where it is no deletion."""
        try:
            event = read_event(_DELETIONS, data)
        except Unreadable as error:
            self.unreadable(DELETED, error)
            return None
        return Cut(self._clock.now().wall, self._namespace + event.user_id, self.issuer)

    def notice(self, event: Notice) -> None:
        """Tell an operator."""
        self._journal.notice(event)

    def unreadable(self, channel: str, error: Unreadable) -> None:
        """Tell that what was published is no event."""
        text = f"what was published on {channel} is not delivered: {error.reason}"
        self._journal.notice(Notice("event_unreadable", "m8", text, alarm=True))

    def failed(self, channel: str, name: str, error: BaseException) -> None:
        """Tell that a handler raised."""
        text = f"{name} raised {type(error).__name__} at an event of {channel}"
        self._journal.notice(Notice("event_handler_failed", "m8", text, alarm=True), error)

    def waits(self, cut: Cut, outage: AuthUnavailable) -> None:
        """Tell, once for each, that a deletion cannot be written yet."""
        if cut is self._waiting:
            return
        self._waiting = cut
        text = f"a user who was deleted is revoked once that can be written: {outage.reason}"
        self._journal.notice(Notice("event_revocation_waits", "m8", text, alarm=True))


def pauses() -> Iterator[float]:
    """How long to wait before each further try, in seconds."""
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(_LONGEST_PAUSE, 2 * pause)
