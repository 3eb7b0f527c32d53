"""The blacklist of an m8 in Redis: it writes, authgate reads and never writes (Laws 5.8, 5.9).

jwt:blacklist:JTI                     there: the token is revoked
"""

from __future__ import annotations

from typing import Literal

from ...principal import ProjectRef, TokenRef, is_plain_name
from .foreign import ForeignKeeper
from .protocol import Exchange

__all__ = ["M8Keeper"]


class M8Keeper(ForeignKeeper):
    """The conversations with a store in m8's layout."""

    owner = "m8"
    listed = "jwt:blacklist:"

    def known(self, ref: TokenRef | ProjectRef) -> Literal["revoked", "clear", "ask"]:
        """Law 5.9: a token without a name that fits in a key is refused; of projects nothing is ever listed."""
        if isinstance(ref, ProjectRef):
            return "clear"
        return "ask" if ref.has_jti and is_plain_name(ref.name) else "revoked"

    def requires(self, _ref: TokenRef | ProjectRef, /) -> bool:
        """Nothing passes only while it is there."""
        return False

    def check(self, ref: TokenRef | ProjectRef) -> Exchange[bool]:
        """Ask about a credential that ``known`` lets ask: one query.

        Raises:
            RevocationUnavailable: If the reply proves nothing.
        """
        yield from self.eviction.look()
        return isinstance(ref, TokenRef) and (yield from self.check_token(ref))
