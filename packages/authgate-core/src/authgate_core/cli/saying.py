"""How commands speak: results on standard output, all else on standard error, and no colours where nobody sees them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["complain", "plain", "say", "tabulate", "tell"]

_WIDE: Final = 200
"""Columns where the output is no terminal: a file or a pipe breaks no lines by itself."""


def say(text: str, style: str = "") -> None:
    """Write a line of the result."""
    _console(error=False).print(Text(text, style), soft_wrap=True)


def plain(text: str) -> None:
    """Write a line of the result that somebody will copy or pipe: just as it is."""
    sys.stdout.write(f"{text}\n")


def tell(text: str) -> None:
    """Write a line of advice."""
    _console(error=True).print(Text(text, "dim"), soft_wrap=True)


def complain(text: str) -> None:
    """Write the one line of a command that cannot do what it was asked."""
    _console(error=True).print(Text(f"authgate: {text}", "red"), soft_wrap=True)


def tabulate(columns: Sequence[str], rows: Iterable[Sequence[tuple[str, str]]]) -> None:
    """Write a table.

    Args:
        columns: What stands above each column.
        rows: The cells of each row, each with its style.
    """
    table = Table(*columns, box=None, pad_edge=False, header_style="bold", show_edge=False)
    for row in rows:
        table.add_row(*(Text(text, style) for text, style in row))
    _console(error=False).print(table)


def _console(*, error: bool) -> Console:
    stream = sys.stderr if error else sys.stdout
    return Console(
        file=stream, width=None if stream.isatty() else _WIDE, highlight=False, markup=False, emoji=False
    )
