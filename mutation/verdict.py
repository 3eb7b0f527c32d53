"""What a run says: how many mutants of each room were noticed, and whether the list of survivors is true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from .survivors import Survivor, shown

__all__ = ["FLOOR", "Found", "Outcome", "problems", "table"]

FLOOR: Final = 90.0
"""Percent of the mutants of each room that must be noticed."""


class Outcome(Enum):
    """What became of a mutant; only one that survived went unnoticed."""

    KILLED = "killed"
    SURVIVED = "survived"
    TIMED_OUT = "timed out"


@dataclass(frozen=True, slots=True)
class Found:
    """What a run found out about one mutant."""

    room: str
    mutant: Survivor
    outcome: Outcome


def table(found: Collection[Found]) -> str:
    """A line for each room."""
    lines = [_line("room", "mutants", "killed", "timed out", "survived", "score")]
    for room in dict.fromkeys(one.room for one in found):
        count = Counter(one.outcome for one in found if one.room == room)
        numbers = (
            count.total(),
            *(count[outcome] for outcome in (Outcome.KILLED, Outcome.TIMED_OUT, Outcome.SURVIVED)),
        )
        lines.append(_line(room, *map(str, numbers), f"{_score(found, room):.1f} %"))
    return "\n".join(lines)


def _line(room: str, *columns: str) -> str:
    return f"{room:<12}" + "".join(f"{column:>11}" for column in columns)


def problems(found: Collection[Found], explained: Collection[Survivor], *, whole: bool) -> list[str]:
    """What is wrong, in words.

    Args:
        found: Every mutant that was tried.
        explained: The mutants of these rooms that the list says survive.
        whole: Whether every mutant of the rooms was tried: only then is a missing one gone.
    """
    survived = {one.mutant for one in found if one.outcome is Outcome.SURVIVED}
    noticed = {one.mutant for one in found} - survived
    gone = set(explained) - survived - noticed if whole else set[Survivor]()
    return [
        *_listed("survived, and the list does not say why", survived - set(explained)),
        *_listed("in the list, and noticed by a test", noticed & set(explained)),
        *_listed("in the list, and no mutant any more", gone),
        *(_below(found) if whole else ()),
    ]


def _listed(what: str, survivors: Collection[Survivor]) -> list[str]:
    return [f"{len(survivors)} {what}:\n\n{shown(survivors)}"] if survivors else []


def _below(found: Collection[Found]) -> Iterable[str]:
    for room in dict.fromkeys(one.room for one in found):
        if _score(found, room) < FLOOR:
            yield f"{room}: less than {FLOOR:g} % of the mutants were noticed"


def _score(found: Iterable[Found], room: str) -> float:
    noticed = [one.outcome is not Outcome.SURVIVED for one in found if one.room == room]
    return 100 * sum(noticed) / len(noticed)
