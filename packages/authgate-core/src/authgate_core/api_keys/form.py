"""What an API key looks like: ``prefix_id_secret`` with a checksum behind it (Law 6.7).

The prefix tells people, and programs that search code for secrets, what was found. The id names the key wherever it
must be named. The checksum is no secret: it finds a typing error, and what was made up, before anybody is asked.
"""

from __future__ import annotations

import os
import re
import secrets
import string
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ..projects import SALT_BYTES, SecretHash
from ..secret import Secret

__all__ = ["DEFAULT_PREFIX", "MintedKey", "key_id", "mint_key", "prefix_problem"]

DEFAULT_PREFIX: Final = "key"

_ALPHABET: Final = string.ascii_letters + string.digits
"""No character at which a double click ends."""
_ID: Final = 12
_SECRET: Final = 43
"""Of 62 characters, 43 hold 256 random bits."""
_CHECKSUM: Final = 8
_FORM: Final = re.compile(rf"([A-Za-z0-9]{{{_ID}}})_[A-Za-z0-9]{{{_SECRET}}}[0-9a-f]{{{_CHECKSUM}}}")
_PREFIX: Final = re.compile(r"[A-Za-z](?:[A-Za-z0-9_]{0,30}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class MintedKey:
    """A new API key.

    Args:
        id: What names it from now on.
        key: The key itself, for whoever will use it; it is kept nowhere.
        secret_hash: Its stored form.
    """

    id: str
    key: Secret
    secret_hash: str


def key_id(text: str, prefix: str) -> str | None:
    """The id of a key, or None for what is mistyped, made up or begins in another way."""
    start = len(prefix) + 1
    form = _FORM.fullmatch(text, start) if text.startswith(f"{prefix}_") else None
    if form is None or _checksum(text[:-_CHECKSUM]) != text[-_CHECKSUM:]:
        return None
    return form[1]


def mint_key(
    prefix: str = DEFAULT_PREFIX,
    *,
    choose: Callable[[str], str] = secrets.choice,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> MintedKey:
    """A new key with 256 random bits.

    Args:
        prefix: What it begins with; that of ``ApiKeys(prefix=...)``.
        choose: Picks one character of several at random.
        random_bytes: Gives that many random bytes.

    Raises:
        ValueError: If no key can begin with the prefix.
    """
    problem = prefix_problem(prefix)
    if problem is not None:
        raise ValueError(problem)
    name, secret = ("".join(choose(_ALPHABET) for _ in range(length)) for length in (_ID, _SECRET))
    text = f"{prefix}_{name}_{secret}"
    key = Secret(text + _checksum(text))
    return MintedKey(name, key, SecretHash.of(key, random_bytes(SALT_BYTES)).text())


def prefix_problem(prefix: object) -> str | None:
    """What is wrong with a prefix, with the fix; None if nothing is."""
    if isinstance(prefix, str) and _PREFIX.fullmatch(prefix):
        return None
    return f"prefix: {prefix!r} begins no key; write 1 to 32 letters, digits or _, such as {DEFAULT_PREFIX!r}"


def _checksum(text: str) -> str:
    return f"{zlib.crc32(text.encode('ascii')):08x}"
