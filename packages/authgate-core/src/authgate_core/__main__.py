"""``python -m authgate_core``: says which commands there are, and mints API keys (Law 6.7)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from .api_keys import DEFAULT_PREFIX, mint_key, prefix_problem

__all__ = ["main"]

_COMMANDS: Final = """commands:
  python -m authgate_core api-key              mint an API key and print its table for a file of keys
  python -m authgate_core.hash_secret          mint a project's secret and print its hash
  python -m authgate_core.hash_secret --stdin  hash a secret read from standard input"""
_ADVICE: Final = """\
The first line is the key, for whoever will use it; it is shown this once and kept nowhere.
The rest belongs in the TOML file of ApiKeys.from_file, where scopes, owner_id and expires_at may be added to it."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command, or print the usage; the key goes to standard output, advice to standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m authgate_core", epilog=_COMMANDS, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", metavar="command")
    minting = commands.add_parser("api-key", help="mint an API key", allow_abbrev=False)
    minting.add_argument(
        "--prefix", default=DEFAULT_PREFIX, help="what it begins with, as in ApiKeys(prefix=...)"
    )
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return
    problem = prefix_problem(options.prefix)
    if problem is not None:
        minting.error(problem)
    _mint(options.prefix)


def _mint(prefix: str) -> None:
    minted = mint_key(prefix)
    print(minted.key.reveal())
    print(f'[{minted.id}]\nsecret_hash = "{minted.secret_hash}"')
    print(_ADVICE, file=sys.stderr)


if __name__ == "__main__":
    main()
