"""``python -m authgate_core``: says which commands there are."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

__all__ = ["main"]

_COMMANDS = """commands:
  python -m authgate_core.hash_secret          mint a project's secret and print its hash
  python -m authgate_core.hash_secret --stdin  hash a secret read from standard input"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the usage; anything else on the command line is an error."""
    parser = argparse.ArgumentParser(
        prog="python -m authgate_core", epilog=_COMMANDS, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args(arguments)
    parser.print_help()


if __name__ == "__main__":
    main()
