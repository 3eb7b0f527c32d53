"""Measure every subject in the environment that it needs, and hold what was found against the bounds."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from .results import HEAD, line, middle, missed, written
from .subjects import BOUNDS, SUBJECTS

ROOT: Final = Path(__file__).parents[1]
RESULTS: Final = ROOT / "bench" / "results.json"
PROCESSES: Final = 3
"""How many processes measure each subject, one after the other: no two lay out their memory alike."""


def main() -> int:
    """Run the benchmarks; 0 when every bound was kept."""
    interpreters, named = _arguments()
    chosen = [subject for subject in SUBJECTS if not named or subject.module in named]
    results: dict[str, float] = {}
    print(HEAD, flush=True)
    for subject in chosen:
        python = interpreters[subject.environment]
        results |= middle(_said(python, subject.module) for _ in range(PROCESSES))
        print("\n".join(line(key, results) for key in subject.bounds), flush=True)
    if len(chosen) == len(SUBJECTS):
        _write(results, interpreters)
    late = missed(results)
    print(f"{len(late)} of {sum(bound is not None for bound in BOUNDS.values())} bounds missed", *late)
    return 1 if late else 0


def _arguments() -> tuple[dict[str, str], list[str]]:
    """The interpreter of each environment, and the subjects that were named."""
    parser = argparse.ArgumentParser(prog="bench", description="what authgate adds, as ratios")
    names = [subject.module for subject in SUBJECTS]
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=f"one of {', '.join(names)}")
    for name in sorted({subject.environment for subject in SUBJECTS} - {"main"}):
        parser.add_argument(
            f"--{name}", metavar="PYTHON", required=True, help=f"of the environment of {name}"
        )
    given = vars(parser.parse_args())
    named: list[str] = given.pop("subjects")
    if unknown := sorted(set(named) - set(names)):
        parser.error(f"no such subject: {', '.join(unknown)}")
    return {"main": sys.executable, **given}, named


def _said(python: str, module: str) -> Any:  # noqa: ANN401 - JSON
    command = [python, "-m", f"bench.{module}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"bench.{module} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def _write(results: dict[str, float], interpreters: dict[str, str]) -> None:
    environments = {name: _said(python, "versions") for name, python in interpreters.items()}
    document = written(results, f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", environments)
    RESULTS.write_text(json.dumps(document, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
