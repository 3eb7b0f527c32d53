"""Writes message signatures (RFC 9421), on the library that knows their grammar; imported where one is configured.

The library resolves what is covered and builds the base of the signature. The keys, the cryptography and the clock are
ours, as where such signatures are verified (docs/adr/0026).
"""

# The library exports its names without saying so, and leaves the message that it signs without a type.
# pyright: reportPrivateImportUsage=false, reportUnknownMemberType=false

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from http_message_signatures import HTTPMessageSigner, HTTPSignatureAlgorithm, HTTPSignatureKeyResolver

from ..clock import Instant
from ..headers import CONTENT_DIGEST
from ..io.outgoing import Request
from .messages import MessageSigning

__all__ = ["MessageSigner"]

_Sign: TypeAlias = Callable[[bytes], bytes]


class MessageSigner:
    """Signs requests with one key.

    Args:
        signing: How; nothing is wrong with it.
    """

    def __init__(self, signing: MessageSigning) -> None:
        self._signing = signing
        name, sign = signing.signer()
        self._signer = HTTPMessageSigner(signature_algorithm=_algorithm(name), key_resolver=_Key(sign))

    def sign(self, request: Request, body: bytes, now: Instant) -> None:
        """Put the signature into the headers of a request, and the digest of its body if it has one."""
        signing = self._signing
        created = datetime.fromtimestamp(int(now.wall), UTC)
        named = [name for name in signing.headers if name in request.headers]
        self._signer.sign(
            request,
            key_id=signing.keyid,
            created=created,
            expires=created + timedelta(seconds=signing.lifetime),
            nonce=secrets.token_urlsafe(16),
            label="authgate",
            tag=signing.tag,
            covered_component_ids=("@method", "@target-uri", *named),
            body=body or None,
            use_existing_digest=bool(body) and CONTENT_DIGEST in request.headers,
        )


class _Key(HTTPSignatureKeyResolver):
    """The one key.

    Args:
        sign: What signs with it.
    """

    def __init__(self, sign: _Sign) -> None:
        self._sign = sign

    def resolve_private_key(self, key_id: str) -> _Sign:
        """The key, whatever it is called."""
        del key_id
        return self._sign


def _algorithm(name: str) -> type[HTTPSignatureAlgorithm]:
    """An algorithm of RFC 9421 whose cryptography is that of ``jose``."""

    class _Jose(HTTPSignatureAlgorithm):
        algorithm_id = name

        def __init__(  # pyright: ignore[reportMissingSuperCall] - it would only raise
            self, public_key: object = None, private_key: _Sign | None = None
        ) -> None:
            del public_key  # nothing is verified here
            self._key = private_key

        def sign(self, message: bytes) -> bytes:
            if self._key is None:
                raise LookupError("no key to sign with")
            return self._key(message)

    return _Jose
