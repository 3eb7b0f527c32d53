"""What most services write: plain redis-py with its defaults, asked once per request."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Final

from redis.exceptions import RedisError

from ..rows import Form
from .trial import LASTS
from .world import Fault, Plain, world

__all__ = ["Plainly"]

_KEY: Final = "revoked:the-token"
_ENDED: Final = 2.0

WATCHED: Final[dict[Form, float]] = {"short": LASTS["short"], "full": 20.0}
"""How long one request is watched, in seconds; the fault lasts as long."""


@dataclass(frozen=True, slots=True)
class Plainly:
    """Asks whether a token is revoked, which it is, while and after a server misbehaves.

    Args:
        fault: How it misbehaves.
        brief: Whether it cannot last longer than in the short form.
    """

    fault: Fault
    brief: bool = False

    def __call__(self, form: Form) -> str:
        """Do it, and say how long a request waited and what it was told."""
        with world(self.fault) as surroundings:
            client = self.fault.plain(surroundings)
            client.set(_KEY, 1)
            surroundings.marker = _KEY
            self.fault.begin(surroundings)
            request = _Request(client)
            request.watch(WATCHED["short" if self.brief else form])
            self.fault.end(surroundings)
            while_it_lasted = str(request)
            request.watch(_ENDED)
            later = _Request(client)
            later.watch(_ENDED)
            return f"redis-py while it lasts: {while_it_lasted}; afterwards: {later}"


class _Request:
    """One question in a thread of its own, which nothing else ends."""

    def __init__(self, client: Plain) -> None:
        self._client = client
        self._began = time.monotonic()
        self._said = ""
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def watch(self, seconds: float) -> None:
        """Wait for the answer, at most so long."""
        self._thread.join(seconds)

    def _ask(self) -> None:
        try:
            answer = "revoked" if self._client.exists(_KEY) else "NOT revoked"
        except RedisError as error:
            answer = type(error).__name__
        self._said = f"{answer} after {time.monotonic() - self._began:.1f} s"

    def __str__(self) -> str:
        return self._said or f"no answer for {time.monotonic() - self._began:.0f} s, and still waiting"
