"""What layouts of others have in common: authgate reads them and never writes (Laws 5.8, 5.9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from ...clock import Clock
from ...errors import ConfigurationError, RevocationUnavailable
from ...events import Notice
from ...principal import Revocation, TokenRef
from ...revocation import mark_of, subject_of, token_entry
from .conversation import Eviction, LocalMarks, asked
from .protocol import Exchange

__all__ = ["ForeignKeeper", "is_there"]


class ForeignKeeper:
    """The conversations that are the same whoever owns the entries.

    Args:
        clock: Where it gets the time from.
        notice: Told what an operator should know.
        source: What the store is called.
        local: Keeps what was seen of entries for the time when the store does not answer; None if unused.
    """

    lost = False
    owner: ClassVar[str] = ""
    """Whose entries they are."""
    listed: ClassVar[str] = ""
    """What the key of a token that is revoked begins with; its ``jti`` follows."""

    def __init__(
        self, clock: Clock, notice: Callable[[Notice], None], source: str, *, local: LocalMarks | None
    ) -> None:
        self._clock = clock
        self._local = local
        self.eviction = Eviction(notice, source)

    def write(self, entry: Revocation) -> Exchange[None]:
        """Refuse to: entries are their owner's to write.

        Raises:
            ConfigurationError: Always.
        """
        raise ConfigurationError(
            f"revocation: {self.owner}'s layout is read-only; a {entry.kind} is revoked there"
        )

    def reload(self) -> Exchange[None]:
        """Do nothing: there is no epoch by which a loss would be known."""
        yield from ()

    def ping(self) -> Exchange[None]:
        """Ask whether the store answers at all, with what every check needs the permission for."""
        yield from asked((("EXISTS", self.listed),))

    def first_look(self) -> Exchange[None]:
        """See that the store answers, and what it does when its memory is full."""
        yield from self.ping()
        yield from self.eviction.look()

    def after_fork(self) -> None:
        """Do nothing: it holds no lock."""

    def check_token(self, ref: TokenRef) -> Exchange[bool]:
        """Ask whether a token is listed."""
        (found,) = yield from asked((("EXISTS", self.listed + ref.name),))
        revoked = is_there(found)
        if revoked:
            now = self._clock.now()
            expires_at = ref.expires_at
            self.learn(
                token_entry(
                    ref.issuer, ref.tenant, ref.name, expires_at=expires_at, max_lifetime=None, now=now
                )
            )
        return revoked

    def learn(self, entry: Revocation) -> None:
        """Keep what was seen of an entry."""
        if self._local is not None:
            self._local.keep(subject_of(entry), mark_of(entry))


def is_there(found: object) -> bool:
    """What a reply to ``EXISTS`` about one key says.

    Raises:
        RevocationUnavailable: If it is no such reply.
    """
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= 1:
        raise RevocationUnavailable("Redis answered something else than was asked")
    return found == 1
