"""A compact JWS taken apart, and its header: one spelling for each token, or none (Laws 2.4, 3.1, 3.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from authgate_core.errors import MalformedToken
from authgate_core.jose.compact import Limits, parse_header, split
from authgate_core.testing.shapes import encode_segment

from ..honest import hostile_tokens
from ..target import hold

__all__ = ["probe", "seeds"]

_LIMITS: Final = Limits()


def probe(data: bytes) -> None:
    """What is taken apart can be put together again to the same text."""
    token = data.decode("utf-8", "surrogateescape")
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


def seeds() -> Iterator[bytes]:
    """Hostile tokens and their twins."""
    for token in hostile_tokens():
        yield token.encode("utf-8")
