"""Entries of the revocation store: read in one way, or an error that is never "not revoked" (Laws 3.11, 5.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, get_args

from authgate_core.errors import RevocationUnavailable
from authgate_core.io.redis.mercury import read_version
from authgate_core.principal import ProjectRef, RevocationKind
from authgate_core.revocation import Mark, Subject, is_refused, merged, read_mark, write_mark

from ..target import hold

__all__ = ["probe", "seeds"]

_KINDS: Final[tuple[RevocationKind, ...]] = get_args(RevocationKind)
_PROJECT: Final = ProjectRef("shop", 0)


def probe(data: bytes) -> None:
    """The bytes of one entry, in our own layout and as a version in Mercury's."""
    _probe_version(data)
    try:
        subject, mark = read_mark(data)
    except ValueError:
        return
    hold("a mark is written and read as it is", kept=read_mark(write_mark(subject, mark)) == (subject, mark))
    hold("it has a place in the store", kept=bool(subject.group() and subject.digest()))
    hold(
        "it refuses no less for being merged",
        kept=_refuses(subject, merged(mark, mark)) >= _refuses(subject, mark),
    )


def _refuses(subject: Subject, mark: Mark) -> bool:
    return is_refused(_PROJECT, [(subject, mark)])


def _probe_version(data: bytes) -> None:
    try:
        version = read_version(data)
    except RevocationUnavailable:
        return
    hold("a version is a whole number", kept=str(version).encode() == data)


def seeds() -> Iterator[bytes]:
    """Marks of each kind, and versions."""
    marks = (Mark(), Mark(1.8e9), Mark(1.8e9, "s1", 1.7e9, 0, 1.9e9), Mark(version=3), Mark(expires_at=1.9e9))
    for kind in _KINDS:
        for mark in marks:
            yield write_mark(Subject("id", None, kind, "x"), mark)
            yield write_mark(Subject("id", "t1", kind, "\u00e9"), mark)
    yield from (b"0", b"7", b"-1", b"01", b" 1", b"9999999999999999999")
