"""A real issuer for tests, demos and examples, which can be made to misbehave."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Final, Self

from ..clock import Clock
from .hostile import HostileTokens
from .server import Answer, Asked, LoopbackServer
from .tokens import TokenMint

__all__ = ["DISCOVERY_PATH", "JWKS_PATH", "FakeIssuer"]

DISCOVERY_PATH: Final = "/.well-known/openid-configuration"
JWKS_PATH: Final = "/jwks"

_NOWHERE: Final = "https://issuer.test"
_ERROR_PAGE: Final = b"<!doctype html><title>Error</title><p>Please try again later."


@dataclass(frozen=True, slots=True)
class _Mood:
    """How the issuer answers at present.

    Args:
        delay: Seconds before each answer.
        instead: Sent in the place of the truth.
        paths: Where ``instead`` is sent; None for everywhere.
        over: Set when another mood has taken over, which ends the delay.
    """

    delay: float = 0.0
    instead: Answer | None = None
    paths: frozenset[str] | None = None
    over: threading.Event = field(default_factory=threading.Event)

    def lie(self, path: str) -> Answer | None:
        return self.instead if self.paths is None or path in self.paths else None


class FakeIssuer(TokenMint):
    """An OpenID provider as far as an API sees one: real keys, real tokens, real HTTP.

    It is served on 127.0.0.1 while used as a context manager, or between ``start`` and ``stop``; tokens and
    ``jwks()`` work without that. One that was stopped and is started again has the same address::

        with FakeIssuer(audience="orders-api") as issuer:
            gate = Gate(GateConfig(issuers=[Issuer.oidc(issuer.url, audience=issuer.audience)]))
            gate.verify_token(issuer.token("u1", scope="orders:read"))

    Args:
        audience: The ``aud`` of its tokens.
        algorithm: What the first key signs with: RS, PS or ES 256 to 512, or EdDSA.
        url: The ``iss`` of its tokens; by default the address at which it is served, or ``https://issuer.test``
            where it never was.
        clock: What ``iat`` and ``exp`` are counted from; the machine's by default.

    Attributes:
        audience: The ``aud`` of its tokens.
    """

    def __init__(
        self,
        *,
        audience: str = "test-api",
        algorithm: str = "RS256",
        url: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(url or _NOWHERE, audience=audience, algorithm=algorithm, clock=clock)
        self._is_named_by_address = url is None
        self._address: str | None = None
        self._port = 0
        self._server: LoopbackServer | None = None
        self._lock = threading.Lock()
        self._hits: Counter[str] = Counter()
        self._mood = _Mood()
        self._max_age: int | None = None

    @property
    def url(self) -> str:
        """The issuer, as in ``iss``."""
        return self._address if self._address is not None and self._is_named_by_address else self._url

    @property
    def jwks_url(self) -> str:
        """Where the key set is."""
        return f"{self._address or self._url}{JWKS_PATH}"

    @property
    def discovery_url(self) -> str:
        """Where the discovery document is."""
        return f"{self._address or self._url}{DISCOVERY_PATH}"

    @property
    def hostile(self) -> HostileTokens:
        """Tokens that no gate may accept."""
        return HostileTokens(self)

    def start(self) -> Self:
        """Serve; does nothing while served."""
        self._become(lambda mood: mood)
        self._placed().start()
        self._settle()
        return self

    def stop(self) -> None:
        """Serve no longer; requests under way are cut, and no thread is left behind."""
        if self._server is not None:
            self._server.stop()
            self._server = None  # it knows this issuer: without the circle, keys come back at once for reuse

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def outage(self, status: int | None = 503) -> None:
        """Answer everything with an error status; with None, cut all connections and refuse new ones."""
        if status is None:
            self._placed().refuse()
            self._settle()
        else:
            self.answer(b"", status=status, content_type="text/plain")

    def slow(self, seconds: float) -> None:
        """Hold every request for so long before it is answered, or until ``recover``."""
        self._become(lambda mood: replace(mood, delay=seconds))

    def html(self) -> None:
        """Answer everything with an error page and status 200, as proxies do."""
        self.answer(_ERROR_PAGE, content_type="text/html; charset=utf-8")

    def empty_keys(self) -> None:
        """Publish a valid key set that has no keys."""
        self.answer(b'{"keys":[]}', paths=[JWKS_PATH])

    def answer(
        self,
        body: bytes | Iterable[bytes],
        *,
        status: int = 200,
        content_type: str = "application/json",
        headers: Iterable[tuple[str, str]] = (),
        paths: Iterable[str] | None = None,
    ) -> None:
        """Answer with this in the place of the truth, until ``recover``.

        Args:
            body: The body; pieces are sent without a length, one by one.
            status: The HTTP status.
            content_type: The ``Content-Type``.
            headers: Further headers.
            paths: Where; by default everywhere.
        """
        lie = Answer(body, status, content_type, tuple(headers))
        where = None if paths is None else frozenset(paths)
        self._become(lambda mood: replace(mood, instead=lie, paths=where))

    def recover(self) -> None:
        """End ``outage``, ``slow`` and every other untrue answer; requests that are held are answered now."""
        self._become(lambda _: _Mood())
        if self._server is not None and self._server.is_refusing:
            self._server.start()

    def max_age(self, seconds: int | None) -> None:
        """Send ``Cache-Control: max-age`` with the documents; with None, as at first, no such header."""
        self._max_age = seconds

    @property
    def hits(self) -> Counter[str]:
        """How many requests arrived, by path, counted before they are held or answered; a copy."""
        with self._lock:
            return self._hits.copy()

    def reset_hits(self) -> None:
        """Count from zero again."""
        with self._lock:
            self._hits.clear()

    def _placed(self) -> LoopbackServer:
        if self._server is None:
            self._server = LoopbackServer(self._respond, release=self._release, port=self._port)
        return self._server

    def _settle(self) -> None:
        self._port, self._address = self._placed().port, self._placed().url

    def _respond(self, asked: Asked) -> Answer:
        with self._lock:
            self._hits[asked.path] += 1
            mood = self._mood
        if mood.delay:
            mood.over.wait(mood.delay)
            mood = self._mood
        return mood.lie(asked.path) or self._truth(asked.path)

    def _truth(self, path: str) -> Answer:
        document = self._documents().get(path)
        if document is None:
            return Answer(b"", status=404, content_type="text/plain")
        cache = () if self._max_age is None else (("Cache-Control", f"max-age={self._max_age}"),)
        return Answer(json.dumps(document).encode(), headers=cache)

    def _documents(self) -> Mapping[str, object]:
        discovery = {
            "issuer": self.url,
            "jwks_uri": self.jwks_url,
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": sorted({self.key(kid).algorithm for kid in self.kids}),
        }
        return {DISCOVERY_PATH: discovery, JWKS_PATH: self.jwks()}

    def _become(self, change: Callable[[_Mood], _Mood]) -> None:
        with self._lock:
            before = self._mood
            self._mood = replace(change(before), over=threading.Event())
        before.over.set()

    def _release(self) -> None:
        self._mood.over.set()
