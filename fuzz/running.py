"""Runs one target in a process of its own, and reads what libFuzzer says of it."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .target import load

__all__ = ["Found", "fuzzed", "replayed"]

_RUNS: Final = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_RATE: Final = re.compile(r"stat::average_exec_per_sec:\s*(\d+)")
_COVERAGE: Final = re.compile(r"\bcov: (\d+)")
_BROKEN: Final = re.compile(r"=== Uncaught Python exception: ===\n(.*)")
_LIBFUZZER: Final = re.compile(r"ERROR: libFuzzer: (.*)")
_INPUT: Final = re.compile(r"Test unit written to (.*)")

_LARGEST: Final = 20_000
_SLOWEST: Final = 10
_MOST_MEMORY: Final = 2048
_STARTING: Final = 600
"""How long its seeds may take a process on a busy machine, in seconds."""


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one target.

    Args:
        name: Which.
        executions: How many inputs were tried.
        a_second: How many of them a second.
        coverage: How many places of authgate's code they reached, as libFuzzer counts them.
        broken: What was wrong, and None if nothing was.
        crash: The input that it was wrong with.
        output: All that the process said.
    """

    name: str
    executions: int
    a_second: int
    coverage: int
    broken: str | None
    crash: Path | None
    output: str


def fuzzed(name: str, seconds: int, crashes: Path, corpus: Path | None) -> Found:
    """Fuzz one target.

    Args:
        name: Which.
        seconds: How long, from its first input on.
        crashes: Where an input goes that breaks a promise.
        corpus: Where inputs are kept that reached something new, for the next time; nowhere with None.
    """
    with tempfile.TemporaryDirectory() as scratch:
        seeds = Path(scratch) / "seeds"
        _write_seeds(name, seeds)
        grown = (corpus or Path(scratch) / "grown") / name
        grown.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "fuzz.child", name, *_options(name, seconds, crashes)]
        return _ended(name, [*command, str(grown), str(seeds)], seconds + _STARTING)


def _ended(name: str, command: list[str], patience: float) -> Found:
    where = Path(__file__).parents[1]
    running = subprocess.Popen(command, cwd=where, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        output, _ = running.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        running.kill()
        output, _ = running.communicate()
        output += b"\nERROR: libFuzzer: it did not come to an end\n"
    return _read(name, running.returncode, output.decode("utf-8", "replace"))


def replayed(name: str, input_: Path) -> None:
    """Try one input again, in this process; what is wrong with it is raised."""
    load(name).probe(input_.read_bytes())


def _options(name: str, seconds: int, crashes: Path) -> list[str]:
    """What is different from libFuzzer's defaults: a hang or a heap is a defect as well."""
    return [
        f"-max_total_time={seconds}",
        f"-artifact_prefix={crashes}/{name}-",
        f"-max_len={_LARGEST}",
        f"-timeout={_SLOWEST}",
        f"-rss_limit_mb={_MOST_MEMORY}",
        f"-dict={Path(__file__).with_name('words.dict')}",
        "-print_final_stats=1",
    ]


def _write_seeds(name: str, folder: Path) -> None:
    folder.mkdir()
    for number, seed in enumerate(load(name).seeds()):
        (folder / f"{number:05d}").write_bytes(seed)


def _read(name: str, code: int, output: str) -> Found:
    executions, rate = (_last(pattern, output) for pattern in (_RUNS, _RATE))
    return Found(
        name=name,
        executions=int(executions or 0),
        a_second=int(rate or 0),
        coverage=int(_last(_COVERAGE, output) or 0),
        broken=_wrong(code, int(executions or 0), output),
        crash=Path(where) if (where := _last(_INPUT, output)) else None,
        output=output,
    )


def _wrong(code: int, executions: int, output: str) -> str | None:
    if code:
        return _last(_BROKEN, output) or _last(_LIBFUZZER, output) or f"the process ended with {code}"
    return None if executions else "nothing was tried"


def _last(pattern: re.Pattern[str], output: str) -> str | None:
    found = pattern.findall(output)
    return str(found[-1]) if found else None
