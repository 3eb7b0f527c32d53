"""Shows outcomes as a table for people, and as JSON for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import zip_longest
from typing import Final

from .rows import Happened
from .running import Outcome

__all__ = ["as_json", "heading", "lines"]

COLUMNS: Final = {
    "what happens": 24,
    "law": 9,
    "colour": 6,
    "promised": 36,
    "what happened": 38,
    "requests": 8,
    "worst wait": 10,
    "memory": 9,
    "PyJWKClient or redis-py": 38,
    "": 8,
}


def heading() -> str:
    """The first two lines."""
    cells = "\n".join(_wrapped(COLUMNS))
    return f"{cells}\n{'-' * len(cells)}"


def lines(outcome: Outcome) -> str:
    """One row of the table, with a line or more for each colour."""
    row = outcome.row
    shown: list[str] = []
    for number, (colour, happened) in enumerate(outcome.happened.items()):
        said = (row.name, row.law, row.promised, outcome.beside or "-") if not number else ("", "", "", "")
        name, law, promised, beside = said
        told = (happened.text, str(happened.requests), _wait(happened), f"{happened.memory} KiB")
        verdict = "held" if happened.kept else "NOT HELD"
        shown += _wrapped((name, law, colour, promised, *told, beside, verdict))
    return "\n".join(shown)


def as_json(outcome: Outcome) -> dict[str, object]:
    """The same as a JSON object."""
    row = outcome.row
    return {
        "name": row.name,
        "law": row.law,
        "part": row.part,
        "promised": row.promised,
        "held": outcome.held,
        "happened": {colour: asdict(happened) for colour, happened in outcome.happened.items()},
        "beside": outcome.beside,
    }


def _wait(happened: Happened) -> str:
    return f"{happened.worst_wait * 1000:.0f} ms"


def _wrapped(cells: Iterable[str]) -> Iterator[str]:
    pieces = [textwrap.wrap(cell, width) or [""] for cell, width in zip(cells, COLUMNS.values(), strict=True)]
    for line in zip_longest(*pieces, fillvalue=""):
        yield "  ".join(
            f"{piece:<{width}}" for piece, width in zip(line, COLUMNS.values(), strict=True)
        ).rstrip()
