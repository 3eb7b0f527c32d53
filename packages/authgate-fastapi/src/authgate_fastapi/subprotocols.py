"""Tokens that a browser offers as a subprotocol, because it can set no header of a WebSocket handshake."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from starlette.types import Message, Scope

from authgate_core.credentials import SUBPROTOCOL

__all__ = ["answered", "take_credentials"]

_COMPANION: Final = "authgate"
_HEADER: Final = b"sec-websocket-protocol"


def take_credentials(scope: Scope) -> tuple[str, ...]:
    """Take the credentials out of what a client offers, so that no application can answer with one.

    Returns:
        The subprotocols that hold them.
    """
    if scope["type"] != "websocket":
        return ()
    offered: list[str] = [*scope.get("subprotocols", ())]
    credentials = tuple(filter(_is_credential, offered))
    if credentials:
        scope["subprotocols"] = [name for name in offered if not _is_credential(name)]
        scope["headers"] = [*_without_credentials(scope["headers"])]
    return credentials


def answered(acceptance: Message, scope: Scope, credentials: tuple[str, ...]) -> Message:
    """An acceptance as it is sent: browsers give up on one that names none of what they offered.

    Args:
        acceptance: The application's.
        scope: What the client offers besides its credentials.
        credentials: What was taken.
    """
    if credentials and acceptance.get("subprotocol") is None and scope["subprotocols"] == [_COMPANION]:
        return {**acceptance, "subprotocol": _COMPANION}
    return acceptance


def _is_credential(name: str) -> bool:
    return name.lower().startswith(SUBPROTOCOL)


def _without_credentials(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    for name, value in headers:
        if name.lower() != _HEADER:
            yield name, value
            continue
        offered = (one.strip() for one in value.split(b","))
        others = [one for one in offered if not _is_credential(one.decode("latin-1"))]
        if others:
            yield name, b", ".join(others)
