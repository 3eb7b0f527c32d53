"""Attacks by the outside of a token: segments, base64url, size, and JWE in its place (Laws 2.4, 3.1, 3.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from ...errors import AlgorithmRefused, BadSignature, MalformedToken, UnknownIssuer
from ..shapes import encode_json, encode_segment
from ..tokens import TokenMint
from .attack import Attack, Forge

__all__ = ["base64url", "encrypted", "outsized", "segments"]

_NOT_CANONICAL: Final = "a segment is not canonical base64url"
_NOT_BASE64URL: Final = "a segment is not base64url"
_NO_TOKEN: Final = "a signed token has 3 segments; this is no token"
_JWE: Final = "a signed token has 3 segments; this is an encrypted token"
_NO_OBJECT: Final = "the payload is not a JSON object"
_WHERE: Final = ("header", "payload", "signature")
_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_LONGEST: Final = 16384
_LONGEST_HEADER: Final = 2048
_DEPTH: Final = 16


def base64url(mint: TokenMint) -> Iterator[Attack]:
    """Second spellings of the very segments of an honest token."""
    forge = Forge(mint, "base64url")
    for place, where in enumerate(_WHERE):
        for what, (change, presentable) in _SPELLINGS.items():
            parts = _honest(forge).split(".")
            twin = ".".join(parts)
            parts[place] = change(parts[place])
            token = ".".join(parts)
            yield forge.attack(
                f"{where}: {what}",
                "3.1",
                token,
                MalformedToken,
                "a segment is not ",
                twin=twin,
                is_presentable=presentable,
            )


def _honest(forge: Forge) -> str:
    """A token of which no segment fills its last character, and each has a ``-`` or ``_`` in it."""
    header, claims = forge.header(x="?>?>?>"), forge.claims(x="?>?>?>")
    while len(encode_json(header)) % 3 == 0:
        header["n"] = f"{header['n']}."
    while len(encode_json(claims)) % 3 == 0:
        claims["jti"] += "."
    return forge.signed(header, claims)


def _next_spelling(segment: str) -> str:
    """The segment with a bit set that belongs to no byte."""
    return segment[:-1] + _ALPHABET[_ALPHABET.index(segment[-1]) + 1]


_SPELLINGS: Final[Mapping[str, tuple[Callable[[str], str], bool]]] = {
    "a trailing bit": (_next_spelling, True),
    "padding": (lambda segment: segment + "=" * (-len(segment) % 4), True),
    "too much padding": (lambda segment: segment + "====", True),
    "one more character": (lambda segment: segment + "A" * (5 - len(segment) % 4), True),
    "a space": (lambda segment: segment[:4] + " " + segment[4:], True),
    "a newline": (lambda segment: segment[:4] + "\n" + segment[4:], False),
    "a tab": (lambda segment: segment[:4] + "\t" + segment[4:], False),
    "a zero": (lambda segment: segment[:4] + "\x00" + segment[4:], False),
    "a letter of another script": (lambda segment: segment[:4] + "\u0430" + segment[5:], False),
    "a wide letter": (lambda segment: segment[:4] + "\uff21" + segment[5:], False),
    "a soft hyphen": (lambda segment: segment[:4] + "\u00ad" + segment[4:], False),
    "junk": (lambda segment: segment[:4] + "!" + segment[4:], True),
    "percent encoding": (lambda segment: segment[:4] + f"%{ord(segment[4]):02X}" + segment[5:], True),
    "a plus": (lambda segment: segment[:4] + "+" + segment[5:], True),
    "a slash": (lambda segment: segment[:4] + "/" + segment[5:], True),
    "a tilde": (lambda segment: segment[:4] + "~" + segment[5:], True),
    "padding inside": (lambda segment: segment[:4] + "==" + segment[6:], True),
}


def segments(mint: TokenMint) -> Iterator[Attack]:
    """Too few segments, too many, and empty ones."""
    forge = Forge(mint, "segments")
    token = forge.signed(forge.header(), forge.claims())
    header, payload, signature = token.split(".")
    counted = {
        "one": header,
        "two": f"{header}.{payload}",
        "four": f"{token}.{signature}",
        "four, the first empty": f".{token}",
        "four, the last empty": f"{token}.",
        "six": f"{token}.{token}",
        "dots": "." * 9,
        "ten thousand dots": "." * 10_000,
        "a scheme before it": f"Bearer.{token}",
    }
    for what, text in counted.items():
        yield forge.attack(what, "3.1", text, MalformedToken, _NO_TOKEN, twin=token)
    for what, text, reason in (
        ("no header", f".{payload}.{signature}", "not JSON"),
        ("no payload", f"{header}..{signature}", _NO_OBJECT),
        ("nothing", "..", _NO_OBJECT),
    ):
        yield forge.attack(what, "3.1", text, MalformedToken, reason, twin=token)
    exchanged = f"{payload}.{header}.{signature}"
    reason = "no configured issuer"
    yield forge.attack("exchanged", "3.5", exchanged, UnknownIssuer, reason, twin=token)
    for what, text in (
        ("no signature", f"{header}.{payload}."),
        ("an empty signature of three bytes", f"{header}.{payload}.AAAA"),
    ):
        yield forge.attack(what, "3.2", text, BadSignature, "the signature of", twin=token)
    for what, text in (
        ("flattened JSON", f'{{"protected":"{header}","payload":"{payload}","signature":"{signature}"}}'),
        ("general JSON", f'{{"payload":"{payload}","signatures":[{{"protected":"{header}"}}]}}'),
    ):
        # A comma joins two credentials, as far as a header goes.
        reason = _NO_TOKEN
        yield forge.attack(what, "3.1", text, MalformedToken, reason, twin=token, is_presentable=False)
    nested = token.encode("ascii")
    yield forge.of_text(
        "a token in a token", "3.1", nested, "not JSON", header=encode_json(forge.header(cty="JWT"))
    )
    yield forge.attack("empty", "3.1", "", MalformedToken, _NO_TOKEN, twin=token, is_presentable=False)


def outsized(mint: TokenMint) -> Iterator[Attack]:
    """One character, member or bracket more than a token may have; the twin has just as many as it may."""
    forge = Forge(mint, "size")
    header, claims = forge.header(), forge.claims()
    padded = [_padded(forge, header, claims, size) for size in (_LONGEST - 64, _LONGEST + 1, _LONGEST * 8)]
    for what, token in zip(("a character", "eight times"), padded[1:], strict=True):
        reason = f"the token has {len(token)} characters"
        yield forge.attack(what, "2.4", token, MalformedToken, reason, twin=padded[0], is_presentable=False)
    dots = "." * (_LONGEST * 4)
    yield forge.attack(
        "dots", "2.4", dots, MalformedToken, "the token has", twin=padded[0], is_presentable=False
    )
    long_header, longer_header = (_header_of(forge, size) for size in (_LONGEST_HEADER, _LONGEST_HEADER + 2))
    yield forge.attack(
        "header",
        "2.4",
        forge.signed(longer_header, claims),
        MalformedToken,
        "the header has",
        twin=forge.signed(long_header, claims),
    )
    for what, opening, closing in (("lists", b"[", b"]"), ("objects", b'{"a":', b"}")):
        for depth in (_DEPTH, 100, 1500):
            text = b',"x":' + opening * depth + b"1" + closing * depth + b"}"
            flawed = encode_json(claims)[:-1] + text
            reason = "nested "  # beyond CPython's own limit it is said in other words
            twin = (
                encode_json(claims)[:-1]
                + b',"x":'
                + opening * (_DEPTH - 1)
                + b"1"
                + closing * (_DEPTH - 1)
                + b"}"
            )
            yield forge.attack(
                f"{depth} more {what}",
                "2.4",
                forge.signed(header, flawed),
                MalformedToken,
                reason,
                twin=forge.signed(header, twin),
            )
    unclosed = b'{"x":' + b"[" * 9000
    yield forge.of_text("9000 lists that do not end", "2.4", unclosed, "nested ")
    deep = encode_json(header)[:-1] + b',"x":' + b"[" * _DEPTH + b"]" * _DEPTH + b"}"
    yield forge.of_text("a deep header", "2.4", claims, f"nested deeper than {_DEPTH}", header=deep)


def _padded(forge: Forge, header: dict[str, object], claims: dict[str, object], size: int) -> str:
    """A token of just so many characters, where base64url can have them, or one or two more."""
    short = forge.signed(header, {**claims, "x": ""})
    rest = max(0, size - len(short))
    token = short
    while len(token) < size:
        token = forge.signed(header, {**claims, "x": "x" * (rest * 3 // 4)})
        rest += 1
    return token


def _header_of(forge: Forge, size: int) -> bytes:
    """A header whose segment has just so many characters."""
    header = encode_json(forge.header(x=""))
    return header[:-2] + b"x" * (size * 3 // 4 - len(header)) + header[-2:]


_ENCRYPTED: Final[tuple[dict[str, object], ...]] = (
    {"alg": "dir", "enc": "A128GCM"},
    {"alg": "dir", "enc": "A128CBC-HS256"},
    {"alg": "RSA1_5", "enc": "A128GCM"},
    {"alg": "RSA-OAEP", "enc": "A256GCM"},
    {"alg": "RSA-OAEP-256", "enc": "A256GCM", "cty": "JWT"},
    {"alg": "A128KW", "enc": "A128GCM"},
    {"alg": "A256GCMKW", "enc": "A256GCM", "iv": "AAAA", "tag": "AAAA"},
    {"alg": "ECDH-ES", "enc": "A128GCM", "epk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}},
    {"alg": "PBES2-HS512+A256KW", "enc": "A256GCM", "p2s": "AAAA", "p2c": 2147483647},
    {"alg": "dir", "enc": "A128GCM", "zip": "DEF"},
    {"alg": "none", "enc": "none"},
    {"alg": "RS256", "enc": "A128GCM"},
    {"alg": "RS256"},
)


def encrypted(mint: TokenMint) -> Iterator[Attack]:
    """Five segments, and three whose header asks for decryption."""
    forge = Forge(mint, "jwe")
    for members in _ENCRYPTED:
        what = ", ".join(str(value) for value in members.values() if isinstance(value, str))
        header = encode_segment(encode_json({**forge.header(), **members}))
        for rest, parts in (("", ("", "AAAA", "AAAA", "AAAA")), (", with a key", ("AAAA",) * 4)):
            token = ".".join((header, *parts))
            reason = _JWE
            yield forge.attack(f"{what}{rest}", "3.3", token, MalformedToken, reason)
    for members in _ENCRYPTED[:-2]:
        what = ", ".join(str(value) for value in members.values() if isinstance(value, str))
        yield forge.of_header(
            f"three segments, {what}", "3.3", members, "the header's alg (", refusal=AlgorithmRefused
        )
    honest = forge.signed(forge.header(), forge.claims())
    plain = f"{encode_segment(_UNSIGNED)}.{honest.split('.')[1]}."
    token = f"{encode_segment(_DIRECT)}..AAAA.{encode_segment(plain.encode())}.AAAA"
    reason = _JWE
    yield forge.attack("a plain token inside", "3.3", token, MalformedToken, reason, twin=honest)


_UNSIGNED: Final = b'{"alg":"none"}'
_DIRECT: Final = b'{"alg":"dir","enc":"A128GCM","cty":"JWT"}'
