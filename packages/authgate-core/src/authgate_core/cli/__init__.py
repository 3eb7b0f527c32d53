"""The command ``authgate``, for whoever sets up a gate, runs it, or wonders why it said no; its extra is ``cli``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ..config import GateConfig

__all__ = ["main", "run_inside"]

_NEEDS: Final = "the command line needs typer and rich: pip install 'authgate-core[cli]'"


def run_inside(arguments: Sequence[str], config: GateConfig, name: str) -> int:
    """Run a command about the gate of an application, for the command line of its framework.

    Args:
        arguments: What stands behind the name of the program.
        config: The configuration of the gate.
        name: What the program is called there.

    Returns:
        The exit code.
    """
    if not _is_there():
        sys.stderr.write(f"{name}: {_NEEDS}\n")
        return 2
    from .here import Here
    from .program import run

    return run(arguments, here=Here(config), name=name)


def main() -> None:
    """Run the command that the process was started with, and end it with that command's exit code."""
    if not _is_there():
        sys.exit(f"authgate: {_NEEDS}")
    from .program import run

    sys.exit(run(sys.argv[1:]))


def _is_there() -> bool:
    return all(find_spec(name) is not None for name in ("typer", "rich"))
