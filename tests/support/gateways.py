"""Gateways as tests play them: each writes what the real one would, by code that is none of authgate's."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from http_message_signatures import HTTPMessageSigner, HTTPSignatureAlgorithm, MappingKeyResolver, algorithms

__all__ = ["HMAC_KEY", "ORIGIN", "SERVICE", "USER", "Signer", "stamped"]

HMAC_KEY = "a key that both of them know, of more than thirty-two bytes"
ORIGIN = "https://api.example.com"
USER = {"X-Token-Verified": "true", "X-User-ID": "u1", "X-User-Roles": "clerk", "X-Session-ID": "s1"}
SERVICE = {"X-Token-Verified": "true", "X-Service-Authenticated": "true", "X-Service-Name": "billing"}


def stamped(
    headers: Mapping[str, str], method: str, path: str, at: float, key: str = HMAC_KEY
) -> dict[str, str]:
    """The headers with what HMAC v1 adds.

    Args:
        headers: What is said.
        method: The method that is signed.
        path: The path that is signed.
        at: The time that is signed, Unix seconds.
        key: The key.
    """
    who = headers.get("X-User-ID") or headers["X-Service-Name"]
    stamp = str(int(at))
    message = "|".join([who, headers.get("X-Session-ID", ""), stamp, method, path])
    digest = hmac.digest(key.encode(), message.encode(), hashlib.sha256)
    return {**headers, "X-Authz-Ts": stamp, "X-Authz-Signature": base64.b64encode(digest).decode()}


@dataclass
class _Message:
    method: str
    url: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Signer:
    """A gateway that signs messages (RFC 9421).

    Args:
        key: Its key, as the library takes it to sign.
        keyid: What it calls that.
        algorithm: What it signs by.
        tag: The tag.
        clock: What it takes for the time, Unix seconds.
        lacks: What it does not cover.
        nonce: Makes nonces.
        lifetime: How long until ``expires``, in seconds; None for no such parameter.
    """

    key: Any  # of the cryptography's own types
    keyid: str = "gateway-1"
    algorithm: type[HTTPSignatureAlgorithm] = algorithms.HMAC_SHA256
    tag: str = "authgate"
    clock: Callable[[], float] = field(default=lambda: datetime.now(UTC).timestamp())
    lacks: Sequence[str] = ()
    nonce: Callable[[], str | None] = secrets.token_urlsafe
    lifetime: float | None = 60.0

    def sign(
        self, headers: Mapping[str, str], method: str, target: str, body: bytes = b"", origin: str = ORIGIN
    ) -> dict[str, str]:
        """The headers with what a signature adds."""
        message = _Message(method, origin + target, dict(headers))
        covered = ["@method", "@target-uri", *(name.lower() for name in headers)]
        if body:
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            message.headers["Content-Digest"] = f"sha-256=:{digest}:"
            covered.append("content-digest")
        resolver = MappingKeyResolver(public_keys={}, private_keys={self.keyid: self.key})
        signer = HTTPMessageSigner(signature_algorithm=self.algorithm, key_resolver=resolver)
        now = self.clock()
        signer.sign(
            message,
            key_id=self.keyid,
            created=datetime.fromtimestamp(now, UTC),
            expires=None if self.lifetime is None else datetime.fromtimestamp(now + self.lifetime, UTC),
            nonce=self.nonce(),
            tag=self.tag,
            covered_component_ids=[name for name in covered if name not in self.lacks],
            use_existing_digest=bool(body),
        )
        return message.headers
