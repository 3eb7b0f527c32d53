"""Where a row happens: a real issuer on loopback, a clock that can be moved, and houses that trust the issuer."""

from __future__ import annotations

import contextlib
import itertools
import secrets
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, TypeVar

import authgate_core as ag
from authgate_core.testing import FakeIssuer
from authgate_core.testing.shapes import encode_json, encode_segment

from ..memory import Growth
from ..rows import Form
from .clocks import MovedClock
from .houses import AsyncHouse, AsyncKeyHouse, House, Mint, SyncHouse, SyncKeyHouse
from .peer import PeerHouse

__all__ = ["Place", "Who", "placed"]

T = TypeVar("T")

Url: TypeAlias = str | Callable[[str], str]
"""Where keys are; where each tenant has keys of its own, a function of the token that says where."""

Who: TypeAlias = Literal["sync", "async", "peer"]

DAYS: Final = 3 * 86_400
FEW_HUNDRED: Final = 200


@dataclass
class Place:
    """Where a row happens.

    Args:
        who: What is tortured: a gate of one colour, or ``PyJWKClient``.
        form: How long it may take.
        issuer: The issuer.
        clock: The time of everybody.
        patience: After how many seconds a request is given up that ``PyJWKClient`` goes on waiting for.
        counted: How many requests reached others that belong to the issuer.
        growth: By how much the process grew since the place was opened.
    """

    who: Who
    form: Form
    issuer: FakeIssuer
    clock: MovedClock
    patience: float = 10.0
    counted: list[Callable[[], int]] = field(default_factory=list)
    growth: Growth = field(default_factory=Growth)
    _opened: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _sealed: str = ""

    @property
    def requests(self) -> int:
        """How many requests reached the issuer."""
        return self.issuer.hits.total() + sum(count() for count in self.counted)

    def enter(self, opened: contextlib.AbstractContextManager[T]) -> T:
        """Open something that is closed with the place."""
        return self._opened.enter_context(opened)

    def house(
        self, issuer: ag.Issuer | None = None, *, url: Url | None = None, iss: str = "", **options: Any
    ) -> House:
        """Another house; where its gate has API keys, those are what callers bring.

        Args:
            issuer: What a gate trusts; by default the issuer here, whose keys are at ``url``.
            url: Where ``PyJWKClient`` finds the keys; by default where the issuer here has them.
            iss: Whose tokens it expects; by default those of the issuer here.
            options: Of a gate's configuration; Any because ``GateConfig`` checks them.
        """
        where = url or self.issuer.jwks_url
        house: House
        if self.who == "peer":
            house = self._beside(where, iss or self.issuer.url)
        else:
            house = self._gate(issuer or self._plain(where), options)
        self._opened.callback(house.close)
        return house

    def _beside(self, url: Url, iss: str) -> PeerHouse:
        audience = self.issuer.audience
        return PeerHouse(url, issuer=iss, audience=audience, clock=self.clock, patience=self.patience)

    def _gate(self, issuer: ag.Issuer, options: dict[str, Any]) -> House:
        config = ag.GateConfig(issuers=[issuer], **options)
        if self.who == "sync":
            threads = SyncHouse if config.api_keys is None else SyncKeyHouse
            return threads(ag.Gate(config, clock=self.clock))
        tasks = AsyncHouse if config.api_keys is None else AsyncKeyHouse
        return tasks(ag.AsyncGate(config, clock=self.clock))

    def seconds(self, *, short: float, full: float) -> float:
        """One of two durations, by the form."""
        return short if self.form == "short" else full

    def warm(self, issuer: ag.Issuer | None = None, **options: Any) -> House:
        """A house that has the issuer's keys; the fetch is not counted. Arguments as of ``house``, Any as there."""
        house = self.house(issuer, **options)
        house.ask(self.token())
        self.issuer.reset_hits()
        return house

    def _plain(self, url: Url) -> ag.Issuer:
        if not isinstance(url, str):
            raise TypeError("a gate has one issuer for all tenants")
        return ag.Issuer.jwks(url, issuer=self.issuer.url, audience=self.issuer.audience, name="id")

    def token(self, **options: Any) -> str:
        """A new token that outlives the row; options as of ``FakeIssuer.token``, Any as there."""
        return self.issuer.token(f"u{next(self._numbers)}", expires_in=DAYS, **options)

    def regulars(self) -> Mint:
        """What hands out a few hundred tokens again and again, as those of a service's users come."""
        tokens = itertools.cycle([self.token() for _ in range(FEW_HUNDRED)])
        return lambda: next(tokens)

    def junk(self) -> str:
        """A token that names a key nobody ever published."""
        if not self._sealed:
            self._sealed = self.token().partition(".")[2]
        header = self.issuer.header(kid=f"made-up-{secrets.token_hex(8)}")
        return f"{encode_segment(encode_json(header))}.{self._sealed}"


@contextlib.contextmanager
def placed(who: Who, form: Form, *, patience: float = 10.0) -> Generator[Place]:
    """Open a place, after a rehearsal at another: what is done for the first time takes memory once."""
    with _opened(who, form, patience) as rehearsal:
        house = rehearsal.house()
        for token in (rehearsal.token(), rehearsal.junk()):
            house.ask(token)
    with _opened(who, form, patience) as place:
        yield place


@contextlib.contextmanager
def _opened(who: Who, form: Form, patience: float) -> Generator[Place]:
    clock = MovedClock()
    with FakeIssuer(clock=clock, algorithm="EdDSA") as issuer:
        place = Place(who, form, issuer, clock, patience)
        with place._opened:  # noqa: SLF001 - it is this module's own
            yield place
