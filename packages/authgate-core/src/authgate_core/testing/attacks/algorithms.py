"""Attacks by ``alg``: none in every spelling, algorithms that nobody allowed, keys of another algorithm (Law 3.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...errors import AlgorithmRefused, MalformedToken
from ..shapes import ABSENT, encode_segment
from ..tokens import TokenMint
from .attack import Attack, Forge

__all__ = ["other_algorithms", "unsigned"]

_REFUSED: Final = "the header's alg ("
_NO_TEXT: Final = "the header has no alg that is a string"
_OF_ANOTHER_KEY: Final = "the key of this kid does not verify the alg of the token"

_NONE: Final = (
    *("none", "None", "NONE", "nOnE", "NonE", "nonE"),
    *("none ", " none", "\tnone", "none\n", "none\r\n", "none\x00", "\x00none", "none\x7f", "no ne"),
    *("none\u00a0", "\u2003none", "\ufeffnone", "none\u200b", "no\u200dne", "\u202enone"),
    *(
        "n\u043ene",
        "\uff4e\uff4f\uff4e\uff45",
        "\U0001d427\U0001d428\U0001d427\U0001d41e",
        "non\u0435",
        "\u2099one",
    ),
    *(
        "",
        "null",
        "nil",
        "false",
        "0",
        "plain",
        "unsecured",
        "HS0",
        "none;RS256",
        "RS256,none",
        "RS256\x00none",
    ),
    *("[]", '"none"', "%6eone", "&#110;one", "\\u006eone"),
)
_NOT_TEXTS: Final[tuple[object, ...]] = (
    None,
    True,
    False,
    0,
    256,
    [],
    ["none"],
    ["RS256"],
    {},
    {"alg": "none"},
    ABSENT,
)
_OTHERS: Final = (
    *("rs256", "Rs256", "RS256 ", " RS256", "RS-256", "RSA256", "RS\uff1256", "RS256\x00", "R\u200bS256"),
    *("RS1", "RS257", "SHA256", "HS1", "HS256", "HS384", "HS512", "hs256", "HMAC", "MD5", "ES256K", "ES521"),
    *("es256", "Ed448", "ED25519", "eddsa", "dir", "RSA1_5", "RSA-OAEP", "A256KW", "A128GCMKW", "ECDH-ES"),
    *(
        "PBES2-HS256+A128KW",
        "ML-DSA-44",
        "SLH-DSA-SHA2-128s",
        "unknown",
        "__proto__",
        "constructor",
        "../RS256",
    ),
)


def unsigned(mint: TokenMint) -> Iterator[Attack]:
    """Without a signature, and without an ``alg`` that asks for one."""
    forge = Forge(mint, "none")
    for number, spelling in enumerate(_NONE):
        header, claims = forge.header(), forge.claims()
        twin = forge.signed(header, claims)
        token = f"{forge.message({**header, 'alg': spelling}, claims)}."
        what = f"spelling {number} {spelling!a}"
        yield forge.attack(what, "3.2", token, AlgorithmRefused, _REFUSED, twin=twin)
    for value in _NOT_TEXTS:
        token = f"{forge.message(forge.header(alg=value), forge.claims())}."
        yield forge.attack(f"alg is {value}", "3.1", token, MalformedToken, _NO_TEXT)
    for what, signature in (("a zero", b"\x00"), ("the word none", b"none"), ("its own digest", bytes(32))):
        token = f"{forge.message(forge.header(alg='none'), forge.claims())}.{encode_segment(signature)}"
        yield forge.attack(f"signed with {what}", "3.2", token, AlgorithmRefused, _REFUSED)
    yield forge.of_header("truly signed", "3.2", {"alg": "none"}, _REFUSED, refusal=AlgorithmRefused)
    yield forge.of_header("truly signed, no kid", "3.2", _NO_KID, _REFUSED, refusal=AlgorithmRefused)


def other_algorithms(mint: TokenMint) -> Iterator[Attack]:
    """Truly signed, under the name of an algorithm that is unknown, not allowed or another key's."""
    forge = Forge(mint, "algorithm")
    for number, name in enumerate(_OTHERS):
        what = f"{number} {name!a}"
        yield forge.of_header(what, "3.2", {"alg": name}, _REFUSED, refusal=AlgorithmRefused)
    for bench in forge.each_key():
        for name in ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA"):
            if not _is_same(name, bench.key.algorithm):
                what = f"{name} with a key for {bench.key.algorithm}"
                yield bench.of_header(what, "3.2", {"alg": name}, _OF_ANOTHER_KEY, refusal=AlgorithmRefused)
    for bench in forge.each_key():
        for kid in mint.kids:
            if kid != bench.key.kid:
                what = f"a key for {bench.key.algorithm} under the kid of one for {mint.key(kid).algorithm}"
                yield bench.of_header(what, "3.4", {"kid": kid}, _OF_ANOTHER_KEY, refusal=AlgorithmRefused)


def _is_same(one: str, other: str) -> bool:
    return one == other or {one, other} <= {"EdDSA", "Ed25519"}


_NO_KID: Final = {"alg": "none", "kid": ABSENT}
