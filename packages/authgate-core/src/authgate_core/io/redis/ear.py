"""One connection that hears what is published on channels of a Redis server."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from redis.exceptions import InvalidResponse
from redis.exceptions import TimeoutError as RedisTimeoutError

from .handles import Connection
from .protocol import Limits, Query, as_bytes, as_list, readable

__all__ = ["BEAT", "EAR_LIMITS", "Ear"]

BEAT: Final = 0.5
"""How long silence lasts before the server is asked whether it is there, in seconds; and it may answer as long."""

EAR_LIMITS: Final = Limits(connect=1.0, reply=1.0, total=2.0)
"""How long the server may take to let somebody listen."""


class Ear:
    """Listens on a connection, which is of no use any more once anything here raises.

    Args:
        connection: Not connected yet.
        channels: What to listen to.
    """

    def __init__(self, connection: Connection, channels: Sequence[str]) -> None:
        self._connection = connection
        self._channels = tuple(channels)
        self._was_asked = False

    def open(self) -> None:
        """Connect, and subscribe to every channel.

        Raises:
            RedisError, OSError, UnicodeError: If the server does not answer, or does not let us.
        """
        with readable():
            self._connection.allow(time.monotonic() + EAR_LIMITS.connect)
            self._connection.connect()
            self._connection.allow(time.monotonic() + EAR_LIMITS.reply)
            self._send((("SUBSCRIBE", *self._channels),))
            for channel in self._channels:
                kind, about, *_ = self._read()
                if (kind, about) != (b"subscribe", channel.encode()):
                    raise InvalidResponse("the server answered something else than a subscription")

    def next(self) -> tuple[str, bytes] | None:
        """The next message and its channel, or None after a while without one.

        Raises:
            RedisError, OSError, UnicodeError: If the connection is over, or the server does not answer.
        """
        with readable():
            self._connection.allow(time.monotonic() + BEAT)
            try:
                kind, *rest = self._read()
            except RedisTimeoutError:
                if self._was_asked:
                    raise
                self._was_asked = True
                self._send((("PING",),))
                return None
        self._was_asked = False
        if kind != b"message":
            return None
        channel, data = rest
        return channel.decode(), data

    def close(self) -> None:
        """Close the connection."""
        self._connection.disconnect()

    def _send(self, query: Query) -> None:
        self._connection.send_packed_command(self._connection.pack_commands(query), check_health=False)

    def _read(self) -> list[bytes]:
        # What has arrived of a message when the time is over stays where it is, to be read on later.
        reply = as_list(self._connection.read_response(disconnect_on_error=False))
        if len(reply) < 2:
            raise InvalidResponse("the server answered something else than is said to who listens")
        return [as_bytes(part) or b"" for part in reply if not isinstance(part, int)]
