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
_REMEMBERED: Final = 2000


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

    def answers(self, token: str) -> bool:
        """Whether both gates admit a good token, asked one after the other."""
        try:
            self.gate.verify_token(token)
            self.run(self.async_gate.verify_token(token))
        except Exception:  # noqa: BLE001 - what it was, the crowd has seen as well and tells
            return False
        return True
