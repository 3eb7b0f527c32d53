"""Headers that bring a key along or ask for an extension (Law 3.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...errors import BadSignature, UnknownKey
from ..keys import SigningKey
from ..shapes import ABSENT, encode_segment
from ..tokens import TokenMint
from .attack import Attack, Forge, Members

__all__ = ["embedded_keys", "extensions"]

_ELSEWHERE: Final = "http://127.0.0.1:9/keys"
_EXTENSION: Final = "the header asks for an extension"
_CRITICAL: Final[tuple[object, ...]] = (
    *([], ["exp"], ["b64"], ["alg"], ["kid", "alg"], ["exp", "exp"], ["http://example.test/x"], [""]),
    *("exp", "", None, True, 0, [1], [None], [["exp"]], {"exp": True}, {}),
)


def embedded_keys(mint: TokenMint) -> Iterator[Attack]:
    """Signed with a stranger's key that the header hands over, or says where to find."""
    forge, stranger = Forge(mint, "embedded"), mint.stranger()
    for what, members in _keys(stranger).items():
        yield _brought(forge, what, stranger, members)
        yield _brought(forge, f"{what}, under another kid", stranger, {**members, "kid": "mine"}, asks=True)
        yield _brought(forge, f"{what}, no kid", stranger, {**members, "kid": ABSENT}, asks=True)
    own = {"jwk": forge.key.jwk()}
    yield _brought(forge, "the issuer's own jwk", stranger, own)


def _keys(stranger: SigningKey) -> dict[str, Members]:
    jwk = stranger.jwk()
    certificate = encode_segment(stranger.public_pem())
    return {
        "jwk": {"jwk": jwk},
        "jwk of another name": {"jwk": {**jwk, "kid": "mine"}},
        "jwk as text": {"jwk": str(jwk)},
        "jwks": {"jwks": {"keys": [jwk]}},
        "jku": {"jku": _ELSEWHERE},
        "jku of a file": {"jku": "file:///etc/passwd"},
        "x5u": {"x5u": _ELSEWHERE},
        "x5c": {"x5c": [certificate], "x5t": "mine"},
        "all of them": {"jwk": jwk, "jku": _ELSEWHERE, "x5u": _ELSEWHERE, "x5c": [certificate]},
    }


def _brought(forge: Forge, what: str, key: SigningKey, members: Members, *, asks: bool = False) -> Attack:
    header, claims = {**forge.header(), **members}, forge.claims()
    message = forge.message(header, claims)
    token = f"{message}.{encode_segment(key.sign(message.encode('ascii'), key.algorithm))}"
    # A header may hold what is ignored, so the twin has it too, and the issuer's own signature and kid.
    twin = forge.signed({**header, "kid": forge.key.kid}, claims)
    refusal, reason = (UnknownKey, "no key of the issuer") if asks else (BadSignature, "the signature of")
    return forge.attack(what, "3.3", token, refusal, reason, twin=twin, asks=asks)


def extensions(mint: TokenMint) -> Iterator[Attack]:
    """``crit`` in every shape, and ``b64`` (RFC 7515 section 4.1.11, RFC 7797)."""
    forge = Forge(mint, "extension")
    for value in _CRITICAL:
        yield forge.of_header(f"crit is {value!r}", "3.3", {"crit": value}, _EXTENSION)
    for value in (True, False, None, "false", 0):
        yield forge.of_header(f"b64 is {value!r}", "3.3", {"b64": value}, _EXTENSION)
        both = {"b64": value, "crit": ["b64"]}
        yield forge.of_header(f"b64 is {value!r} and critical", "3.3", both, _EXTENSION)
    known = {"crit": ["http://example.test/x"], "http://example.test/x": 1}
    yield forge.of_header("crit with its member", "3.3", known, _EXTENSION)
