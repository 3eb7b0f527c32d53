"""Reads a compact JWS in the only way it can be read, before anything in it is believed (Laws 2.4, 3.1).

No refusal here tells what the token says: nothing is verified yet (Law 1.2).
"""

from __future__ import annotations

import json
import math
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, NoReturn, TypeAlias, cast

from pydantic_core import SchemaValidator, core_schema

from ..errors import MalformedToken

__all__ = [
    "Header",
    "Json",
    "Limits",
    "Parts",
    "decode_segment",
    "encode_segment",
    "header_members",
    "may_be_signed",
    "may_hold_object",
    "parse_header",
    "parse_object",
    "split",
    "split_object",
]

Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | None"
"""What a JSON text can hold."""

# Written in Rust, which takes a tenth of the time of ``binascii``; it is on the way of every token (docs/adr/0021).
_from_base64url: Final = cast(  # its annotation leaves texts out
    "Callable[[str], bytes]",
    SchemaValidator(
        core_schema.bytes_schema(), core_schema.CoreConfig(val_json_bytes="base64")
    ).validate_strings,
)
_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# RFC 4648 section 3.5: what the last character may be, where 4 or 2 of its bits belong to no byte.
_LAST: Final = (_ALPHABET, "", _ALPHABET[::16], _ALPHABET[::4])
# How a segment begins whose first byte is a brace or JSON whitespace; four bits of the next byte are in it as well.
_BEGINNINGS: Final = frozenset(
    urlsafe_b64encode(bytes((first, second)))[:2].decode()
    for first in b"{ \t\n\r"
    for second in range(0, 256, 16)
)

_SEGMENTS: Final = frozenset({2, 4})
"""The dots between the segments of a JWS and of a JWE."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a token may be (Law 2.4).

    Args:
        token: Characters of the whole token.
        header: Characters of the header segment, as it arrives.
        depth: Nesting of JSON objects and arrays, the outermost included.
        padded: Whether segments may end with the padding of base64, as those of AWS load balancers do (Law 3.1).
    """

    token: int = 16384
    header: int = 2048
    depth: int = 16
    padded: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """What a JOSE header may say to us; ``jwk``, ``jku``, ``x5u`` and ``x5c`` are never read (Law 3.3)."""

    alg: str
    kid: str | None = None
    typ: str | None = None


class Parts(NamedTuple):
    """A token taken apart; nothing of it is believed.

    Args:
        header: The header segment, as it arrived.
        payload: The decoded payload.
        signing_input: What the signature covers (RFC 7515 section 5.2).
        signature: The decoded signature.
    """

    header: str
    payload: bytes
    signing_input: bytes
    signature: bytes

    def __repr__(self) -> str:
        return f"Parts({len(self.signing_input)} and {len(self.signature)} bytes)"


_new: Final = cast("Callable[[type[Parts], tuple[str, bytes, bytes, bytes]], Parts]", tuple.__new__)
"""Makes ``Parts`` in a third of the time that its name takes: there are some for every token."""


def split(token: str, limits: Limits) -> Parts:
    """Take a compact JWS apart (RFC 7515 section 7.1); its header is read by ``parse_header``.

    Raises:
        MalformedToken: If it is too long, not three segments, or a segment is not canonical base64url.
    """
    signing_input, header, payload, signature = _segments(token, limits)
    covered = signing_input.encode("ascii", "replace")
    return Parts(header, _decoded(payload, limits), covered, _decoded(signature, limits))


