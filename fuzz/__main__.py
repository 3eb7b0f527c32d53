"""Fuzz every parser for a while, and say of each what was tried and whether its promises held."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from .running import Found, fuzzed, replayed
from .target import NAMES

__all__ = ["main"]

_CRASHES: Final = Path(__file__).with_name("crashes")
_LINE: Final = "{:<14}{:>12}{:>10}{:>10}  {}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the fuzzer; 0 when every promise held."""
    given = _arguments(arguments)
    if given.replay is not None:
        replayed(given.only[0], given.replay)
        print("held")
        return 0
    _CRASHES.mkdir(exist_ok=True)
    names = given.only or NAMES
    print(_LINE.format("target", "executions", "a second", "coverage", "result"), flush=True)
    broken: list[Found] = []
    for name in names:
        found = fuzzed(name, max(1, given.seconds // len(names)), _CRASHES, given.corpus)
        print(_line(found), flush=True)
        broken += [found] if found.broken else []
    for found in broken:
        print(_report(found), file=sys.stderr)
    return 1 if broken else 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fuzz", description="authgate's parsers under Atheris")
    parser.add_argument("--seconds", type=int, default=60, help="how long in all, shared by the targets")
    parser.add_argument("--only", metavar="TARGET", nargs="+", choices=NAMES, help="these targets only")
    parser.add_argument("--corpus", metavar="DIR", type=Path, help="keep what reached something new there")
    parser.add_argument("--replay", metavar="FILE", type=Path, help="try one input with the target of --only")
    given = parser.parse_args(arguments)
    if given.replay is not None and (given.only is None or len(given.only) != 1):
        parser.error("--replay needs --only and the one target that the input is for")
    return given


def _line(found: Found) -> str:
    result = "held" if found.broken is None else f"BROKEN: {found.broken}"
    return _LINE.format(found.name, found.executions, found.a_second, found.coverage, result)


def _report(found: Found) -> str:
    again = f"python -m fuzz --only {found.name} --replay {found.crash}"
    return f"\n{found.name}: {found.broken}\n{found.output[-4000:]}\n  try it again: {again}"


if __name__ == "__main__":
    sys.exit(main())
