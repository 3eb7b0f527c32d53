"""How messages are signed (RFC 9421), as configured: with which key, and what of a request."""

from __future__ import annotations

import hashlib
import hmac
import importlib.util
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from ..jose.keys import UnusableKeys, private_key
from ..secret import Secret

__all__ = ["MessageSigning"]

_JOSE: Final[Mapping[str, str]] = {
    "EdDSA": "ed25519",
    "ES256": "ecdsa-p256-sha256",
    "ES384": "ecdsa-p384-sha384",
    "PS512": "rsa-pss-sha512",
}
"""What the algorithms of RFC 9421 section 3.3 are called in JOSE: the same computation."""
_SHORTEST: Final = 32
_LONGEST: Final = 300.0


@dataclass(frozen=True, slots=True)
class MessageSigning:
    """How messages are signed.

    Args:
        key: The key: a ``Secret`` of 32 bytes or more for ``hmac-sha256``, else a private key in PEM or as a JWK.
        keyid: What whoever verifies knows the key by.
        tag: What the signature is for.
        headers: Which headers it covers, in lower case, of those that a request has.
        lifetime: How long after it was made it is good, in seconds.
    """

    key: Secret | str | bytes | Mapping[str, Any] = field(repr=False)
    keyid: str
    tag: str
    headers: tuple[str, ...]
    lifetime: float

    def problems(self) -> Iterator[str]:
        """What is wrong with it (Law 1.6); no key is shown."""
        if importlib.util.find_spec("http_message_signatures") is None:
            yield "MessageSignatureAuth needs http-message-signatures: pip install 'authgate-core[gateway]'"
        for name in ("keyid", "tag"):
            text: object = getattr(self, name)
            if not isinstance(text, str) or not text or not (text.isascii() and text.isprintable()):
                yield f"{name}: {text!r} is no printable ASCII text"
        lifetime: object = self.lifetime
        if (
            isinstance(lifetime, bool)
            or not isinstance(lifetime, (int, float))
            or not 0 < lifetime <= _LONGEST
        ):
            yield f"lifetime: {lifetime!r} is not a positive number of seconds, at most {_LONGEST:g}"
        try:
            self.signer()
        except UnusableKeys as unusable:
            yield f"key: {unusable}"

    def signer(self) -> tuple[str, Callable[[bytes], bytes]]:
        """The one algorithm of RFC 9421 that the key's type says, and what signs with it.

        Raises:
            UnusableKeys: If the key is of no use.
        """
        if isinstance(self.key, Secret):
            if len(self.key.reveal().encode()) < _SHORTEST:
                raise UnusableKeys(f"is shorter than {_SHORTEST} bytes")
            return "hmac-sha256", partial(_mac, self.key)
        for jose, name in _JOSE.items():
            try:
                return name, private_key(self.key, jose).sign
            except UnusableKeys:
                continue
        raise UnusableKeys(
            "is neither a Secret nor a private key of Ed25519, P-256, P-384, or RSA of 2048 bits or more"
        )


def _mac(key: Secret, message: bytes) -> bytes:
    return hmac.digest(key.reveal().encode(), message, hashlib.sha256)
