"""Mercury's layout in Redis: others write it, authgate reads it and never writes (Laws 5.3, 5.8, 5.9).

    revoked_token:JTI                     there: the token is revoked
    project_secret_version:PROJECT        the lowest version of a project's secret that is accepted; absent: 0
    project_token:TOKEN_ID                not there: the project token is refused

What else its clients keep there, such as tokens that they have verified, is not looked at: it would let whoever
can write to the store be anyone.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from ...errors import RevocationUnavailable
from ...principal import ProjectRef, TokenRef, is_plain_name
from ...revocation import secret_version_entry
from .conversation import asked
from .foreign import ForeignKeeper, is_there
from .protocol import Exchange, Query, as_bytes

__all__ = ["MercuryKeeper", "read_version"]

_VERSION: Final = "project_secret_version:"
_EXISTING: Final = "project_token:"
_NUMBER: Final = re.compile(rb"0|[1-9][0-9]{0,18}")


class MercuryKeeper(ForeignKeeper):
    """The conversations with a store in Mercury's layout."""

    owner = "Mercury"
    listed = "revoked_token:"

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
            return (yield from self.check_token(ref))
        return (yield from self._check_project(ref))

    def _check_project(self, ref: ProjectRef) -> Exchange[bool]:
        query: Query = (("GET", _VERSION + ref.project_id),)
        if ref.token_id is not None:
            query += (("EXISTS", _EXISTING + ref.token_id),)
        replies = yield from asked(query)
        version = read_version(as_bytes(replies[0]))
        if version:
            self.learn(secret_version_entry(ref.project_id, version))
        if ref.secret_version < version:
            return True
        return ref.token_id is not None and not is_there(replies[1])


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
