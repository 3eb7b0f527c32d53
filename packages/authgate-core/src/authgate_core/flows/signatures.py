"""From a token that was taken apart to claims that may be believed: which key, then the signature, then the rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..clock import Instant
from ..credentials import BEARER, SCHEMES, Kind
from ..effects import Flow
from ..errors import AuthgateError, BadSignature
from ..jose.claims import TokenRules, check_header
from ..jose.compact import Header, Limits, Parts, parse_header
from ..jose.keys import Key
from ..jose.verify import VerifiedClaims, verify, verify_with
from .keys import Door, find_keys, find_newer_keys

__all__ = ["Named", "verify_parts"]


def verify_parts(
    parts: Parts, claims: dict[str, Any], door: Door, rules: TokenRules, limits: Limits, now: Instant
) -> Flow[VerifiedClaims]:
    """Verify a token with the keys behind a door.

    Args:
        parts: The token.
        claims: What was read from its payload; believed once this returns.
        door: The way to the keys of its issuer, or of its tenant.
        rules: What the token must be.
        limits: Sizes (Law 2.4).
        now: The present moment.

    Raises:
        InvalidToken: Whatever is wrong with the token.
        KeysUnavailable: If its keys could not be had.
    """
    known = door.current().known(parts.header, now)
    if known is not None:
        # A key set is of one issuer, and so what it remembers was checked by these very rules (Laws 3.5, 3.12).
        header, key = known
        return verify_with(parts, header, claims, key, rules, now)
    header = parse_header(parts.header, limits)
    check_header(header, rules)
    keys = yield from find_keys(header, door, now)
    return (yield from _verify(parts, header, claims, keys, door=door, rules=rules, now=now))


def _verify(
    parts: Parts,
    header: Header,
    claims: dict[str, Any],
    keys: Sequence[Key],
    *,
    door: Door,
    rules: TokenRules,
    now: Instant,
) -> Flow[VerifiedClaims]:
    try:
        verified = verify(parts, header, claims, keys, rules, now)
    except BadSignature:
        if header.kid is not None:
            raise
        # Law 3.4: without a kid, keys that do not fit may mean that the right one is not here yet.
        keys = yield from find_newer_keys(header, door, tuple(keys), now)
        verified = verify(parts, header, claims, keys, rules, now)
    door.current().remember(parts.header, header, keys[0])
    return verified


class Named:
    """Puts the configured name of the issuer, and the scheme, on the errors that leave the block.

    Args:
        issuer: The name.
        kind: The kind of credential, whose scheme it is.
    """

    __slots__ = ("_issuer", "_kind")

    def __init__(self, issuer: str, kind: Kind = BEARER) -> None:
        self._issuer = issuer
        self._kind: Kind = kind

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, AuthgateError):
            self.name(error)

    def name(self, error: AuthgateError) -> None:
        """Put them on one error: for code that is run so often that ``with`` would be felt."""
        error.issuer, error.scheme = self._issuer, SCHEMES[self._kind]
