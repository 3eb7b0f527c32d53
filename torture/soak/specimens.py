"""Tokens of which it is known from when on nobody may be admitted with them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Answer", "Specimen", "mistake"]

Outcome: TypeAlias = Literal["admitted", "refused", "unavailable", "raised"]


@dataclass(slots=True)
class Specimen:
    """A token; all times are monotonic seconds.

    Args:
        token: The token.
        kind: What it is, for reports.
        dead_from: From when on it may never be admitted.
        good_until: Until when it is good for certain, so that only an outage may stand against it.
        told: Whether its end is told by Redis, so that who follows the feed may learn of it a second later (Law 5.11).
        sid: Its session.
        sub: Its subject.
    """

    token: str
    kind: str
    dead_from: float = math.inf
    good_until: float = -math.inf
    told: bool = False
    sid: str = ""
    sub: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a gate made of a token.

    Args:
        outcome: The outcome; ``raised`` for whatever is not in authgate's tree of errors.
        started: When it was asked, monotonic seconds.
        ended: When it answered.
        reason: The code of the refusal, or what was raised.
    """

    outcome: Outcome
    started: float
    ended: float
    reason: str = ""


def mistake(specimen: Specimen, answer: Answer, dead_from: float) -> str | None:
    """What is wrong with an answer, in words; None if nothing is.

    Args:
        specimen: What was presented.
        answer: What came of it.
        dead_from: What ``specimen.dead_from`` was before the question; it may have died meanwhile.
    """
    if answer.outcome == "raised":
        return f"a {specimen.kind} token raised {answer.reason}"
    if answer.outcome == "admitted" and answer.started >= dead_from:
        return f"a {specimen.kind} token was admitted {answer.started - dead_from:.3f} s after its end"
    if answer.outcome == "refused" and answer.ended < specimen.good_until:
        return f"a {specimen.kind} token was refused ({answer.reason})"
    return None
