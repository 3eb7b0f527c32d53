"""How a project's secret is kept: salted SHA-256, as one line of text (Law 6.1).

A fast hash is enough for secrets of 256 random bits; what people choose must be at least 32 characters long.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from ..secret import Secret

__all__ = ["MINIMUM_LENGTH", "SALT_BYTES", "Hasher", "SecretHash", "secret_digest", "secret_problem"]

SALT_BYTES: Final = 16
MINIMUM_LENGTH: Final = 32
"""How many characters a chosen secret has at least (Law 6.1)."""

Hasher: TypeAlias = Callable[[Secret, bytes], bytes]
"""Digests a secret with a salt; tests hand in one that counts (Law 6.5)."""

_PREFIX: Final = "sha256:"
_STORED: Final = re.compile(r"sha256:([A-Za-z0-9_-]{22}):([A-Za-z0-9_-]{43})")
_IN_A_HEADER: Final = re.compile(r"[\x20-\x7e]+")


def secret_digest(secret: Secret, salt: bytes) -> bytes:
    """The SHA-256 of salt and secret; unambiguous because every salt has the same length."""
    return hashlib.sha256(salt + secret.reveal().encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class SecretHash:
    """A secret's salt and digest, masked when shown (Law 2.5).

    Args:
        salt: ``SALT_BYTES`` bytes.
        digest: The 32 bytes of ``secret_digest``.
    """

    salt: bytes
    digest: bytes

    @classmethod
    def of(cls, secret: Secret, salt: bytes) -> SecretHash:
        """Hash a secret.

        Raises:
            ValueError: If the salt is not ``SALT_BYTES`` bytes long.
        """
        if len(salt) != SALT_BYTES:
            raise ValueError(f"a salt has {SALT_BYTES} bytes, not {len(salt)}")
        return cls(salt, secret_digest(secret, salt))

    @classmethod
    def parse(cls, text: str) -> SecretHash:
        """Read the stored form, ``sha256:<salt>:<digest>`` in unpadded base64url.

        Raises:
            ValueError: If it is anything else; the message does not repeat it, since it may be a secret.
        """
        match = _STORED.fullmatch(text)
        if match is not None:
            parsed = cls(
                *(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in match.groups())
            )
            if parsed.text() == text:
                return parsed
        raise ValueError("not a stored hash of the form sha256:<salt>:<digest>")

    def text(self) -> str:
        """The stored form, which ``parse`` reads."""
        salt, digest = (
            base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (self.salt, self.digest)
        )
        return f"{_PREFIX}{salt}:{digest}"

    def __repr__(self) -> str:
        return "SecretHash('***')"


def secret_problem(secret: Secret) -> str | None:
    """What keeps a chosen secret from being used, to be said after its name; None if nothing does."""
    text = secret.reveal()
    if text.startswith(_PREFIX):
        return "is a hash; write it as secret_hash"
    if len(text) < MINIMUM_LENGTH:
        return (
            f"is shorter than {MINIMUM_LENGTH} characters; mint one with "
            "`python -m authgate_core.hash_secret` and write its secret_hash"
        )
    if not travels_in_a_header(text):
        return "cannot be sent in a header; leave out commas, outer spaces and what is not printable ASCII"
    return None


def travels_in_a_header(text: str) -> bool:
    """Whether a header can carry the text as one value: what ``credentials`` refuses could never match."""
    return _IN_A_HEADER.fullmatch(text) is not None and "," not in text and text == text.strip()
