"""PyJWT's ``PyJWKClient`` in the place of a gate, used as its documentation shows, with its defaults."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Final, TypeVar

import jwt
from jwt import api_jwk, jwk_set_cache, jwks_client
from jwt.types import Options

from .clocks import MovedClock
from .houses import ADMITTED, Answer, Mint, Throng, crowd_of_threads, throng_of_threads

__all__ = ["NO_ANSWER", "PeerHouse"]

T = TypeVar("T")

NO_ANSWER: Final = "no answer yet"
ALGORITHMS: Final = ["EdDSA", "RS512"]
UNCHECKED: Final = Options(verify_exp=False, verify_iat=False, verify_nbf=False, verify_sub=False)


class PeerHouse:
    """The key of a token by ``get_signing_key_from_jwt``, then ``jwt.decode``.

    It takes no clock, so the name ``time`` in its three modules is bound to one that can be moved. Dates and
    subjects of tokens are not checked: ``decode`` reads the machine's clock, takes no object for a subject, and
    nothing here is about them.

    Args:
        url: Where the keys are; where each tenant has keys of its own, a function of the token that says where.
        issuer: The ``iss`` that is expected.
        audience: The ``aud`` that is expected.
        clock: The time.
        patience: After how many seconds a request is given up here that it goes on waiting for.
    """

    def __init__(
        self,
        url: str | Callable[[str], str],
        *,
        issuer: str,
        audience: str,
        clock: MovedClock,
        patience: float,
    ) -> None:
        for module in (api_jwk, jwk_set_cache, jwks_client):
            module.time = clock.module()  # type: ignore[attr-defined] # an import of theirs
        self._url = url
        self._clients: dict[str, jwt.PyJWKClient] = {}
        self._issuer = issuer
        self._audience = audience
        self._patience = patience
        self._lock = threading.Lock()

    def admit(self, token: str) -> str:
        """``admitted``, or the name of the exception; whichever it is, its users have to know it."""
        try:
            key = self._client(token).get_signing_key_from_jwt(token)
            jwt.decode(token, key, ALGORITHMS, UNCHECKED, audience=self._audience, issuer=self._issuer)
        except Exception as error:  # noqa: BLE001 - what leaves it is what is measured
            return type(error).__name__
        return ADMITTED

    def _client(self, token: str) -> jwt.PyJWKClient:
        url = self._url if isinstance(self._url, str) else self._url(token)
        with self._lock:
            return self._clients.setdefault(url, jwt.PyJWKClient(url))

    def ask(self, token: str) -> Answer:
        """One request, given up when it takes too long."""
        told: queue.SimpleQueue[str] = queue.SimpleQueue()
        started = time.monotonic()
        threading.Thread(target=lambda: told.put(self.admit(token)), daemon=True).start()
        try:
            said = told.get(timeout=self._patience)
        except queue.Empty:
            said = NO_ANSWER
        return Answer(said, time.monotonic() - started)

    async def asked(self, token: str) -> Answer:
        """One request, on a thread, since it has no coroutines."""
        return await asyncio.to_thread(self.ask, token)

    def run(self, coroutine: Coroutine[object, object, T]) -> T:
        """What a coroutine returns on a new loop."""
        return asyncio.run(_whole(coroutine))

    def reborn(self) -> PeerHouse:
        """Itself."""
        return self

    def crowd(self, tokens: Sequence[str]) -> list[Answer]:
        """So many threads."""
        return crowd_of_threads(self.ask, tokens)

    def throng(self, seconds: float, innocent: Mint, *, junk: Mint, attackers: int) -> Throng:
        """A thread for each caller."""
        return throng_of_threads(self.ask, seconds, innocent, junk=junk, attackers=attackers)

    def warm_up(self) -> str:
        """Fetch the keys, and tell how that went."""
        try:
            return f"{len(self._client('').get_signing_keys())} key"
        except jwt.PyJWKClientError as error:
            return type(error).__name__

    def settle(self) -> None:
        """Nothing of it runs in the background."""

    def close(self) -> None:
        """It holds nothing."""


async def _whole(coroutine: Coroutine[object, object, T]) -> T:
    return await coroutine  # asyncio.run wants to know more of a coroutine's type than anybody does here
