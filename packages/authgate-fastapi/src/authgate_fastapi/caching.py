"""What caches are told about responses that depend on who was admitted (Law 1.7)."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import lru_cache
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

from authgate_core.challenge import admitted_headers
from authgate_core.headers import CACHE_CONTROL, VARY

from .visit import Visit

__all__ = ["Marked", "mark"]

_OURS: Final = frozenset(name.lower().encode("latin-1") for name in (CACHE_CONTROL, VARY))


class Marked:
    """Sends on what an application sends, its response marked by the guards that let the request in.

    Args:
        visit: Whom to ask for them.
        send: Where it goes.
    """

    __slots__ = ("_send", "_visit")

    def __init__(self, visit: Visit, send: Send) -> None:
        self._visit = visit
        self._send = send

    def __call__(self, message: Message) -> Awaitable[None]:
        """Mark the start of a response, and send it on."""
        if message["type"] == "http.response.start" and (read := self._visit.read()) is not None:
            headers = message["headers"] = [*message.get("headers", ())]  # optional in ASGI
            for name, _ in headers:
                if name in _OURS:
                    mark(read, MutableHeaders(raw=headers))
                    break
            else:
                headers += _marks(read)
        return self._send(message)


def mark(read: tuple[str, ...], headers: MutableHeaders) -> None:
    """Add to the headers of a response what guards have read credentials from; what is set stands."""
    marks = admitted_headers(headers.get(CACHE_CONTROL), headers.getlist(VARY), read)
    for name, value in marks.items():
        headers[name] = value


@lru_cache(maxsize=64)
def _marks(read: tuple[str, ...]) -> tuple[tuple[bytes, bytes], ...]:
    """What is added to a response whose handler says nothing of caches, as most."""
    headers = MutableHeaders(admitted_headers(None, (), read))
    return tuple(headers.raw)
