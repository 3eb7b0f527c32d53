"""Whom the development issuer knows, and what tokens people ask it for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Final, cast

__all__ = ["LONGEST", "DevUser", "Wanted"]

LONGEST: Final = 7 * 86400.0
"""The longest that a token may live, in seconds."""
_OURS: Final = frozenset({"iss", "aud", "sub", "iat", "exp", "jti"})


@dataclass(frozen=True, slots=True)
class DevUser:
    """Somebody whom tokens are minted for.

    Args:
        name: The ``sub`` of the tokens.
        roles: Their ``roles``.
    """

    name: str
    roles: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str) -> DevUser:
        """A user as one is written on the command line: ``NAME``, or ``NAME:ROLE,ROLE``."""
        name, _, roles = text.partition(":")
        return cls(name.strip(), tuple(role.strip() for role in roles.split(",") if role.strip()))


@dataclass(frozen=True, slots=True)
class Wanted:
    """The token that somebody asks for.

    Args:
        sub: Whose it is to be.
        roles: Its roles; None for those that the user has.
        scope: Its scopes, with blanks between them.
        lifetime: How long it is to live, in seconds.
        claims: Further claims, which are JSON.
    """

    sub: str
    roles: tuple[str, ...] | None = None
    scope: str = ""
    lifetime: float = 3600.0
    claims: Mapping[str, object] = field(default_factory=dict[str, object])

    @classmethod
    def read(cls, members: Mapping[str, object]) -> Wanted:
        """What was asked for, as a form or as JSON.

        Raises:
            ValueError: Saying which part of it is wrong.
        """
        sub, scope = members.get("sub"), members.get("scope") or ""
        if not isinstance(sub, str) or not sub.strip():
            raise ValueError("sub: name the user")
        if not isinstance(scope, str):
            raise ValueError("scope: write scopes with blanks between them")  # noqa: TRY004 - as below
        return cls(
            sub.strip(),
            _names(members.get("roles")),
            scope,
            _seconds(members),
            _claims(members.get("claims")),
        )

    def to_json(self) -> dict[str, object]:
        """What ``read`` reads."""
        named: dict[str, object] = {
            "sub": self.sub,
            "scope": self.scope,
            "lifetime": self.lifetime,
            "claims": self.claims,
        }
        return named if self.roles is None else {**named, "roles": [*self.roles]}


def _names(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    names = cast("list[object]", value) if isinstance(value, list) else str(value).split(",")
    return tuple(str(name).strip() for name in names if str(name).strip())


def _seconds(members: Mapping[str, object]) -> float:
    try:
        seconds = float(str(members.get("lifetime", 3600)))
    except ValueError:
        seconds = 0.0
    if not isfinite(seconds) or not 0 < seconds <= LONGEST:
        raise ValueError(f"lifetime: write a number of seconds above 0, at most {LONGEST:g}")
    return seconds


def _claims(value: object) -> Mapping[str, object]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError("claims: send a JSON object")  # noqa: TRY004 - about what was sent, not about the code
    claims = cast("dict[str, object]", value)
    if taken := sorted(_OURS & claims.keys()):
        raise ValueError(f"claims: {', '.join(taken)} is the issuer's own to set")
    return claims
