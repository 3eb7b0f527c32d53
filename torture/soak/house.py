"""The two gates that are soaked, with an event loop of its own for the one that needs it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, Final, Self, TypeVar

import authgate_core as ag
from authgate_core.testing import FakeIssuer

from .stock import LIFETIME

__all__ = ["House"]

T = TypeVar("T")

_NAME: Final = "id"
_REMEMBERED: Final = 256
"""Few, so that the cache is full before memory is judged."""


class House:
    """A ``Gate`` and an ``AsyncGate`` before the same issuer and the same Redis; a context manager that closes them.

    The one asks Redis at every request, the other follows the feed.

    Args:
        issuer: The issuer.
        url: Where Redis is.
    """

    def __init__(self, issuer: FakeIssuer, url: str) -> None:
        trusted = ag.Issuer.oidc(
            issuer.url, audience=issuer.audience, name=_NAME, leeway=0.0, max_lifetime=LIFETIME
        )
        asking = ag.RedisRevocation(url)
        config = ag.GateConfig(issuers=[trusted], revocation=asking, verified_tokens=_REMEMBERED)
        self.gate = ag.Gate(config)
        self.async_gate = ag.AsyncGate(replace(config, revocation=replace(asking, feed=True)))
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="soak-loop")

    def __enter__(self) -> Self:
        self._thread.start()
        self.gate.warm_up()
        self.run(self.async_gate.warm_up())
        return self

    def __exit__(self, *exception: object) -> None:
        self.gate.close()
        self.run(self.async_gate.aclose())
        self.run(self.loop.shutdown_asyncgens())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in the loop of the ``AsyncGate``, from another thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def forget(self, kid: str) -> None:
        """Let both gates forget a key at once (Law 4.7)."""
        self.gate.keys.forget(_NAME, kid)
        self.async_gate.keys.forget(_NAME, kid)

    def reload(self) -> None:
        """Tell both gates that the entries of Redis were written again (Law 5.10)."""
        self.gate.revocations.reload()
        self.run(self.async_gate.revocations.reload())

    def silent(self, token: str) -> list[str]:
        """Which gates do not admit a good token, asked one after the other, and what they say of Redis."""
        found: list[str] = []
        for gate, ask in ((self.gate, self._ask), (self.async_gate, self._ask_async)):
            try:
                ask(token)
            except Exception as error:  # noqa: BLE001 - whatever it is counts, and is told
                (source,) = gate.health().revocation
                found.append(
                    f"{type(gate).__name__} ({error!r}; Redis is {source.status}, {source.last_error})"
                )
        return found

    def _ask(self, token: str) -> None:
        self.gate.verify_token(token)

    def _ask_async(self, token: str) -> None:
        self.run(self.async_gate.verify_token(token))
