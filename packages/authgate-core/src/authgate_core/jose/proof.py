"""Reads a DPoP proof (RFC 9449 section 4): the one kind of token whose own key verifies it.

It is believed about nothing but this: whoever made it holds that key. Whose key it is, an access token says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from ..errors import InvalidProof, MalformedToken
from .compact import Limits, Parts, decode_segment, parse_header, parse_object, split
from .keys import UnusableKeys, key_from_jwk, thumbprint
from .signature import DEFAULT_ALGORITHMS, is_allowed

__all__ = ["PROOF_ALGORITHMS", "Proof", "read_proof"]

PROOF_ALGORITHMS: Final = DEFAULT_ALGORITHMS
"""What a proof may be signed with: every asymmetric algorithm that is known here (RFC 9449 section 4.2)."""

_TYPE: Final = "dpop+jwt"
_MOST: Final = 253402300799  # as of every date in a token (Law 3.7)


@dataclass(frozen=True, slots=True)
class Proof:
    """What a proof with a good signature says; whether it fits the request is not judged yet.

    Args:
        jkt: The thumbprint of the key that made it.
        jti: Its name, which no other proof of that key has.
        method: The HTTP method that it is for.
        url: The URL that it is for.
        issued_at: When it was made, Unix seconds.
        token_hash: The SHA-256 of the access token that it goes with, in base64url.
        nonce: What the server asked to be in it; None for nothing.
    """

    jkt: str
    jti: str
    method: str
    url: str
    issued_at: float
    token_hash: str
    nonce: str | None

    def __repr__(self) -> str:
        return f"Proof(of {self.jkt[:8]!r})"


def read_proof(text: str, limits: Limits) -> Proof:
    """Read a proof and verify its signature with the key in its header (RFC 9449 section 4.3, 2 to 7).

    Args:
        text: The proof, a compact JWS.
        limits: Sizes (Law 2.4).

    Raises:
        InvalidProof: If it is no proof, or whoever made it does not hold that key.
    """
    try:
        parts = split(text, limits)
        header = parse_header(parts.header, limits)
        members = parse_object(decode_segment(parts.header), limits)
        claims = parse_object(parts.payload, limits)
    except MalformedToken as error:
        raise InvalidProof(f"the proof cannot be read: {error.reason}") from None
    if header.typ is None or header.typ.lower() != _TYPE:
        raise InvalidProof("the proof's typ is not dpop+jwt")
    if not is_allowed(header.alg, PROOF_ALGORITHMS):
        raise InvalidProof("the proof's alg is none that proofs may be signed with")
    return _proof(claims, _signer(parts, header.alg, members.get("jwk")))


def _signer(parts: Parts, alg: str, jwk: object) -> str:
    """The thumbprint of the key in the header, if the signature is its own."""
    if not isinstance(jwk, dict):
        raise InvalidProof("the proof's header has no key")
    members = cast("Mapping[str, Any]", jwk)
    try:
        key = key_from_jwk(members, PROOF_ALGORITHMS)
    except UnusableKeys as unusable:
        raise InvalidProof(f"the key in the proof's header {unusable}") from None
    if not key.verifies(alg, parts.signing_input, parts.signature):
        raise InvalidProof("the proof's signature is not of the key in its header")
    return thumbprint(members)


def _proof(claims: Mapping[str, Any], jkt: str) -> Proof:
    jti, method, url, token_hash = (claims.get(name) for name in ("jti", "htm", "htu", "ath"))
    issued_at, nonce = claims.get("iat"), claims.get("nonce")
    for name, value in (("jti", jti), ("htm", method), ("htu", url), ("ath", token_hash)):
        if not isinstance(value, str) or not value:
            raise InvalidProof(f"the proof has no {name} that is a text")
    if isinstance(issued_at, bool) or not isinstance(issued_at, (int, float)) or not 0 <= issued_at <= _MOST:
        raise InvalidProof("the proof has no iat that is a number of seconds since 1970")
    if nonce is not None and not isinstance(nonce, str):
        raise InvalidProof("the proof's nonce is no text")
    return Proof(jkt, str(jti), str(method), str(url), issued_at, str(token_hash), nonce)