def split_object(token: str, limits: Limits) -> tuple[Parts, dict[str, Any]]:
    """Take a compact JWS apart whose payload is a JSON object, and read that.

    Raises:
        MalformedToken: As ``split`` and ``parse_object`` do.
    """
    signing_input, header, payload, signature = _segments(token, limits)
    # Junk of many kilobytes is not worth decoding, as ``may_hold_object`` says.
    if payload[:2] not in _BEGINNINGS:
        raise MalformedToken("the payload is not a JSON object")
    decode = _decode_padded if limits.padded else decode_segment
    data = decode(payload)
    claims = _read_flat(data, limits)
    if claims is None:
        claims = _read_any(data, limits)
    # What is not ASCII in the header is refused by ``parse_header``, before anything is verified.
    covered = signing_input.encode("ascii", "replace")
    return _new(Parts, (header, data, covered, decode(signature))), claims


def may_hold_object(token: str) -> bool:
    """Whether a token's second segment begins as that of a JSON object does, which two characters tell of most junk."""
    dot = token.find(".")
    return dot >= 0 and token[dot + 1 : dot + 3] in _BEGINNINGS


def may_be_signed(token: str) -> bool:
    """Whether this looks like a JWS or JWE at all: 3 or 5 segments, of which the first begins as an object does.

    What does not is a token that says something to its issuer only (RFC 6749 section 1.4).
    """
    return token[:2] in _BEGINNINGS and token.count(".") in _SEGMENTS


def _segments(token: str, limits: Limits) -> tuple[str, str, str, str]:
    """What the signature covers, then header, payload and signature, none of them decoded."""
    if len(token) > limits.token:
        raise MalformedToken(f"the token has {len(token)} characters, more than {limits.token}")
    signing_input, _, signature = token.rpartition(".")
    header, dot, payload = signing_input.partition(".")
    if not dot or "." in payload:
        kind = "an encrypted token (JWE)" if _has_five_segments(token) else "no token"
        raise MalformedToken(f"a signed token has 3 segments; this is {kind}")
    return signing_input, header, payload, signature


def _has_five_segments(token: str) -> bool:
    dot = -1
    for _ in range(4):
        dot = token.find(".", dot + 1)  # which leaps, where ``count`` walks
        if dot < 0:
            return False
    return token.find(".", dot + 1) < 0


def parse_header(segment: str, limits: Limits) -> Header:
    """Read the header segment.

    Raises:
        MalformedToken: If it is too long, not a strict JSON object, without ``alg``, has a member of another
            type, or asks for an extension with ``crit`` (Law 3.3) or ``b64`` (RFC 7797 section 7).
    """
    members = header_members(segment, limits)
    if "crit" in members or "b64" in members:
        raise MalformedToken("the header asks for an extension (crit, b64) that is not implemented")
    alg, kid, typ = (members.get(name) for name in ("alg", "kid", "typ"))
    if not isinstance(alg, str):
        raise MalformedToken("the header has no alg that is a string")
    for name in ("kid", "typ"):
        if name in members and not isinstance(members[name], str):
            raise MalformedToken(f"the header's {name} is not a string")
    return Header(alg, kid, typ)


def header_members(segment: str, limits: Limits) -> dict[str, Any]:
    """What a header segment holds, whatever that is.

    Raises:
        MalformedToken: If it is too long, or not a strict JSON object.
    """
    if len(segment) > limits.header:
        raise MalformedToken(f"the header has {len(segment)} characters, more than {limits.header}")
    return parse_object(_decoded(segment, limits), limits)


def parse_object(data: bytes, limits: Limits) -> dict[str, Any]:
    """Read a JSON object that every reader reads alike (Law 3.1).

    Args:
        data: UTF-8 without a byte order mark.
        limits: Of which ``depth`` counts here.

    Raises:
        MalformedToken: If it is not an object, repeats a member, holds NaN, Infinity, too large a number or a
            lone surrogate, or is nested too deeply.
    """
    found = _read_flat(data, limits)
    return _read_any(data, limits) if found is None else found


