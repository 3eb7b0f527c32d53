"""The state of a login in a browser: that it was begun here, lately, and by whoever ends it."""

from __future__ import annotations

import hmac
import re
from hashlib import sha256
from secrets import token_urlsafe
from typing import Final

from ..clock import Instant
from ..errors import ConfigurationError, LoginRefused
from ..jose.compact import encode_segment
from ..secret import Secret

__all__ = ["LoginStates"]

_PURPOSE: Final = b"authgate: state of a login at an apex"
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
"""RFC 7636 sections 4.1 and 4.2."""
_STATE: Final = re.compile(r"(\d{1,12})\.[A-Za-z0-9_-]{22}\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})")
_SHORTEST: Final = 16


class LoginStates:
    """Hands out states for logins, and knows its own again: in every process that has the secret, and without memory.

    A state holds the code challenge of whoever begins a login. Only who has the verifier can end it, so a page that
    is made to end the login of somebody else is refused (RFC 7636, RFC 9700 section 4.7).

    Args:
        secret: What they are signed with; the secret of the client will do.
        lifetime: How long a login may take, in seconds.

    Raises:
        ConfigurationError: If the secret is shorter than 16 characters, or the time is none.
    """

    def __init__(self, secret: Secret | str, *, lifetime: float = 600.0) -> None:
        kept = Secret(secret) if isinstance(secret, str) else secret
        if len(kept) < _SHORTEST:
            raise ConfigurationError(f"secret: has less than {_SHORTEST} characters; states could be made up")
        if not 1 <= lifetime <= 86_400:
            raise ConfigurationError(f"lifetime: {lifetime!r} is not between 1 and 86400 seconds")
        self._key = hmac.digest(kept.reveal().encode(), _PURPOSE, "sha256")
        self._lifetime = lifetime

    def begin(self, code_challenge: str, now: Instant) -> str:
        """The state of a new login.

        Args:
            code_challenge: The challenge of the method S256.
            now: The present moment.

        Raises:
            ValueError: If it is no challenge.
        """
        if not _CHALLENGE.fullmatch(code_challenge):
            raise ValueError("a code challenge is the SHA-256 of the verifier in base64url, 43 characters")
        text = f"{int(now.wall + self._lifetime)}.{token_urlsafe(16)}.{code_challenge}"
        return f"{text}.{self._signature(text)}"

    def check(self, state: str, code_verifier: str, now: Instant) -> None:
        """Check that a login was begun here not long ago, and by whoever has this verifier.

        Raises:
            LoginRefused: If it was not.
        """
        parts = _STATE.fullmatch(state)
        if parts is None or not hmac.compare_digest(
            self._signature(state.rpartition(".")[0]), parts.group(3)
        ):
            raise LoginRefused("the state was not handed out here")
        if int(parts.group(1)) <= now.wall:
            raise LoginRefused("the login was begun too long ago")
        challenge = encode_segment(sha256(code_verifier.encode("utf-8", "surrogatepass")).digest())
        if not _VERIFIER.fullmatch(code_verifier) or not hmac.compare_digest(challenge, parts.group(2)):
            raise LoginRefused("the code verifier is not that of whoever began the login")

    def _signature(self, text: str) -> str:
        return encode_segment(hmac.digest(self._key, text.encode(), "sha256"))

    def __repr__(self) -> str:
        return f"LoginStates(lifetime={self._lifetime:g})"
