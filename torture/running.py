"""Runs rows, each in a process of its own that is ended when it hangs."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import Final, TypeAlias

from .patience import MachineLag
from .rows import Colour, Form, Happened, Row

__all__ = ["Outcome", "run_rows"]

AT_ONCE: Final = 8
"""How many jobs run at the same time of the rows that only wait."""

ATTEMPTS: Final = 3
"""How often a row is tried that did not hold while the machine stood still."""

_context = multiprocessing.get_context("forkserver")

LOOK: Final = 0.2
"""Seconds after which it is looked whether everything is over."""

Job: TypeAlias = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a row.

    Args:
        row: Which.
        happened: By colour.
        beside: What happened to what people use otherwise; None where nothing corresponds.
    """

    row: Row
    happened: dict[Colour, Happened]
    beside: str | None

    @property
    def held(self) -> bool:
        """Whether every colour kept what is promised."""
        return all(happened.kept for happened in self.happened.values())


def run_rows(rows: Iterable[Row], form: Form) -> Iterator[Outcome]:
    """Run rows: those that only wait together, the others one after the other when no gate of those is left.

    Args:
        rows: Which.
        form: How long they may take.
    """
    rows = tuple(rows)
    # What every row needs is imported once; each is forked before anything has run.
    _context.set_forkserver_preload(["torture.registry"])
    over = threading.Event()
    with ThreadPoolExecutor(AT_ONCE) as many, ThreadPoolExecutor(1) as one:
        try:
            waiting = _begin([row for row in rows if row.waits], form, many, over)
            wait([future for begun in waiting for future in begun.colours.values()])
            alone = _begin([row for row in rows if not row.waits], form, one, over)
            for begun in (*waiting, *alone):
                yield begun.outcome()
        finally:
            over.set()
            for pool in (many, one):
                pool.shutdown(cancel_futures=True)


def _begin(rows: Sequence[Row], form: Form, pool: ThreadPoolExecutor, over: threading.Event) -> list[_Begun]:
    """Every gate's turn first, so that those who must not be disturbed can follow soon."""
    colours = [{colour: pool.submit(_try, row, colour, form, over) for colour in row.colours} for row in rows]
    beside = [None if row.beside is None else pool.submit(_beside, row, form, over) for row in rows]
    return [_Begun(*begun) for begun in zip(rows, colours, beside, strict=True)]


@dataclass(frozen=True, slots=True)
class _Begun:
    """A row whose jobs wait for their turn, or run."""

    row: Row
    colours: dict[Colour, Future[Happened]]
    beside: Future[str] | None

    def outcome(self) -> Outcome:
        happened = {colour: future.result() for colour, future in self.colours.items()}
        return Outcome(self.row, happened, None if self.beside is None else self.beside.result())


def _try(row: Row, colour: Colour, form: Form, over: threading.Event) -> Happened:
    """What happened; tried anew where it did not hold and the machine, watched from here, stood still."""
    for _ in range(ATTEMPTS - 1):
        with MachineLag.watching() as lag:
            happened = _judged(row, colour, form, over)
        if happened.kept or not lag.stalled:
            return happened
    return _judged(row, colour, form, over)


def _judged(row: Row, colour: Colour, form: Form, over: threading.Event) -> Happened:
    result = _alone(partial(row.run, colour, form), row.patience, over)
    if isinstance(result, Happened):
        return result
    return Happened(kept=False, text=str(result), requests=0, worst_wait=row.patience, memory=0)


def _beside(row: Row, form: Form, over: threading.Event) -> str:
    return "" if row.beside is None else str(_alone(partial(row.beside, form), row.patience, over))


def _alone(job: Job, patience: float, over: threading.Event) -> object:
    """What a job returns, or in words why it returned nothing."""
    ours, theirs = _context.Pipe()
    process = _context.Process(target=_body, args=(job, theirs))
    process.start()
    theirs.close()
    try:
        return ours.recv() if _is_told(ours, patience, over) else f"still not over after {patience:g} s"
    except EOFError:
        process.join()
        return f"its process ended with {process.exitcode}"
    finally:
        _end(process.pid)
        process.join()
        ours.close()


def _is_told(connection: Connection, patience: float, over: threading.Event) -> bool:
    until = time.monotonic() + patience
    while not over.is_set() and (rest := until - time.monotonic()) > 0:
        if connection.poll(min(rest, LOOK)):
            return True
    return False


def _end(pid: int | None) -> None:
    """End a process and whatever it started."""
    if pid is None:
        return
    for end in (os.killpg, os.kill):  # it may not have come to lead a group yet
        with contextlib.suppress(ProcessLookupError):
            end(pid, signal.SIGKILL)


def _body(job: Job, parent: Connection) -> None:
    os.setsid()  # what a job starts is in its group, and ends with it
    logging.getLogger("authgate").addHandler(
        logging.NullHandler()
    )  # what it warns of is what is done to it here
    try:
        result = job()
    except Exception as error:  # noqa: BLE001 - a row that breaks is one that did not hold, and says why
        traceback.print_exc()
        result = f"{type(error).__name__}: {error}"
    parent.send(result)
    with contextlib.suppress(EOFError):
        parent.recv()  # until it is ended, so that its number stays its own
