"""What is called by services under test, and who issues their tokens."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from authgate_core.testing import FakeIssuer
from authgate_core.testing.server import Answer, Asked, LoopbackServer

__all__ = ["CLIENT", "SECRET", "Callee", "calling", "issuing"]

CLIENT = "orders"
SECRET = "the secret of orders"


@dataclass(slots=True)
class Callee:
    """A service on loopback that is called.

    Attributes:
        accepts: Whether it accepts a token that it is shown.
        moved: Where it sends callers on to.
        asked: Every request that arrived, in order.
    """

    accepts: bool = True
    moved: str | None = None
    asked: list[Asked] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    _server: LoopbackServer | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """Where it is."""
        assert self._server is not None
        return self._server.url

    @property
    def shown(self) -> list[str | None]:
        """What stood in ``Authorization``, request by request."""
        return [asked.headers.get("authorization") for asked in self.asked]

    def respond(self, asked: Asked) -> Answer:
        """What a caller is answered."""
        with self._lock:
            self.asked.append(asked)
        if self.moved is not None:
            return Answer(b"", status=307, headers=(("Location", self.moved),))
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        return Answer(b"{}", status=200 if self.accepts and token not in self.refused else 401)

    def serve(self) -> LoopbackServer:
        """Begin to listen."""
        self._server = LoopbackServer(self.respond)
        self._server.start()
        return self._server


@contextmanager
def calling() -> Generator[Callee]:
    """A callee that listens for as long as the block lasts."""
    callee = Callee()
    server = callee.serve()
    try:
        yield callee
    finally:
        server.stop()


@contextmanager
def issuing() -> Generator[FakeIssuer]:
    """An issuer that knows the client."""
    with FakeIssuer(audience=CLIENT) as issuer:
        issuer.desk.clients[CLIENT] = SECRET
        yield issuer
