"""Measure every subject in the environment that it needs, and hold what was found against the bounds."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from .subjects import SUBJECTS, Subject

ROOT: Final = Path(__file__).parents[1]
RESULTS: Final = ROOT / "bench" / "results.json"
ATTEMPTS: Final = 3
"""How often a subject is measured before a bound counts as missed: others use the machine as well."""


def main() -> int:
    """Run the benchmarks; 0 when every bound was kept."""
    parser = argparse.ArgumentParser(prog="bench", description="what authgate adds, as ratios")
    for name in sorted({subject.environment for subject in SUBJECTS}):
        parser.add_argument(
            f"--{name}", metavar="PYTHON", required=True, help=f"of the environment of {name}"
        )
    interpreters: dict[str, str] = vars(parser.parse_args())
    results: dict[str, float] = {}
    print(f"{'what':<44}{'measured':>10}{'at most':>10}", flush=True)
    for subject in SUBJECTS:
        results |= _measured(subject, interpreters[subject.environment])
        print("\n".join(_line(subject, key, results[key]) for key in subject.bounds), flush=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    return 1 if any(subject.missed(results) for subject in SUBJECTS) else 0


def _measured(subject: Subject, python: str) -> dict[str, float]:
    """What a subject found in its own process; measured anew where a bound was missed."""
    found: dict[str, float] = {}
    for _ in range(ATTEMPTS):
        command = [python, "-m", f"bench.{subject.module}"]
        told = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
        found = {key: round(value, 3) for key, value in json.loads(told.stdout).items()}
        if not subject.missed(found):
            break
    return found


def _line(subject: Subject, key: str, value: float) -> str:
    bound = subject.bounds[key]
    shown = "-" if bound is None else f"{bound:.2f}"
    return f"{key:<44}{value:>10.3f}{shown:>10}{'  MISSED' if key in subject.missed({key: value}) else ''}"


if __name__ == "__main__":
    sys.exit(main())
