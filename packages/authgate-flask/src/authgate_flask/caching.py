"""What shared caches are told about responses that depend on who was admitted (Law 1.7)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from flask import Response
from werkzeug.datastructures import Headers

from authgate_core.challenge import admitted_headers
from authgate_core.headers import CACHE_CONTROL, VARY

from .visit import known_visit, this_request

__all__ = ["keep_private"]

_OURS: Final = frozenset(name.lower() for name in (CACHE_CONTROL, VARY))


def keep_private(response: Response) -> Response:
    """Say of a response that a guard let its request in: private, and varying with what the guard read."""
    visit = known_visit(this_request())
    if visit is not None and visit.admission is not None:
        _mark(response.headers, tuple(visit.read))
    return response


def _mark(held: Headers, read: tuple[str, ...]) -> None:
    if _OURS.isdisjoint([name.lower() for name, _ in held]):
        for name, value in _marks(read):
            held.add(name, value)
        return
    marks = admitted_headers(held.get(CACHE_CONTROL), held.getlist(VARY), read)
    for name, value in marks.items():
        held[name] = value


@lru_cache(maxsize=64)
def _marks(read: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """What is added to a response whose view says nothing of caches, as most."""
    return tuple(admitted_headers(None, (), read).items())
