"""``python -m authgate_core.hash_secret``: mint a project's secret, or hash a chosen one (Law 6.1)."""

from __future__ import annotations

import argparse
import base64
import secrets
import sys
from collections.abc import Callable, Sequence
from typing import Final

from .headers import X_APP_SECRET
from .projects import SALT_BYTES, SecretHash, secret_problem
from .secret import Secret

__all__ = ["hash_secret", "main", "mint"]

_SECRET_BYTES: Final = 32
_ABOUT: Final = "Mint a secret for a project and print it with the hash that the gate keeps."
_ADVICE: Final = """\
The first line is for the project; it is shown this once and kept nowhere.
The second line belongs under the project's app id, [app-id], in the TOML file of StaticProjects.from_file."""


def mint(random_bytes: Callable[[int], bytes]) -> tuple[Secret, str]:
    """A new secret of 256 random bits, and its stored form.

    Args:
        random_bytes: Gives that many random bytes; ``secrets.token_bytes``.
    """
    secret = Secret(base64.urlsafe_b64encode(random_bytes(_SECRET_BYTES)).rstrip(b"="))
    return secret, hash_secret(secret, random_bytes(SALT_BYTES))


def hash_secret(secret: Secret, salt: bytes) -> str:
    """The stored form of a secret, for ``secret_hash`` of ``StaticProjects``.

    Args:
        secret: At least 32 characters that a header can carry.
        salt: 16 random bytes.

    Raises:
        ValueError: Saying what is wrong with the secret or the salt, without repeating it.
    """
    problem = secret_problem(secret)
    if problem is not None:
        raise ValueError(f"the secret {problem}")
    return SecretHash.of(secret, salt).text()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the secret goes to standard output, advice and complaints to standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m authgate_core.hash_secret", description=_ABOUT, allow_abbrev=False
    )
    parser.add_argument("--stdin", action="store_true", help="hash the secret that standard input holds")
    options, others = parser.parse_known_args(arguments)
    if others:
        # Not repeated: it may be a secret, and who can list processes has read it already.
        parser.error("no other arguments; a secret is read from standard input with --stdin")
    if options.stdin:
        return _hash_standard_input()
    secret, stored = mint(secrets.token_bytes)
    print(f"{X_APP_SECRET}: {secret.reveal()}")
    print(f'secret_hash = "{stored}"')
    print(_ADVICE, file=sys.stderr)
    return 0


def _hash_standard_input() -> int:
    try:
        secret = Secret(sys.stdin.buffer.read().removesuffix(b"\n").removesuffix(b"\r"))
        stored = hash_secret(secret, secrets.token_bytes(SALT_BYTES))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(f'secret_hash = "{stored}"')
    return 0


if __name__ == "__main__":
    sys.exit(main())
