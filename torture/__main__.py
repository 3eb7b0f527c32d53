"""Make the issuer and Redis misbehave in every way there is a row for, and compare with the promises."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from .registry import every_row
from .rows import Form, Row
from .running import run_rows
from .table import as_json, heading, lines

__all__ = ["main", "torture"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rows; 0 when every one held."""
    parser = argparse.ArgumentParser(prog="torture", description="authgate, while others misbehave")
    parser.add_argument("--short", action="store_true", help="with smaller numbers, for CI")
    parser.add_argument("--only", metavar="NAME", nargs="+", help="these rows, or those of a part or kind")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write what happened there as well")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped on the way out
    rows = every_row()
    names = {name for row in rows for name in _names(row)}
    if given.only and not names.issuperset(given.only):
        parser.error(
            f"no row is called {', '.join(sorted({*given.only} - names))}; there are: {sorted(names)}"
        )
    chosen = [row for row in rows if not given.only or _names(row) & {*given.only}]
    return torture(chosen, "short" if given.short else "full", given.json)


def _names(row: Row) -> set[str]:
    """What ``--only`` knows a row by: its name, what stands before a colon in it, and the part."""
    return {row.name, row.name.partition(":")[0], row.part}


def torture(rows: Sequence[Row], form: Form, written: Path | None = None) -> int:
    """Run rows, show what happened, and tell as an exit code whether every one held.

    Args:
        rows: Which.
        form: How long they may take.
        written: Where to write what happened as JSON.
    """
    started = time.monotonic()
    print(heading(), flush=True)
    outcomes = []
    for outcome in run_rows(rows, form):
        print(f"{lines(outcome)}\n", flush=True)
        outcomes.append(outcome)
    if written is not None:
        written.write_text(json.dumps([as_json(outcome) for outcome in outcomes], indent=2) + "\n", "utf-8")
    broken = [outcome.row.name for outcome in outcomes if not outcome.held]
    verdict = f"NOT HELD: {', '.join(broken)}" if broken else "every promise was kept"
    print(f"{len(outcomes)} rows in {time.monotonic() - started:.0f} s; {verdict}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
