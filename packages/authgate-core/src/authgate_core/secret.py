"""Values that must not be seen: masked when shown, compared in constant time (Law 2.5)."""

from __future__ import annotations

import hashlib
import hmac
from contextlib import suppress

__all__ = ["HashedSecret", "Secret", "fingerprint"]


def fingerprint(value: str) -> str:
    """Name a credential in a log line: the first 8 hex digits of its SHA-256 (Law 2.5)."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:8]


class Secret:
    """A secret text that no repr, log line or traceback shows.

    Args:
        value: The secret; text, or bytes that are UTF-8.

    Raises:
        TypeError: If ``value`` is neither text nor bytes.
        ValueError: If it is bytes that are not UTF-8.
    """

    __slots__ = ("_digest", "_value")

    def __init__(self, value: str | bytes) -> None:
        if isinstance(value, bytes):
            value = _decoded(value)
        elif not isinstance(value, str):
            raise TypeError(f"a secret is text or bytes, not {type(value).__name__}")
        self._value = value
        self._digest: bytes | None = None

    def reveal(self) -> str:
        """The secret itself, for the one place that must use it."""
        return self._value

    def digest(self) -> bytes:
        """The SHA-256 of the secret, as bytes."""
        digest = self._digest
        if digest is None:
            digest = self._digest = hashlib.sha256(self._value.encode("utf-8", "surrogatepass")).digest()
        return digest

    def matches(self, other: Secret | None) -> bool:
        """Whether both are the same, in constant time; nothing matches an empty secret or None (Law 2.5)."""
        if other is None or not self or not other:
            return False
        return hmac.compare_digest(self.digest(), other.digest())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.digest(), other.digest())

    def __hash__(self) -> int:
        return hash(self.digest())

    def __bool__(self) -> bool:
        return bool(self._value)

    def __len__(self) -> int:
        return len(self._value)

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a Secret is not pickled")


class HashedSecret(Secret):
    """A secret whose digest was made already.

    Args:
        value: The secret.
        digest: Its SHA-256.
    """

    __slots__ = ()

    def __init__(self, value: str | bytes, digest: bytes) -> None:
        super().__init__(value)
        self._digest = digest


def _decoded(value: bytes) -> str:
    # Law 2.5: the original error holds the secret, so it is not even the context of ours.
    with suppress(UnicodeDecodeError):
        return value.decode("utf-8")
    raise ValueError("a secret in bytes is UTF-8 text; encode binary secrets first")
