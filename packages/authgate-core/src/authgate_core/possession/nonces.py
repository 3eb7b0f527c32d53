"""Nonces that this service gives out and knows again without remembering them (RFC 9449 section 9)."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Final

from ..clock import Instant
from ..secret import Secret

__all__ = ["Nonces"]

_LIFETIME: Final = 300.0
_MOMENT: Final = 8
_CODE: Final = 16
_LENGTH: Final = (_MOMENT + _CODE) // 3 * 4
_PURPOSE: Final = b"authgate dpop nonce "


@dataclass(frozen=True, slots=True)
class Nonces:
    """Makes nonces and knows them again: each is a moment and a code over it.

    Args:
        secret: What the code is made with; the same in all processes of a service.
    """

    secret: Secret

    def make(self, now: Instant) -> str:
        """A nonce that is good from now on, for five minutes."""
        moment = int(now.wall).to_bytes(_MOMENT, "big")
        return urlsafe_b64encode(moment + self._code(moment)).decode()

    def knows(self, nonce: str, now: Instant) -> bool:
        """Whether this was made by ``make``, with the same secret, at most five minutes ago."""
        if len(nonce) != _LENGTH or not nonce.isascii():
            return False
        try:
            data = urlsafe_b64decode(nonce)
        except ValueError:
            return False
        moment, code = data[:_MOMENT], data[_MOMENT:]
        if not hmac.compare_digest(code, self._code(moment)):
            return False
        return abs(now.wall - int.from_bytes(moment, "big")) <= _LIFETIME

    def _code(self, moment: bytes) -> bytes:
        key = self.secret.reveal().encode("utf-8", "surrogatepass")
        return hmac.new(key, _PURPOSE + moment, hashlib.sha256).digest()[:_CODE]
