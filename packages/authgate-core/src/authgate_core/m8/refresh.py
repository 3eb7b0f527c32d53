"""Refresh tokens of an m8: what they must be, and which one comes next. Nothing here waits."""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from ..clock import Instant
from ..errors import InvalidClaim, TokenRevoked
from ..jose.claims import TokenRules
from ..jose.compact import Limits, parse_header, split_object
from ..jose.keys import Key, UnusableKeys, key_from_secret
from ..jose.verify import verify
from ..principal import is_uuid
from ..secret import Secret

__all__ = ["NextToken", "Presented", "RefreshRules"]

_ALGORITHMS: Final = frozenset({"HS256"})
_JTI: Final = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{32})")
_BYTES: Final = 16
_LONGEST: Final = 366 * 86400.0
_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class NextToken:
    """What the next refresh token has to say; to sign it is the issuer's.

    Args:
        sub: Whose it is.
        jti: What names it: the family and a serial.
        exp: When it expires, Unix seconds.
        replaces: The ``jti`` of the token that was used up; None for the first of a family.
    """

    sub: str
    jti: str
    exp: int
    replaces: str | None = None

    def claims(self) -> dict[str, str | int]:
        """The claims of the token; others may stand beside them."""
        return {"type": "refresh", "sub": self.sub, "jti": self.jti, "exp": self.exp}


class Presented(NamedTuple):
    """A refresh token that was verified; whether it was used before is not known yet.

    Args:
        sub: Whose it is.
        jti: What names it.
        family: The family that it says to be of.
        serial: Which one of them it is.
    """

    sub: str
    jti: str
    family: str
    serial: str


@dataclass(frozen=True, slots=True)
class RefreshRules:
    """What refresh tokens must be: HS256, of the type refresh, with the id of a user and a name of our making.

    Args:
        secret: What they are signed with.
        lifetime: How long each lives, in seconds.
        issuer: The exact ``iss``; None for tokens without one.
    """

    secret: Secret = field(repr=False)
    lifetime: float
    issuer: str | None = None

    def problems(self) -> Iterator[str]:
        """What is wrong, a sentence each (Law 1.6)."""
        lifetime: object = self.lifetime
        if (
            isinstance(lifetime, bool)
            or not isinstance(lifetime, (int, float))
            or not 1 <= lifetime <= _LONGEST
        ):
            yield f"lifetime: write a number of seconds from 1 to {_LONGEST:_.0f}, such as 86_400"
        issuer: object = self.issuer
        if issuer is not None and (not isinstance(issuer, str) or not issuer):
            yield "issuer: write the exact iss of the tokens, or leave it out where they have none"
        try:
            self.key()
        except UnusableKeys as error:
            yield f"secret: {error}"

    def key(self) -> Key:
        """The key; raises UnusableKeys if the secret is none."""
        return key_from_secret(self.secret, _ALGORITHMS)

    def read(self, token: Secret, key: Key, now: Instant) -> Presented:
        """Verify a token; only whether it was used is left to ask.

        Raises:
            InvalidToken: Whatever is wrong with it.
        """
        parts, claims = split_object(token.reveal(), _LIMITS)
        header = parse_header(parts.header, _LIMITS)
        found = verify(parts, header, claims, (key,), self._rules(), now).claims
        return self._named(found)

    def first(self, sub: str, now: Instant) -> tuple[NextToken, Presented]:
        """The first token of a new family.

        Raises:
            ValueError: If the user's id is not a UUID in lower case, so that no token of it would be accepted.
        """
        if not is_uuid(sub):
            raise ValueError("the id of a user is a UUID in lower case")
        family, serial = secrets.token_hex(_BYTES), secrets.token_hex(_BYTES)
        made = Presented(sub, f"{family}.{serial}", family, serial)
        return self._token(made, None, now), made

    def after(self, used: Presented, now: Instant) -> tuple[NextToken, str]:
        """The token that comes after another, and its serial."""
        serial = secrets.token_hex(_BYTES)
        made = Presented(used.sub, f"{used.family}.{serial}", used.family, serial)
        return self._token(made, used.jti, now), serial

    def _token(self, made: Presented, replaces: str | None, now: Instant) -> NextToken:
        return NextToken(made.sub, made.jti, math.floor(now.wall + self.lifetime), replaces)

    def _named(self, claims: Mapping[str, Any]) -> Presented:
        sub, jti = claims["sub"], claims["jti"]
        if not is_uuid(sub):
            raise InvalidClaim("sub", "is not a UUID in lower case")
        parts = _JTI.fullmatch(jti)
        if parts is None:
            raise TokenRevoked("the token is of no family that was begun here")
        return Presented(sub, jti, parts.group(1), parts.group(2))

    def _rules(self) -> TokenRules:
        return TokenRules(
            issuer=self.issuer,
            audience=None,
            algorithms=_ALGORITHMS,
            leeway=0.0,
            plain_jti=True,
            required_claims=("sub",),
            token_types=frozenset({"refresh"}),
            fixed_claims=(("type", "refresh"),),
        )
