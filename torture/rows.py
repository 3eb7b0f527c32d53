"""What a row is: one way in which the other side misbehaves, what is promised, and what happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

__all__ = ["BOTH", "Colour", "Form", "Happened", "Part", "Row"]

Colour: TypeAlias = Literal["sync", "async"]
Form: TypeAlias = Literal["short", "full"]
Part: TypeAlias = Literal["issuer", "redis"]

BOTH: Final[tuple[Colour, ...]] = ("sync", "async")


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What came of a row in one colour.

    Args:
        kept: Whether it is what was promised.
        text: What happened, in words.
        requests: How many requests reached the other side.
        worst_wait: The longest that an innocent request waited, in seconds.
        memory: By how many KiB the process grew.
    """

    kept: bool
    text: str
    requests: int
    worst_wait: float
    memory: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One way to misbehave.

    Each colour runs in a process of its own, forked from one that has imported everything and done nothing; so
    does what stands beside it. Both are handed over by name, so they are functions of a module, or partials.

    Args:
        name: What ``--only`` calls it.
        law: The laws that promise something, such as ``4.1``.
        promised: The promise, in words.
        part: Which other side misbehaves.
        run: Does it, and judges what happened.
        colours: The gates that it is done to.
        beside: Does it to what people use otherwise, and says what happened there; None where that has nothing
            which corresponds.
        waits: Whether it computes so little that others may run at the same time.
        patience: After how many seconds it counts as hanging.
    """

    name: str
    law: str
    promised: str
    part: Part
    run: Callable[[Colour, Form], Happened]
    colours: tuple[Colour, ...] = BOTH
    beside: Callable[[Form], str] | None = None
    waits: bool = False
    patience: float = 60.0
