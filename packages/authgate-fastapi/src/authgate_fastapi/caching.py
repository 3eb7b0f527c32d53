"""What caches are told about responses that depend on who was admitted (Law 1.7)."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

from authgate_core.challenge import admitted_headers
from authgate_core.headers import CACHE_CONTROL, VARY

from .visit import Visit

__all__ = ["Marked", "mark"]


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

    async def __call__(self, message: Message) -> None:
        """Mark the start of a response, and send it on."""
        if message["type"] == "http.response.start" and self._visit.grants:
            message.setdefault("headers", [])  # optional in ASGI
            mark(self._visit, MutableHeaders(scope=message))
        await self._send(message)


def mark(visit: Visit, headers: MutableHeaders) -> None:
    """Add what the guards of a visit have to say to the headers of its response; what is set stands."""
    read = [name for grant in visit.grants for name in grant.gate.headers_read(grant.policy)]
    marks = admitted_headers(headers.get(CACHE_CONTROL), headers.getlist(VARY), dict.fromkeys(read))
    for name, value in marks.items():
        headers[name] = value
