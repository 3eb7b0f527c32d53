"""Those who make trouble: Redis and the issuer fail at random, and tokens are revoked all the time."""

from __future__ import annotations

import random
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from authgate_core.errors import AuthUnavailable
from authgate_core.testing import FakeIssuer

from ..redis import faults
from ..redis.world import Fault, World
from .crowd import Crowd
from .house import House
from .specimens import Specimen
from .stock import Stock

__all__ = ["IssuerTrouble", "RedisTrouble", "Revoker", "Trouble"]

LASTS: Final = (0.2, 3.0)
"""How long an episode lasts at least and at most, in seconds."""

RESTS: Final = (0.5, 4.0)
"""The same of the time between two."""

_EVERY: Final = 0.05
_RENEWED: Final = 20

_REDIS: Final[Mapping[str, Fault]] = {
    "killed": faults.STOPPED,
    "frozen": faults.FROZEN,
    "half-open": faults.MUTE,
    "slow": faults.SLOW,
    "late": faults.LATE,
    "idle closed": faults.CLOSED,
    "forgotten": faults.FORGOTTEN,
    "replica": faults.REPLICA,
    "read-only": faults.READ_ONLY,
    "full": faults.FULL,
    "flushed": faults.FLUSHED,
}


class Trouble(ABC):
    """A thread that does something at random, again and again; its lock is held for as long as anything is wrong.

    Args:
        seed: What its choices follow from.
    """

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.calm = threading.Lock()
        self.done: Counter[str] = Counter()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name=f"soak-{type(self).__name__}")
        self._failure: BaseException | None = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, once whatever is under way is over.

        Raises:
            BaseException: What ended it before.
        """
        self._over.set()
        self._thread.join()
        self.check()

    def check(self) -> None:
        """See whether it still goes on.

        Raises:
            BaseException: What ended it.
        """
        if self._failure is not None:
            raise self._failure

    @abstractmethod
    def rest(self) -> float:
        """How long to do nothing, in seconds."""

    @abstractmethod
    def happen(self) -> str:
        """Do something, undo it, and say what it was."""

    def last(self) -> None:
        """Let an episode last."""
        self._over.wait(self.chance.uniform(*LASTS))

    def _go_on(self) -> None:
        try:
            while not self._over.wait(self.rest()):
                with self.calm:
                    self.done[self.happen()] += 1
        except BaseException as error:  # noqa: BLE001 - told by check(), in the thread that judges
            self._failure = error


class RedisTrouble(Trouble):
    """Redis fails in one way or another, and is well again.

    Args:
        world: Redis.
        house: The gates, which are told when entries were written again.
        crowd: Those who ask; they make room for whoever writes entries again.
        revoking: Held while nobody may revoke.
        seed: What its choices follow from.
    """

    def __init__(self, world: World, house: House, crowd: Crowd, revoking: threading.Lock, seed: int) -> None:
        super().__init__(seed)
        self._world = world
        self._house = house
        self._crowd = crowd
        self._revoking = revoking

    def rest(self) -> float:
        """Some time to recover."""
        return self.chance.uniform(*RESTS)

    def happen(self) -> str:
        """Let Redis fail for a while."""
        name = self.chance.choice([*_REDIS])
        if name == "flushed":
            with self._revoking:
                self._misbehave(_REDIS[name])
                self._write_again()
        else:
            self._misbehave(_REDIS[name])
        return f"Redis {name}"

    def _misbehave(self, fault: Fault) -> None:
        fault.begin(self._world)
        self.last()
        fault.end(self._world)

    def _write_again(self) -> None:
        """What an operator does after a loss: write every entry, then say so in every process (Law 5.10)."""
        revocations = self._house.gate.revocations
        with self._crowd.paused():
            for specimen in self._crowd.stock.revoked_so_far():
                _insist(partial(revocations.revoke_session, specimen.sid))
        self.last()  # written again, and not yet believed
        _insist(self._house.reload)


class IssuerTrouble(Trouble):
    """The issuer fails, or publishes a key and takes it back.

    Args:
        issuer: The issuer.
        house: The gates, which are told to forget a key.
        stock: Gets the tokens of new keys.
        seed: What its choices follow from.
    """

    def __init__(self, issuer: FakeIssuer, house: House, stock: Stock, seed: int) -> None:
        super().__init__(seed)
        self._issuer = issuer
        self._house = house
        self._stock = stock
        self._ways: Mapping[str, Callable[[], None]] = {
            "answers 503": issuer.outage,
            "refuses": lambda: issuer.outage(None),
            "answers 404": lambda: issuer.outage(404),
            "is slow": lambda: issuer.slow(2.0),
            "answers HTML": issuer.html,
            "answers garbage": lambda: issuer.answer(b'{"keys": ['),
            "has no keys": issuer.empty_keys,
        }

    def rest(self) -> float:
        """Some time to recover."""
        return self.chance.uniform(*RESTS)

    def happen(self) -> str:
        """Let the issuer fail for a while, or rotate."""
        name = self.chance.choice([*self._ways, "rotates", "rotates"])
        if name == "rotates":
            self._rotate()
        else:
            self._ways[name]()
            self.last()
            self._issuer.recover()
        return f"issuer {name}"

    def _rotate(self) -> None:
        specimens = self._stock.rotate()
        kid = self._stock.newest_kid
        self.last()
        self._issuer.drop_key(kid)
        self._house.forget(kid)
        _die(*specimens)


class Revoker(Trouble):
    """Revokes one token after the other through both gates by turns, and renews the good ones.

    Args:
        house: The gates.
        stock: The tokens.
        seed: What its choices follow from.
    """

    def __init__(self, house: House, stock: Stock, seed: int) -> None:
        super().__init__(seed)
        self._house = house
        self._stock = stock

    def rest(self) -> float:
        """Hardly any time."""
        return _EVERY

    def happen(self) -> str:
        """Revoke one token."""
        if not sum(self.done.values()) % _RENEWED:
            self._stock.renew()
        specimen = self._stock.add_revocable()
        time.sleep(self.chance.uniform(0.0, _EVERY))  # some are in a cache by then, some are not
        specimen.good_until = 0.0
        try:
            self._revoke(specimen)
        except AuthUnavailable:
            return "raised"
        _die(specimen)
        return "confirmed"

    def _revoke(self, specimen: Specimen) -> None:
        gate, other = self._house.gate.revocations, self._house.async_gate.revocations
        ways: tuple[Callable[[], None], ...] = (
            lambda: gate.revoke_token(specimen.token),
            lambda: gate.revoke_session(specimen.sid),
            lambda: gate.revoke_before(subject=specimen.sub),
            lambda: self._house.run(other.revoke_token(specimen.token)),
            lambda: self._house.run(other.revoke_session(specimen.sid)),
            lambda: self._house.run(other.revoke_before(subject=specimen.sub)),
        )
        self.chance.choice(ways)()


def _die(*specimens: Specimen) -> None:
    now = time.monotonic()
    for specimen in specimens:
        specimen.dead_from = min(specimen.dead_from, now)


def _insist(write: Callable[[], None]) -> None:
    """Write until it is confirmed; at full speed of everybody else one attempt may be too slow."""
    while True:
        try:
            return write()
        except AuthUnavailable:
            time.sleep(_EVERY)
