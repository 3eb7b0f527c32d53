"""A compact JWS taken apart, and its header: one spelling for each token, or none (Laws 2.4, 3.1, 3.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from authgate_core.errors import MalformedToken
from authgate_core.jose.compact import Limits, Parts, parse_header, parse_object, split, split_object
from authgate_core.testing.shapes import encode_segment

from ..honest import hostile_tokens
from ..target import hold

__all__ = ["probe", "seeds"]

_LIMITS: Final = Limits()
_Read: TypeAlias = tuple[Parts, dict[str, object]]


def probe(data: bytes) -> None:
    """What is taken apart can be put together again to the same text, and is read alike in one step and in two."""
    token = data.decode("utf-8", "surrogateescape")
    for limits in (_LIMITS, Limits(depth=2, padded=True)):
        at_once, in_steps = (_read(how, token, limits) for how in (split_object, _read_in_steps))
        hold("a token is read alike in one step and in two", kept=repr(at_once) == repr(in_steps))
        hold("and gives the same bytes", kept=_bytes_of(at_once) == _bytes_of(in_steps))
    try:
        parts = split(token, _LIMITS)
        header = parse_header(parts.header, _LIMITS)
    except MalformedToken:
        return
    again = f"{parts.header}.{encode_segment(parts.payload)}.{encode_segment(parts.signature)}"
    hold("a token has one spelling", kept=again == token)
    hold(
        "the signature covers header and payload",
        kept=token.rpartition(".")[0].encode() == parts.signing_input,
    )
    hold("kid and typ are text or absent", kept={type(header.kid), type(header.typ)} <= {str, type(None)})
    hold("alg is text", kept=isinstance(header.alg, str))


def _read(how: Callable[[str, Limits], _Read], token: str, limits: Limits) -> _Read | None:
    try:
        return how(token, limits)
    except MalformedToken:
        return None


def _read_in_steps(token: str, limits: Limits) -> _Read:
    parts = split(token, limits)
    return parts, parse_object(parts.payload, limits)


def _bytes_of(read: _Read | None) -> tuple[object, ...] | None:
    return None if read is None else tuple(read[0])


def seeds() -> Iterator[bytes]:
    """Hostile tokens and their twins."""
    for token in hostile_tokens():
        yield token.encode("utf-8")
