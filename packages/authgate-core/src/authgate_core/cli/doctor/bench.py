"""The parts of a gate that ask issuers, put together so that everything they ask can be seen."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Final, Self

from ...clock import Clock, Instant
from ...config import GateConfig
from ...errors import AuthUnavailable
from ...events import Notice
from ...flows.project_token import TrustedProjects
from ...flows.trust import TrustedIssuer
from ...gate.trusting import Trusting
from ...io.http import SafeHttp
from ...ports import HttpPort
from ...request import HttpReply, HttpRequest
from ...runner import Ports, Runner
from ...runner.exchanges import Exchanges
from ...runner.refresher import KeyRefresher

__all__ = ["Bench", "Exchange", "WatchedHttp"]

_RESOLUTION: Final = 1.0
"""The ``Date`` of an answer is told in whole seconds."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, and what came of it.

    Args:
        url: What was asked.
        began: When.
        ended: When the answer was there, or it was clear that there would be none.
        reply: The answer; None for none.
    """

    url: str
    began: Instant
    ended: Instant
    reply: HttpReply | None

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended.mono - self.began.mono

    @property
    def skew(self) -> tuple[float, float] | None:
        """How many seconds the other clock is ahead, and how exactly that is known; None where it was not told."""
        try:
            told = parsedate_to_datetime("" if self.reply is None else self.reply.headers.get("date", ""))
            ahead = told.timestamp() + _RESOLUTION / 2 - (self.began.wall + self.ended.wall) / 2
        except (ValueError, OverflowError):
            return None
        return ahead, self.seconds / 2 + _RESOLUTION / 2


class WatchedHttp:
    """An ``HttpPort`` that remembers what it sent.

    Args:
        http: Sends the requests.
        clock: Tells when.
    """

    def __init__(self, http: HttpPort, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self.seen: list[Exchange] = []

    def send(self, request: HttpRequest) -> HttpReply:
        """Send one request.

        Raises:
            AuthUnavailable: As the port does that sends it.
        """
        began = self._clock.now()
        try:
            reply = self._http.send(request)
        except AuthUnavailable:
            self.seen.append(Exchange(request.url, began, self._clock.now(), None))
            raise
        self.seen.append(Exchange(request.url, began, self._clock.now(), reply))
        return reply

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()


@dataclass(frozen=True, slots=True)
class Bench:
    """The issuers of a configuration with their rules and keys, as a gate would have them.

    Args:
        config: The configuration, of which nothing is wrong.
        clock: Where the time comes from.
        http: Sends the requests of all parts.
        refresher: Fetches keys.
        issuers: The issuers of Bearer tokens.
        projects: The issuers of project tokens, by ``iss``.
        runner: Runs flows.
        told: What an operator would be told meanwhile.
    """

    config: GateConfig
    clock: Clock
    http: WatchedHttp
    refresher: KeyRefresher
    issuers: tuple[TrustedIssuer, ...]
    projects: Mapping[str | None, TrustedProjects]
    runner: Runner
    told: list[Notice] = field(default_factory=list[Notice])

    @classmethod
    def of(cls, config: GateConfig, clock: Clock) -> Self:
        """Put the parts together; nothing is asked yet."""
        told: list[Notice] = []
        http = WatchedHttp(SafeHttp(proxy=config.proxy), clock)
        refresher = KeyRefresher(http, clock, notice=told.append, random=random.random)
        trusting = Trusting(config, refresher)
        issuers = tuple(trusting.issuer(issuer) for issuer in config.trusted_issuers)
        projects = trusting.project_issuers()
        exchanges = Exchanges(http, clock, notice=told.append)
        runner = Runner(Ports(http, refresher, exchanges=exchanges))
        return cls(config, clock, http, refresher, issuers, projects, runner, told)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.refresher.close()
        self.http.close()
