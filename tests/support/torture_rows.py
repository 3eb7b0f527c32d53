"""Rows for the tests of the program that runs them: a row is handed over by name, so these are in a module."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from torture.rows import Colour, Form, Happened, Row

__all__ = ["breaks", "broken", "dies", "hangs", "hangs_with_a_child", "holds", "row"]


def happened(*, kept: bool) -> Happened:
    """What a row says that was asked once."""
    return Happened(kept=kept, text="it answered", requests=1, worst_wait=0.5, memory=7)


def holds(_: Colour, __: Form) -> Happened:
    """A row that holds."""
    return happened(kept=True)


def broken(colour: Colour, _: Form) -> Happened:
    """A row that holds in one colour and not in the other."""
    return happened(kept=colour == "sync")


def breaks(_: Colour, __: Form) -> Happened:
    """A row that raises."""
    raise LookupError("no such key")


def hangs(_: Colour, __: Form) -> Happened:
    """A row that never returns."""
    while True:
        time.sleep(60)


def hangs_with_a_child(pipe: Path, _: Colour, __: Form) -> Happened:
    """A row that never returns, and neither does what it started, which writes to a pipe as long as it lives."""
    with pipe.open("wb", buffering=0) as written, subprocess.Popen(["sleep", "60"], stdout=written):
        written.write(b"!")
        while True:
            time.sleep(60)


def dies(_: Colour, __: Form) -> Happened:
    """A row whose process is no more."""
    os._exit(3)


def row(name: str, **options: object) -> Row:
    """A row of the issuer's part that promises something."""
    given: dict[str, object] = {"run": holds, **options}
    return Row(name=name, law="4.1", promised="it answers", part="issuer", **given)  # type: ignore[arg-type] # by name
