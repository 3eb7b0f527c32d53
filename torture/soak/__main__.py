"""Soak both gates for as long as it is asked for, and say whether anything was wrong."""

from __future__ import annotations

import argparse
import logging
import random
import signal
import sys
from collections.abc import Sequence

from .run import soak

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 0 when nothing was wrong."""
    parser = argparse.ArgumentParser(
        prog="soak", description="authgate at full speed, while everything fails"
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="how long; 10 by default")
    parser.add_argument(
        "--seed", type=int, help="of an earlier run, to have the same faults in the same order"
    )
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped on the way out
    logging.getLogger("authgate").addHandler(logging.NullHandler())
    seed = random.SystemRandom().randrange(1 << 32) if given.seed is None else given.seed
    return soak(given.minutes * 60.0, seed)


if __name__ == "__main__":
    sys.exit(main())
