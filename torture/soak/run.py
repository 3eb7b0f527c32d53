"""One run: everybody starts, every ten seconds there is a line, and at its end a verdict."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Final

from authgate_core.testing import FakeIssuer

from ..redis.server import DURABLE
from ..redis.world import Fault, nothing, world
from .crowd import Crowd, Tally
from .gauges import MOST_GROWTH, Sample, leaks, slope, steady, take
from .house import House
from .stock import Stock
from .trouble import IssuerTrouble, RedisTrouble, Revoker, Trouble

__all__ = ["soak", "verdict"]

EVERY: Final = 10.0
"""Seconds between two lines."""

RECOVERY: Final = 5.0
"""Seconds after which a gate whose Redis is well admits again (Law 5.5)."""


@dataclass(slots=True)
class _Run:
    """What runs.

    Args:
        house: The gates.
        crowd: Those who ask.
        troubles: Those who make trouble.
        samples: What was measured.
        unwell: What did not recover, in words.
    """

    house: House
    crowd: Crowd
    troubles: tuple[RedisTrouble, IssuerTrouble, Revoker]
    started: float = field(default_factory=time.monotonic)
    samples: list[Sample] = field(default_factory=list)
    unwell: list[str] = field(default_factory=list)

    @property
    def age(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self.started

    def measure(self) -> None:
        """Wait until nothing is wrong, let nobody ask, and look."""
        with ExitStack() as calm:
            for trouble in self.troubles:
                calm.enter_context(trouble.calm)
                trouble.check()
            with self.crowd.paused():
                self._recover()
                self.samples.append(take(self.age))

    def _recover(self) -> None:
        until = time.monotonic() + RECOVERY
        while silent := self.house.silent(self.crowd.stock.newest()):
            if time.monotonic() > until:
                self.unwell.append(f"at {self.age:.0f} s not back after {RECOVERY:g} s: {', '.join(silent)}")
                return
            time.sleep(0.01)


def soak(seconds: float, seed: int) -> int:
    """Soak both gates; 0 when nothing was wrong.

    Args:
        seconds: For how long.
        seed: What all choices follow from.
    """
    print(
        f"soaking for {seconds / 60:g} minutes; --seed {seed} has the same faults in the same order",
        flush=True,
    )
    with _running(seed) as run:
        asked = 0
        while run.age < seconds:
            time.sleep(max(0.0, min(EVERY - run.age % EVERY, seconds - run.age)))
            run.measure()
            asked = _line(run, asked)
    wrong = verdict(run.crowd.tally, run.samples, run.unwell)
    print("\n".join(_summary(run)))
    print("\n".join(f"WRONG: {each}" for each in wrong) or "nothing was wrong")
    return 1 if wrong else 0


@contextmanager
def _running(seed: int) -> Generator[_Run]:
    with (
        FakeIssuer(audience="soak", algorithm="ES256") as issuer,
        world(Fault(begin=nothing, config=DURABLE)) as redis,
        House(issuer, redis.url) as house,
    ):
        stock = Stock(issuer)
        crowd = Crowd(house, stock, seed)
        revoker = Revoker(house, stock, seed + 1)
        trouble = RedisTrouble(redis, house, crowd, revoker.calm, seed + 2)
        run = _Run(house, crowd, (trouble, IssuerTrouble(issuer, house, stock, seed + 3), revoker))
        starting: tuple[Crowd | Trouble, ...] = (crowd, *run.troubles)
        with ExitStack() as stopping:
            for each in starting:
                each.start()
                stopping.callback(each.stop)
            yield run


def verdict(tally: Tally, samples: list[Sample], unwell: list[str]) -> list[str]:
    """What was wrong, in words; none if nothing was."""
    wrong = [*tally.mistakes, *unwell, *leaks(samples)]
    if tally.wrong > len(tally.mistakes):
        wrong.append(f"{tally.wrong} wrong answers in all")
    wrong += [
        f"no request was {each}"
        for each in ("admitted", "refused", "unavailable")
        if not tally.outcomes[each]
    ]
    return wrong


def _line(run: _Run, before: int) -> int:
    """Print how it goes; answers how many questions there were so far."""
    tally, sample = run.crowd.tally, run.samples[-1]
    asked = sum(tally.outcomes.values())
    redis, issuer, revoker = (trouble.done for trouble in run.troubles)
    since = sample.at - (run.samples[-2].at if len(run.samples) > 1 else 0.0)
    print(
        f"{sample.at:5.0f} s  {(asked - before) / since:6.0f}/s  "
        + "  ".join(f"{tally.outcomes[each]} {each}" for each in ("admitted", "refused", "unavailable"))
        + f"  revoked {revoker['confirmed']}+{revoker['raised']}  faults {redis.total()}+{issuer.total()}"
        f"  {sample.memory / 1024:.1f} MiB  {sample.files} files  {sample.threads} threads  {tally.wrong} wrong",
        flush=True,
    )
    return asked


def _summary(run: _Run) -> list[str]:
    judged = steady(run.samples)
    redis, issuer, revoker = (trouble.done for trouble in run.troubles)
    faults = ", ".join(f"{name} {count}" for name, count in sorted((redis + issuer).items()))
    return [
        f"faults: {faults}",
        f"revocations: {revoker['confirmed']} confirmed, {revoker['raised']} raised",
        f"longest question: {run.crowd.tally.worst * 1000:.0f} ms",
        f"memory: {slope(judged):+.0f} KiB a minute over the last {len(judged)} samples, of {MOST_GROWTH:.0f} allowed",
        f"file descriptors: {_range([sample.files for sample in judged])}",
        f"threads: {_range([sample.threads for sample in judged])}",
    ]


def _range(counts: list[int]) -> str:
    return f"{min(counts)} to {max(counts)}"
