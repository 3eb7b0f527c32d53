"""Mercury's layout in Redis: others write it, authgate reads it and never writes (Laws 5.3, 5.8, 5.9).

    revoked_token:JTI                     there: the token is revoked
    project_secret_version:PROJECT        the lowest version of a project's secret that is accepted; absent: 0
    project_token:TOKEN_ID                not there: the project token is refused

What else its clients keep there, such as tokens that they have verified, is not looked at: it would let whoever
can write to the store be anyone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Literal

from ...clock import Clock
from ...errors import ConfigurationError, RevocationUnavailable
from ...events import Notice
from ...principal import ProjectRef, Revocation, TokenRef, is_plain_name
from ...revocation import mark_of, secret_version_entry, subject_of, token_entry
from .conversation import Eviction, LocalMarks, asked
from .protocol import Exchange, Query, as_bytes

__all__ = ["MercuryKeeper", "read_version"]

_REVOKED: Final = "revoked_token:"
_VERSION: Final = "project_secret_version:"
_EXISTING: Final = "project_token:"
_NUMBER: Final = re.compile(rb"0|[1-9][0-9]{0,18}")


class MercuryKeeper:
    """The conversations with a store in Mercury's layout.

    Args:
        clock: Where it gets the time from.
        notice: Told what an operator should know.
        source: What the store is called.
        local: Keeps what was seen of entries for the time when the store does not answer; None if unused.
    """

    lost = False

    def __init__(
        self, clock: Clock, notice: Callable[[Notice], None], source: str, *, local: LocalMarks | None
    ) -> None:
        self._clock = clock
        self._local = local
        self.eviction = Eviction(notice, source)

    def known(self, ref: TokenRef | ProjectRef) -> Literal["revoked", "ask"]:
        """Law 5.9: a token without a name that fits in a key could not have been listed, so it is refused."""
        if isinstance(ref, TokenRef):
            fits = ref.has_jti and is_plain_name(ref.name)
        else:
            fits = ref.token_id is None or is_plain_name(ref.token_id)
        return "ask" if fits else "revoked"

    def requires(self, ref: TokenRef | ProjectRef) -> bool:
        """Law 5.3: a project token passes only while it is listed."""
        return isinstance(ref, ProjectRef) and ref.token_id is not None

    def check(self, ref: TokenRef | ProjectRef) -> Exchange[bool]:
        """Ask about a credential that ``known`` lets ask: one query, to at most two nodes of a Cluster (Law 5.12).

        Raises:
            RevocationUnavailable: If the reply proves nothing.
        """
        yield from self.eviction.look()
        if isinstance(ref, TokenRef):
            return (yield from self._check_token(ref))
        return (yield from self._check_project(ref))

    def _check_token(self, ref: TokenRef) -> Exchange[bool]:
        (found,) = yield from asked((("EXISTS", _REVOKED + ref.name),))
        revoked = _is_there(found)
        if revoked:
            self._learn(
                token_entry(
                    ref.issuer,
                    ref.tenant,
                    ref.name,
                    expires_at=ref.expires_at,
                    max_lifetime=None,
                    now=self._clock.now(),
                )
            )
        return revoked

    def _check_project(self, ref: ProjectRef) -> Exchange[bool]:
        query: Query = (("GET", _VERSION + ref.project_id),)
        if ref.token_id is not None:
            query += (("EXISTS", _EXISTING + ref.token_id),)
        replies = yield from asked(query)
        version = read_version(as_bytes(replies[0]))
        if version:
            self._learn(secret_version_entry(ref.project_id, version))
        if ref.secret_version < version:
            return True
        return ref.token_id is not None and not _is_there(replies[1])

    def write(self, entry: Revocation) -> Exchange[None]:
        """Refuse to: entries are Mercury's to write.

        Raises:
            ConfigurationError: Always.
        """
        raise ConfigurationError(
            f"revocation: Mercury's layout is read-only; a {entry.kind} is revoked there"
        )

    def reload(self) -> Exchange[None]:
        """Do nothing: there is no epoch by which a loss would be known."""
        yield from ()

    def ping(self) -> Exchange[None]:
        """Ask whether the store answers at all, with what every check needs the permission for."""
        yield from asked((("EXISTS", _REVOKED),))

    def first_look(self) -> Exchange[None]:
        """See that the store answers, and what it does when its memory is full."""
        yield from self.ping()
        yield from self.eviction.look()

    def after_fork(self) -> None:
        """Do nothing: it holds no lock."""

    def _learn(self, entry: Revocation) -> None:
        if self._local is not None:
            self._local.keep(subject_of(entry), mark_of(entry))


def read_version(value: bytes | None) -> int:
    """The secret version in a key of Mercury's; 0 where there is none.

    Raises:
        RevocationUnavailable: If it is anything but a whole number as Redis writes them.
    """
    if value is None:
        return 0
    if _NUMBER.fullmatch(value) is None:
        raise RevocationUnavailable("a secret version in the store is not a whole number")
    return int(value)


def _is_there(found: object) -> bool:
    """What a reply to ``EXISTS`` about one key says."""
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= 1:
        raise RevocationUnavailable("Redis answered something else than was asked")
    return found == 1
