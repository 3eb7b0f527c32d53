"""``hash-secret`` and ``api-key``: what admits projects and keys, minted here and kept nowhere."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import __main__ as minting
from .. import hash_secret as hashing
from ..api_keys import DEFAULT_PREFIX, prefix_problem
from .mistakes import Mistake

__all__ = ["api_key", "hash_secret"]


def hash_secret(
    *,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Hash the secret that standard input holds.")
    ] = False,
) -> None:
    """Mint a secret for a project and print the hash that the gate keeps."""
    code = hashing.main(["--stdin"] if stdin else [])
    if code:
        raise typer.Exit(code)


def api_key(
    prefix: Annotated[
        str, typer.Option(help="What the key begins with, as in ApiKeys(prefix=...).")
    ] = DEFAULT_PREFIX,
) -> None:
    """Mint an API key and print its table for a file of keys."""
    problem = prefix_problem(prefix)
    if problem is not None:
        raise Mistake(problem)
    minting.main(["api-key", "--prefix", prefix])
