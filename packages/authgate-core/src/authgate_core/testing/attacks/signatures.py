"""Signatures that a verifier with a hole accepts, for each kind of key that is published (Law 3.2)."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from ...errors import BadSignature, UnknownKey
from ..shapes import ABSENT, encode_json, encode_segment
from ..tokens import TokenMint
from .attack import Attack, Forge, Members

__all__ = ["signatures", "strangers", "tampered"]

_BAD: Final = "the signature of"
_SEED: Final = 8725
_ED25519_ORDER: Final = 2**252 + 27742317777372353535851937790883648493


def signatures(mint: TokenMint) -> Iterator[Attack]:
    """Wrong bytes in the place of a signature: zeros, other sizes, other encodings, numbers out of range."""
    for bench in Forge(mint, "signature").each_key():
        header, claims = bench.header(), bench.claims()
        honest = bench.signed(header, claims)
        message = honest.rpartition(".")[0]
        good = bench.key.sign(message.encode("ascii"), bench.key.algorithm)
        for what, wrong in {**_any_bytes(good), **_of_the_key(bench, good)}.items():
            token = f"{message}.{encode_segment(wrong)}"
            name = f"{bench.key.algorithm}: {what}"
            yield bench.attack(name, "3.2", token, BadSignature, _BAD, twin=honest)


def _any_bytes(good: bytes) -> dict[str, bytes]:
    dice = random.Random(_SEED)  # noqa: S311 - the same attacks at every run, which is no secret
    size, middle = len(good), len(good) // 2
    return {
        "zeros": bytes(size),
        "ones": b"\xff" * size,
        "one byte": b"\x00",
        "random": dice.randbytes(size),
        "a byte less": good[:-1],
        "a byte more": good + b"\x00",
        "a zero before it": b"\x00" + good,
        "without its first byte": good[1:],
        "twice": good + good,
        "backwards": good[::-1],
        "a part in another place": good[middle + 1 :] + good[: middle + 1],
        "another first bit": bytes([good[0] ^ 0x80]) + good[1:],
        "another last bit": good[:-1] + bytes([good[-1] ^ 1]),
        "its own text": encode_segment(good).encode(),
    }


def _of_the_key(forge: Forge, good: bytes) -> dict[str, bytes]:
    public = forge.key.private.public_key()
    if isinstance(public, RSAPublicKey):
        return _of_rsa(public, good)
    if isinstance(public, EllipticCurvePublicKey):
        return _of_ecdsa(public.curve.group_order, good)
    return _of_ed25519(good)


def _of_rsa(public: RSAPublicKey, good: bytes) -> dict[str, bytes]:
    size, modulus = len(good), public.public_numbers().n
    numbers = {"1": 1, "the modulus": modulus, "the modulus less 1": modulus - 1, "2": 2}
    number = int.from_bytes(good, "big")
    return {
        **{what: value.to_bytes(size, "big") for what, value in numbers.items()},
        "plus the modulus": (number + modulus).to_bytes(size + 1, "big"),
        "its negative": (modulus - number).to_bytes(size, "big"),
    }


def _of_ecdsa(order: int, good: bytes) -> dict[str, bytes]:
    """Pairs that the arithmetic of a careless verifier takes for good (CVE-2022-21449), and DER (RFC 7518, 3.4)."""
    size = len(good) // 2
    r, s = (int.from_bytes(half, "big") for half in (good[:size], good[size:]))

    def raw(one: int, other: int) -> bytes:
        return one.to_bytes(size, "big") + other.to_bytes(size, "big")

    return {
        "r is 0": raw(0, s),
        "s is 0": raw(r, 0),
        "r is 1, s is 1": raw(1, 1),
        "r is 1, s is 0": raw(1, 0),
        "r and s are the order": raw(order, order),
        "r is the order": raw(order, s),
        "s is the order": raw(r, order),
        "r is the order plus 1, s is 1": raw(order + 1, 1),
        "r is the order less 1": raw(order - 1, s),
        "r and s exchanged": raw(s, r),
        "DER": encode_dss_signature(r, s),
        "DER of zeros": encode_dss_signature(0, 0),
        "DER of the order": encode_dss_signature(order, order),
        "longer halves": b"\x00" + r.to_bytes(size, "big") + b"\x00" + s.to_bytes(size, "big"),
        "shorter halves": good[: size - 1] + good[size:-1],
    }


def _of_ed25519(good: bytes) -> dict[str, bytes]:
    """A second form of ``S`` (RFC 8032 section 5.1.7), and points of small order."""
    point, scalar = good[:32], int.from_bytes(good[32:], "little")
    identity = b"\x01" + bytes(31)
    return {
        "S plus the order": point + (scalar + _ED25519_ORDER).to_bytes(32, "little"),
        "S is 0": point + bytes(32),
        "S is the order": point + _ED25519_ORDER.to_bytes(32, "little"),
        "the neutral point and 0": identity + bytes(32),
        "a point of small order": bytes(32) + scalar.to_bytes(32, "little"),
        "a point that is not canonical": b"\xed" + b"\xff" * 30 + b"\x7f" + bytes(32),
    }


def strangers(mint: TokenMint) -> Iterator[Attack]:
    """Signed with a key that is not the issuer's: under its kid, under none, under one of the stranger's own."""
    forge, key = Forge(mint, "stranger"), mint.stranger()
    for what, kid in (("its kid", forge.key.kid), ("a kid of its own", "strange"), ("no kid", ABSENT)):
        header, claims = forge.header(kid=kid), forge.claims()
        message = forge.message(header, claims)
        token = f"{message}.{encode_segment(key.sign(message.encode('ascii'), key.algorithm))}"
        asks = kid != forge.key.kid
        refusal, reason = (UnknownKey, "no key of the issuer") if asks else (BadSignature, _BAD)
        twin = forge.signed({**header, "kid": forge.key.kid}, claims)
        yield forge.attack(what, "3.4", token, refusal, reason, twin=twin, asks=asks)
    for bench in forge.each_key():
        for kid in mint.kids:
            if kid != bench.key.kid:
                header, claims = bench.header(), bench.claims()
                message = bench.message(header, claims)
                other = mint.key(kid)
                token = f"{message}.{encode_segment(other.sign(message.encode('ascii'), other.algorithm))}"
                what = f"signed {other.algorithm} where {bench.key.algorithm} is said"
                yield bench.attack(what, "3.2", token, BadSignature, _BAD, twin=bench.signed(header, claims))


_OTHER_WORDS: Final[Mapping[str, tuple[Members, Members]]] = {
    "sub": ({}, {"sub": "admin"}),
    "exp": ({}, {"exp": 253402300799}),
    "no aud": ({}, {"aud": ABSENT}),
    "a role": ({}, {"roles": ["admin"]}),
    "typ": ({"typ": "JWT"}, {}),
    "no typ": ({"typ": ABSENT}, {}),
    "a header member": ({"x": 1}, {}),
}
_OTHER_SPELLINGS: Final = {
    "white space in the payload": (b'"sub":', b'"sub": '),
    "white space before the payload": (b'{"iss"', b' {"iss"'),
    "an escape in the payload": (b'"sub"', b'"\\u0073ub"'),
}


def tampered(mint: TokenMint) -> Iterator[Attack]:
    """A good signature over other words than those that it stands behind."""
    forge = Forge(mint, "tampered")
    for what, (of_header, of_claims) in _OTHER_WORDS.items():
        header, claims = forge.header(), forge.claims()
        message = forge.message({**header, **of_header}, {**claims, **of_claims})
        yield _signed_elsewhere(forge, what, message, forge.signed(header, claims))
    for what, (spelled, otherwise) in _OTHER_SPELLINGS.items():
        header, claims = forge.header(), forge.claims()
        message = forge.message(header, encode_json(claims).replace(spelled, otherwise))
        yield _signed_elsewhere(forge, what, message, forge.signed(header, claims))
    header, claims = forge.header(), forge.claims()
    message = forge.message(header, claims)
    other = forge.signed(header, {**claims, "sub": "u2"})
    twin = forge.signed(header, claims)
    yield _signed_elsewhere(forge, "the signature of another token", message, other, twin)
    yield from _flipped(forge)


def _signed_elsewhere(forge: Forge, what: str, message: str, good: str, twin: str | None = None) -> Attack:
    token = f"{message}.{good.rpartition('.')[2]}"
    return forge.attack(what, "3.2", token, BadSignature, _BAD, twin=twin or good)


def _flipped(forge: Forge) -> Iterator[Attack]:
    """Single bits of good signatures, chosen once for all."""
    dice = random.Random(_SEED)  # noqa: S311 - as above
    for number in range(1, 25):
        twin = forge.signed(forge.header(), forge.claims())
        message = twin.rpartition(".")[0]
        signature = bytearray(forge.key.sign(message.encode("ascii"), forge.key.algorithm))
        signature[dice.randrange(len(signature))] ^= 1 << dice.randrange(8)
        token = f"{message}.{encode_segment(bytes(signature))}"
        yield forge.attack(f"bit {number}", "3.2", token, BadSignature, _BAD, twin=twin)
