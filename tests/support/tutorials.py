"""Walks a tutorial as its reader does: writes its files, types its commands, compares what they print.

A tutorial is read by these conventions, which its text has to keep for the reader's sake anyway:

- a block whose paragraph ends with a name, as in "Write `app.py`:", is that file;
- a block of ``sh`` is typed into a shell of its own in the folder; where its paragraph says "leave it running", it is
  left running, and the block after it shows what it prints when it is ready;
- a block of ``text`` or ``json`` is what the command before it prints, where ``...`` stands for anything.
"""

from __future__ import annotations

import os
import random
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

__all__ = ["Block", "blocks", "main", "walk"]

TUTORIALS: Final = Path(__file__).parents[2] / "docs" / "tutorials"

_FENCE: Final = re.compile(r"^```(\w*)$", re.MULTILINE)
_FILE: Final = re.compile(r"`([\w./-]+)`:\s*\Z")
_PORTS: Final = re.compile(r"\b(?:8000|5000)\b")
_PATIENCE: Final = 120.0


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a tutorial.

    Args:
        language: What the fence says.
        text: What stands in it.
        said: The paragraph before it.
    """

    language: str
    text: str
    said: str

    @property
    def file(self) -> str | None:
        """The file that it is, if it is one."""
        named = _FILE.search(self.said)
        return named[1] if named else None

    @property
    def stays(self) -> bool:
        """Whether the command is left running."""
        return "leave it running" in " ".join(self.said.split())

    @property
    def installs(self) -> bool:
        """Whether it makes the environment that the other commands are run in."""
        return "pip install" in self.text


def blocks(name: str) -> list[Block]:
    """The blocks of a tutorial, in order."""
    page = (TUTORIALS / name).read_text("utf-8")
    prose, language, text = (_FENCE.split(page)[part::4] for part in range(3))
    said = [words.strip().split("\n\n")[-1] for words in prose]
    return [Block(*one) for one in zip(language, (inner.lstrip("\n") for inner in text), said, strict=False)]


def walk(name: str, folder: Path, wheels: Path | None = None) -> float:
    """Do everything that a tutorial says, in an empty folder.

    Args:
        name: The file of the tutorial.
        folder: The folder.
        wheels: Where the wheels of the packages are, to install what the tutorial says into an environment that
            is made as it says. None for the environment at hand, in the place of that one.

    Returns:
        How long the commands took, seconds.

    Raises:
        AssertionError: Where something does not happen as it is written.
    """
    started, port = time.monotonic(), str(_free_port())
    with ExitStack() as running:
        output = ""
        for block in blocks(name):
            text = _PORTS.sub(port, block.text)
            if block.file is not None:
                (folder / block.file).write_text(text, "utf-8")
            elif block.language != "sh":
                _compare(text, output)
            elif block.stays:
                output = running.enter_context(
                    _left_running(text, folder, _PORTS.sub(port, _after(name, block)))
                )
            elif wheels is not None or not block.installs:
                output = _typed(text, folder, wheels)
    return time.monotonic() - started


def _after(name: str, block: Block) -> str:
    found = blocks(name)
    return found[found.index(block) + 1].text


def _typed(command: str, folder: Path, wheels: Path | None) -> str:
    """What a command prints, which has to end well."""
    environment = {**os.environ, **({"PIP_FIND_LINKS": str(wheels)} if wheels else {})}
    done = subprocess.run(
        ["bash", "-ec", _found(command, folder)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=4 * _PATIENCE,
        check=False,
    )
    assert 0 == done.returncode, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@contextmanager
def _left_running(command: str, folder: Path, ready: str) -> Iterator[str]:
    """Start a command, wait until it says what it says when it is ready, and end it with the block."""
    log = folder / f"{len([*folder.glob('*.log')])}.log"
    with log.open("w") as written:
        program = subprocess.Popen(
            ["bash", "-ec", _found(command, folder)],
            cwd=folder,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + _PATIENCE
        while not _shows(log.read_text("utf-8"), ready):
            gave_up = program.poll() is not None or time.monotonic() > until
            assert not gave_up, f"{command}\n{log.read_text('utf-8')}"
            time.sleep(0.05)
        yield ready
    finally:
        os.killpg(program.pid, signal.SIGTERM)
        program.wait(_PATIENCE)


def _found(command: str, folder: Path) -> str:
    """The command, with the programs of the environment at hand where the tutorial's own was not made."""
    if (folder / ".venv").exists() or "-m venv" in command:
        return command
    return command.replace(".venv/bin/", f"{shlex.quote(str(Path(sys.executable).parent))}/")


def _compare(promised: str, printed: str) -> None:
    assert _shows(printed, promised), f"the page shows\n{promised}\nbut it prints\n{printed}"


def _shows(printed: str, promised: str) -> bool:
    """Whether what was printed holds the lines that the page shows, where ``...`` is anything in a line."""
    lines = (re.escape(_even(line)).replace(r"\.\.\.", ".*") for line in promised.strip().splitlines())
    shown = "\n".join(map(_even, printed.splitlines()))
    return re.search("^" + "\n".join(lines) + "$", shown, re.MULTILINE) is not None


def _even(line: str) -> str:
    return " ".join(line.split())


def _free_port() -> int:
    """A port that nobody listens on, of those that the kernel gives to no client."""
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)):
                return port


def main(wheels: Path, *names: str) -> None:
    """Do tutorials with the wheels, and say how long the commands of each took.

    Args:
        wheels: Where the wheels are.
        names: Which tutorials; all of them where none is named.
    """
    for name in [f"{name}.md" for name in names] or sorted(page.name for page in TUTORIALS.glob("*.md")):
        with TemporaryDirectory() as folder:
            took = walk(name, Path(folder), wheels)
        print(f"{name}: {took:.0f} s for {len(_commands(name))} commands, which print what the page says")


def _commands(name: str) -> list[Block]:
    return [block for block in blocks(name) if block.language == "sh" and block.file is None]


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
