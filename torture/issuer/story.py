"""What happened in a row, told alike of a gate and of what stands beside it, and held against the promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

from ..patience import within
from ..rows import BOTH, Colour, Form, Happened, Row
from .alarms import Alarm
from .houses import ADMITTED, Answer
from .place import Place, placed

__all__ = ["Scenario", "Story", "row", "tally"]

MOST_TOLD: Final = 3
"""How many different outcomes are told of many requests."""


@dataclass
class Story:
    """What happened at a place.

    Args:
        place: The place.
    """

    place: Place
    _innocent: list[Answer] = field(default_factory=list)
    _told: list[str] = field(default_factory=list)
    _broken: list[str] = field(default_factory=list)

    def expect(self, what: str, *, kept: bool) -> None:
        """Hold something against a promise, told only where it is broken."""
        if not kept:
            self._broken.append(what)

    def tell(self, what: str) -> None:
        """Tell something in words."""
        self._told.append(what)

    def innocent(
        self, when: str, answers: Sequence[Answer], *, said: str = ADMITTED, bound: float = 0.0
    ) -> None:
        """What innocent requests got.

        Args:
            when: When it was, in a word or two.
            answers: What they got.
            said: What they were to get.
            bound: The longest that the law lets them wait, in seconds.
        """
        self._innocent += answers
        self.answered(when, answers, said=said, bound=bound)

    def answered(self, whose: str, answers: Sequence[Answer], *, said: str, bound: float) -> None:
        """What any requests got, innocent or not; as ``innocent``, and not counted among the waits of those."""
        self.tell(f"{whose}: {tally(answers)}")
        self.expect(f"{whose}: none was asked", kept=bool(answers))
        self.expect(f"{whose}: not all were {said}", kept=all(answer.said == said for answer in answers))
        worst = max((answer.wait for answer in answers), default=0.0)
        self.expect(f"{whose}: one waited {worst:.2f} s, not {bound:g}", kept=within(worst, bound))

    def alarmed(self, alarm: Alarm) -> None:
        """Somebody was called."""
        self.expect("no alarm", kept=alarm.came())
        self.tell("an alarm")

    def asked(self, at_most: int, *, at_least: int = 0) -> None:
        """How many requests may have reached the issuer by now."""
        requests = self.place.requests
        wanted = f"{at_most}" if at_least == at_most else f"{at_least} to {at_most}"
        self.expect(f"{requests} requests by then, not {wanted}", kept=at_least <= requests <= at_most)

    def grown(self, at_most: int) -> None:
        """By how many KiB the process may have grown by now."""
        grown = self.place.growth.kib
        self.expect(f"{grown} KiB more, not {at_most}", kept=grown <= at_most)

    @property
    def worst_wait(self) -> float:
        """The longest that an innocent request waited."""
        return max((answer.wait for answer in self._innocent), default=0.0)

    def happened(self) -> Happened:
        """All of it, of a gate."""
        broken = [f"BROKEN: {what}" for what in self._broken]
        return Happened(
            kept=not broken,
            text="; ".join([*self._told, *broken]),
            requests=self.place.requests,
            worst_wait=self.worst_wait,
            memory=self.place.growth.kib,
        )

    def beside(self) -> str:
        """All of it, of something that promised nothing."""
        told = "; ".join(self._told)
        numbers = (
            f"{self.place.requests} requests, {self.worst_wait * 1000:.0f} ms, {self.place.growth.kib} KiB"
        )
        return f"{told} ({numbers})"


Scenario: TypeAlias = Callable[[Place], Story]


def tally(answers: Sequence[Answer]) -> str:
    """How many got what, the most frequent first."""
    counted = Counter(answer.said for answer in answers).most_common()
    told = [f"{count} {said}" for said, count in counted[:MOST_TOLD]]
    more = sum(count for _, count in counted[MOST_TOLD:])
    return ", ".join([*told, *([f"{more} other"] if more else [])]) or "none"


def row(
    name: str,
    law: str,
    promised: str,
    scenario: Scenario,
    *,
    colours: tuple[Colour, ...] = BOTH,
    beside: bool = True,
    waits: bool = False,
    patience: float = 60.0,
    peer_patience: float = 10.0,
) -> Row:
    """A row of a scenario, which a gate and ``PyJWKClient`` live through alike.

    Args:
        name: As of a row.
        law: As of a row.
        promised: As of a row.
        scenario: What happens; a function of a module.
        colours: As of a row.
        beside: Whether ``PyJWKClient`` can be in this situation.
        waits: As of a row.
        patience: As of a row.
        peer_patience: After how many seconds a request is given up that ``PyJWKClient`` goes on waiting for.
    """
    return Row(
        name=name,
        law=law,
        promised=promised,
        part="issuer",
        run=partial(_trial, scenario),
        colours=colours,
        beside=partial(_beside, scenario, peer_patience) if beside else None,
        waits=waits,
        patience=patience,
    )


def _trial(scenario: Scenario, colour: Colour, form: Form) -> Happened:
    with placed(colour, form) as place:
        return scenario(place).happened()


def _beside(scenario: Scenario, patience: float, form: Form) -> str:
    with placed("peer", form, patience=patience) as place:
        return scenario(place).beside()
