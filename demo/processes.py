"""Apps that need an environment of their own, as processes of their own: what both ends of the pipe do."""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, TypeVar

import authgate_core as ag

from .policies import configured

__all__ = ["stand_alone", "started"]

A = TypeVar("A")

LOG: Final = "--log"
PATIENCE: Final = 10.0  # seconds


@contextlib.contextmanager
def started(python: str, module: str, settings: Mapping[str, str], *, log: bool) -> Iterator[str]:
    """A module that stands alone, run by the interpreter of its environment, as the address that it answers at."""
    command = [python, "-m", module, *([LOG] if log else [])]
    root = Path(__file__).parents[1]
    with subprocess.Popen(
        command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            print(json.dumps(dict(settings)), file=process.stdin, flush=True)
            address = process.stdout.readline().strip()
            if not address:
                raise RuntimeError(f"{module} did not start")
            yield address
        finally:
            process.stdin.close()
            _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()


def stand_alone(app: Callable[[ag.GateConfig], A], serve: Callable[[A], AbstractContextManager[str]]) -> None:
    """Serve an app until whoever started this process closes its end of the pipe, or ends.

    Args:
        app: Makes the app of a configuration, whose settings come in the first line of the pipe.
        serve: Starts it.
    """
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches both processes, and the other one ends this one
    handler = logging.StreamHandler() if LOG in sys.argv else logging.NullHandler()
    logging.getLogger("authgate").addHandler(handler)
    settings: dict[str, str] = json.loads(sys.stdin.readline())
    with serve(app(configured(settings))) as address:
        print(address, flush=True)
        sys.stdin.read()
