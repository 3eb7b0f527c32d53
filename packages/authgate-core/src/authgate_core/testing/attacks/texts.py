"""JSON that two readers would read in two ways (Law 3.1)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from ..shapes import encode_json
from ..tokens import TokenMint
from .attack import Attack, Forge

__all__ = ["duplicates", "encodings", "not_json"]

_TWICE: Final = "a member occurs twice"
_NOT_UTF_8: Final = "not text in UTF-8"
_NOT_JSON: Final = "not JSON"
_NOT_ONE: Final = "not one JSON object"

_AFTER_CLAIMS: Final = (
    ("NaN", b',"x":NaN}', "NaN and Infinity"),
    ("Infinity", b',"x":Infinity}', "NaN and Infinity"),
    ("minus Infinity", b',"x":[-Infinity]}', "NaN and Infinity"),
    ("1e400", b',"x":1e400}', "a number is too large"),
    ("minus 1e400", b',"x":{"y":-1e400}}', "a number is too large"),
    ("a number of 5000 digits", b',"x":' + b"9" * 5000 + b"}", _NOT_JSON),
    ("a trailing comma", b",}", _NOT_JSON),
    ("a comment", b"/* */}", _NOT_JSON),
    ("single quotes", b",'x':1}", _NOT_JSON),
    ("no quotes", b",x:1}", _NOT_JSON),
    ("a leading zero", b',"x":01}', _NOT_JSON),
    ("a leading plus", b',"x":+1}', _NOT_JSON),
    ("a hexadecimal number", b',"x":0x1}', _NOT_JSON),
    ("a bare point", b',"x":1.}', _NOT_JSON),
    ("Python's None", b',"x":None}', _NOT_JSON),
    ("a control character", b',"x":"\x01"}', _NOT_JSON),
    ("a newline in a text", b',"x":"\n"}', _NOT_JSON),
    ("an escape that is none", b',"x":"\\x41"}', _NOT_JSON),
    ("half a surrogate pair", b',"x":"\\ud800"}', _NOT_UTF_8),
    ("the other half", b',"x":"\\udc00\\ud800"}', _NOT_UTF_8),
    ("half a pair as a name", b',"\\ud83d":1}', _NOT_UTF_8),
    ("no end", b"", _NOT_JSON),
    ("two ends", b"}}", _NOT_ONE),
    ("a second object", b"}{}", _NOT_ONE),
    ("a zero after it", b"}\x00", _NOT_ONE),
    ("a form feed after it", b"}\x0c", _NOT_ONE),
    ("a no-break space after it", "}\u00a0".encode(), _NOT_ONE),
)
_NO_OBJECTS: Final = (b"[]", b"null", b"true", b"1", b'"text"', b'[{"sub":"u1"}]')
_NOTHINGS: Final = (b"", b" ", b"\x00", b"{", b"}", b"{]", b"undefined")


def not_json(mint: TokenMint) -> Iterator[Attack]:
    """Truly signed payloads and headers that are not strict JSON objects."""
    forge = Forge(mint, "json")
    for what, rest, reason in _AFTER_CLAIMS:
        payload = encode_json(forge.claims())[:-1] + rest
        yield forge.of_text(f"payload: {what}", "3.1", payload, reason)
        if len(rest) < 1000:
            header = encode_json(forge.header())[:-1] + rest
            yield forge.of_text(f"header: {what}", "3.1", forge.claims(), reason, header=header)
    for text in _NO_OBJECTS:
        yield forge.of_text(f"payload: {text!r}", "3.1", text, _NOT_ONE)
        yield forge.of_text(f"header: {text!r}", "3.1", forge.claims(), _NOT_ONE, header=text)
    for text in _NOTHINGS:
        yield forge.of_text(f"payload: {text!r}", "3.1", text, _NOT_JSON)
    for text in _NOTHINGS[1:]:  # what is empty of a header is a matter of segments
        yield forge.of_text(f"header: {text!r}", "3.1", forge.claims(), _NOT_JSON, header=text)


def duplicates(mint: TokenMint) -> Iterator[Attack]:
    """Members that occur twice: at the top and nested, spelled alike and with escapes."""
    forge = Forge(mint, "duplicate")
    claims = forge.claims(realm_access={"roles": ["clerk"]})
    for name, other in (("sub", "admin"), ("exp", 253402300799), ("iss", "x"), ("aud", "x"), ("jti", "x")):
        for what, value in (("another value", other), ("the same value", claims[name])):
            spelled = json.dumps(name).encode()
            yield forge.of_text(f"{name} with {what}", "3.1", _also(claims, spelled, value), _TWICE)
        escaped = f'"\\u{ord(name[0]):04x}{name[1:]}"'.encode()
        yield forge.of_text(f"{name} with an escape", "3.1", _also(claims, escaped, other), _TWICE)
    yield forge.of_text("sub before the first", "3.1", b'{"sub":"admin",' + encode_json(claims)[1:], _TWICE)
    for what, nested in (
        ("nested", b'{"roles":["clerk"],"roles":["admin"]}'),
        ("nested in a list", b'[{"a":1,"a":2}]'),
        ("nested with an escape", b'{"roles":[],"r\\u006fles":["admin"]}'),
        ("an empty name", b'{"":1,"":2}'),
    ):
        payload = encode_json(forge.claims())[:-1] + b',"realm_access":' + nested + b"}"
        yield forge.of_text(what, "3.1", payload, _TWICE)
    for name, other in (("alg", "none"), ("kid", "x"), ("typ", "JWT"), ("n", "x")):
        for quoted in (json.dumps(name), f'"\\u{ord(name[0]):04x}{name[1:]}"'):
            header = _also(forge.header(), quoted.encode(), other)
            yield forge.of_text(f"header: {quoted}", "3.1", forge.claims(), _TWICE, header=header)
    header = encode_json(forge.header())[:-1] + b',"jwk":{"kty":"RSA","kty":"oct"}}'
    yield forge.of_text("header: nested", "3.1", forge.claims(), _TWICE, header=header)


def _also(members: dict[str, object], spelled: bytes, value: object) -> bytes:
    return encode_json(members)[:-1] + b"," + spelled + b":" + json.dumps(value).encode() + b"}"


def encodings(mint: TokenMint) -> Iterator[Attack]:
    """Truly signed texts in another encoding than UTF-8 without a byte order mark (RFC 8725 section 3.7)."""
    forge = Forge(mint, "encoding")
    for where in ("payload", "header"):
        for what, reason in _ENCODINGS.items():
            members = forge.claims() if where == "payload" else forge.header()
            text = encode_json(members).decode().encode(what)
            yield _encoded(forge, f"{where}: {what}", where, text, reason)
        for what, (rest, reason) in _BYTES.items():
            members = forge.claims() if where == "payload" else forge.header()
            text = encode_json(members)[:-1] + b',"x":"' + rest + b'"}'
            yield _encoded(forge, f"{where}: {what}", where, text, reason)


def _encoded(forge: Forge, what: str, where: str, text: bytes, reason: str) -> Attack:
    if where == "payload":
        return forge.of_text(what, "3.1", text, reason)
    return forge.of_text(what, "3.1", forge.claims(), reason, header=text)


_ENCODINGS: Final = {
    "utf-16": _NOT_UTF_8,
    "utf-16-le": _NOT_JSON,
    "utf-16-be": _NOT_JSON,
    "utf-32": _NOT_UTF_8,
    "utf-32-le": _NOT_JSON,
    "utf-32-be": _NOT_JSON,
    "utf-8-sig": _NOT_JSON,
    "cp500": _NOT_UTF_8,
}
_BYTES: Final = {
    "Latin-1": (b"\xe9", _NOT_UTF_8),
    "an overlong slash": (b"\xc0\xaf", _NOT_UTF_8),
    "an overlong quote": (b"\xe0\x80\xa2", _NOT_UTF_8),
    "a surrogate": (b"\xed\xa0\x80", _NOT_UTF_8),
    "beyond Unicode": (b"\xf4\x90\x80\x80", _NOT_UTF_8),
    "half a character": (b"\xe2\x82", _NOT_UTF_8),
    "a stray continuation": (b"\x80", _NOT_UTF_8),
    "ff": (b"\xff", _NOT_UTF_8),
}
