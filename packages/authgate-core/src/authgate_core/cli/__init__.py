"""The command ``authgate``, for whoever sets up a gate, runs it, or wonders why it said no; its extra is ``cli``."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Final

__all__ = ["NEEDS", "is_there", "main"]

NEEDS: Final = "the command line needs typer and rich: pip install 'authgate-core[cli]'"


def is_there() -> bool:
    """Whether what the commands are written with is installed."""
    return all(find_spec(name) is not None for name in ("typer", "rich"))


def main() -> None:
    """Run the command that the process was started with, and end it with that command's exit code."""
    if not is_there():
        sys.exit(f"authgate: {NEEDS}")
    from .program import run

    sys.exit(run(sys.argv[1:]))