def _read_flat(data: bytes, limits: Limits) -> dict[str, Any] | None:
    """Read one object that holds no other, which most payloads are; None where it takes ``_read_any`` to tell.

    It is exact: whatever it reads, ``_read_any`` reads alike. With no brace but the first there is one object, so
    the decoder makes pairs of that one alone, and no member is repeated if no pair is lost on the way to a
    dictionary. With no backslash no text holds half a surrogate pair. With fewer brackets than levels are allowed,
    the brace being one level, nothing is too deep. The constants and the numbers meet the same hooks.
    """
    try:
        text = data.decode("utf-8")
        if text.find("{", 1) >= 0 or "\\" in text or text.count("[") >= limits.depth:
            return None
        pairs: tuple[tuple[str, Any], ...]
        pairs, end = _FLAT.raw_decode(text)
    except (_Refused, ValueError, RecursionError):
        return None
    if end != len(text) or pairs.__class__ is not tuple:  # a list or a bare value
        return None
    members = dict(pairs)
    return members if len(members) == len(pairs) else None


def _read_any(data: bytes, limits: Limits) -> dict[str, Any]:
    value: Json
    try:
        text = data.decode("utf-8").strip(_WHITESPACE)
        value, end = _DECODER.raw_decode(text)
        if b"\\" in data:  # an escape may bring half a surrogate pair, which cannot be written again
            _ENCODER.encode(value).encode("utf-8")
    except _Refused as refused:
        raise MalformedToken(str(refused)) from None
    except UnicodeError:
        raise MalformedToken("not text in UTF-8") from None
    except RecursionError:
        raise MalformedToken("nested too deeply") from None
    except ValueError:  # a JSONDecodeError, or an integer of more digits than CPython converts
        raise MalformedToken("not JSON") from None
    if not isinstance(value, dict) or end != len(text):
        raise MalformedToken("not one JSON object")
    # What has no more brackets than levels are allowed need not be walked.
    if data.count(b"{") + data.count(b"[") > limits.depth and _is_deeper(value, limits.depth):
        raise MalformedToken(f"nested deeper than {limits.depth}")
    return value


def decode_segment(segment: str) -> bytes:
    """Decode canonical, unpadded base64url (RFC 7515 section 2).

    The library also reads padding, and either alphabet. Padding counts as length, so it and whatever else is read as
    nothing leaves fewer bytes than the characters must give; the other alphabet is looked for.

    Raises:
        MalformedToken: If it is anything else.
    """
    if not segment:
        return b""
    try:
        data = _from_base64url(segment)
    except ValueError:
        raise MalformedToken("a segment is not base64url") from None
    size = len(segment)
    if len(data) != size * 3 // 4 or segment[-1] not in _LAST[size % 4] or "+" in segment or "/" in segment:
        raise MalformedToken("a segment is not canonical base64url")
    return data


def _decoded(segment: str, limits: Limits) -> bytes:
    return _decode_padded(segment) if limits.padded else decode_segment(segment)


def _decode_padded(segment: str) -> bytes:
    """Decode a segment that may have its padding: all of it, or none."""
    if segment[-1:] != "=":
        return decode_segment(segment)
    if len(segment) % 4:
        raise MalformedToken("a segment has not the padding of its length")
    return decode_segment(segment[:-2] if segment.endswith("==") else segment[:-1])


def encode_segment(data: bytes) -> str:
    """Encode as base64url without padding (RFC 7515 section 2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


class _Refused(Exception):
    """Raised by the hooks of the JSON decoder, with a reason that tells nothing of the input."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Refused("a member occurs twice")
    return members


def _constant(_name: str) -> NoReturn:
    raise _Refused("NaN and Infinity are not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _Refused("a number is too large")
    return number


_WHITESPACE: Final = " \t\n\r"  # RFC 8259 section 2
_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_constant, parse_float=_finite)
_FLAT: Final = json.JSONDecoder(object_pairs_hook=tuple, parse_constant=_constant, parse_float=_finite)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)


def _is_deeper(value: Json, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [child for parent in level for child in _children(parent)]
    return any(isinstance(value, (dict, list)) for value in level)


def _children(value: Json) -> Iterable[Json]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
