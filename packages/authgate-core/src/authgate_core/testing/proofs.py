"""A client's own key, and the DPoP proofs that show that it holds it."""

from __future__ import annotations

import hashlib
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from ..clock import Clock, SystemClock
from ..jose.keys import thumbprint
from .keys import lease_key
from .shapes import ABSENT, encode_json, encode_segment

__all__ = ["ProofKey"]


class ProofKey:
    """The key of a client, which tokens may be bound to: ``issuer.token("u1", cnf=key.confirmation)``.

    Args:
        algorithm: What it signs with: RS, PS or ES 256 to 512, or EdDSA.
        clock: What ``iat`` of its proofs is; the machine's by default.

    Raises:
        ValueError: If the algorithm is not one of those.
    """

    def __init__(self, algorithm: str = "ES256", clock: Clock | None = None) -> None:
        self._key = lease_key(self, "client", algorithm)
        self._clock: Clock = SystemClock() if clock is None else clock

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key, as it stands in the header of a proof; Any because it is JSON."""
        return {name: value for name, value in self._key.jwk().items() if name not in {"kid", "use", "alg"}}

    @property
    def confirmation(self) -> dict[str, str]:
        """What the ``cnf`` of a token that is bound to the key holds (RFC 9449 section 6.1)."""
        return {"jkt": thumbprint(self.jwk)}

    def proof(
        self,
        method: str,
        url: str,
        token: str,
        *,
        header: Mapping[str, object] | None = None,
        **claims: object,
    ) -> str:
        """A proof for one request.

        Args:
            method: Its method.
            url: Its URL.
            token: The access token that goes with it.
            header: Members of the header in the place of its own; ``ABSENT`` leaves one out.
            claims: Claims in the place of its own, likewise.
        """
        head = {"typ": "dpop+jwt", "alg": self._key.algorithm, "jwk": self.jwk, **(header or {})}
        body = {
            "jti": str(uuid.uuid4()),
            "htm": method,
            "htu": url,
            "iat": int(self._clock.now().wall),
            "ath": urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode(),
            **claims,
        }
        text = ".".join(encode_segment(encode_json(part)) for part in (head, body))
        return f"{text}.{encode_segment(self._key.sign(text.encode(), self._key.algorithm))}"

    def headers(self, method: str, url: str, token: str, *, nonce: object = ABSENT) -> dict[str, str]:
        """What presents a token with a proof for one request.

        Args:
            method: As for ``proof``.
            url: As for ``proof``.
            token: As for ``proof``.
            nonce: What the server asked to be in the proof.
        """
        return {"Authorization": f"DPoP {token}", "DPoP": self.proof(method, url, token, nonce=nonce)}
