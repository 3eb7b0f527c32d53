"""Programs that are started beside the tests: each leads a process group, and is ended by the id of that group."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

__all__ = [
    "HOST",
    "Missing",
    "Program",
    "found",
    "free_port",
    "is_listening",
    "left_running",
    "running",
    "start",
    "wait_until",
]

HOST: Final = "127.0.0.1"
PATIENCE: Final = 30.0
"""Seconds that a program has to stop, and that a small one has to start."""

_groups: list[int] = []


class Missing(RuntimeError):
    """Something that must be installed is not; the message says how."""


def found(program: str, install: str) -> str:
    """The path of a program.

    Args:
        program: Its name.
        install: The command that installs it.

    Raises:
        Missing: If it is not on the PATH.
    """
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if path is None:
        raise Missing(f"{program} is not installed; run: {install}")
    return path


@dataclass(slots=True)
class Program:
    """A program that was started.

    Args:
        name: What messages call it.
        process: The process; its id is that of its group as well.
        log: The file that holds what it wrote.
    """

    name: str
    process: subprocess.Popen[str]
    log: Path

    def check(self) -> None:
        """Raise RuntimeError with the end of the log if it has ended."""
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{self.last_words()}")

    def last_words(self) -> str:
        """The end of what it wrote."""
        return self.log.read_text("utf-8", "replace")[-3000:]

    def stop(self) -> None:
        """End it and whatever it started, wait until it is gone, and delete its log."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(PATIENCE)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.log.unlink(missing_ok=True)


def start(
    name: str, command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, talks: bool = False
) -> Program:
    """Start a program.

    Args:
        name: What messages call it.
        command: The program and its arguments.
        env: What its environment has besides ours.
        talks: Whether its input and output are pipes; else it gets no input, and its output is in the log.
    """
    descriptor, path = tempfile.mkstemp(prefix=f"authgate-{name}-", suffix=".log")
    pipe: int | IO[bytes] = subprocess.PIPE
    with os.fdopen(descriptor, "wb") as log:
        process = subprocess.Popen(
            [str(part) for part in command],
            env={**os.environ, **(env or {})},
            stdin=pipe if talks else subprocess.DEVNULL,
            stdout=pipe if talks else log,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    _groups.append(process.pid)
    return Program(name, process, Path(path))


@contextlib.contextmanager
def running(
    name: str,
    command: Sequence[str | Path],
    is_ready: Callable[[], bool],
    *,
    env: Mapping[str, str] | None = None,
) -> Iterator[Program]:
    """A program for the length of a block, which begins when it is ready."""
    program = start(name, command, env=env)
    try:
        wait_until(is_ready, program)
        yield program
    finally:
        program.stop()


def wait_until(is_ready: Callable[[], bool], program: Program, patience: float = PATIENCE) -> None:
    """Wait until a program is ready.

    Args:
        is_ready: Tells whether it is.
        program: The program.
        patience: How long to wait, seconds.

    Raises:
        RuntimeError: If it ends before or takes longer; the message has the end of its log.
    """
    until = time.monotonic() + patience
    while not is_ready():
        program.check()
        if time.monotonic() > until:
            raise RuntimeError(
                f"{program.name} was not ready after {patience:.0f} s:\n{program.last_words()}"
            )
        time.sleep(0.05)


def free_port() -> int:
    """A port of loopback at which nobody listens."""
    with socket.create_server((HOST, 0)) as listening:
        return int(listening.getsockname()[1])


def is_listening(port: int) -> bool:
    """Whether somebody listens at a port of loopback."""
    try:
        socket.create_connection((HOST, port), 1).close()
    except OSError:
        return False
    return True


def left_running() -> list[int]:
    """The process groups that were started here and still have a member."""
    return [group for group in _groups if _exists(group)]


def _exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
