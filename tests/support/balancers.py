"""An AWS load balancer that signs users in: its tokens, and where its keys are published one by one."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from typing import Final

from authgate_core.clock import Clock
from authgate_core.testing import ABSENT
from authgate_core.testing.served import Served
from authgate_core.testing.server import Answer, Asked
from authgate_core.testing.shapes import encode_json
from authgate_core.testing.tokens import TokenMint

__all__ = ["ARN", "CLIENT", "ISSUER", "FakeBalancer"]

ARN: Final = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/edge/50dc6c495c0c9188"
CLIENT: Final = "1example23456789"
ISSUER: Final = "https://id.example.com"


class FakeBalancer(Served):
    """Signs as they do, with the padding of base64, and publishes each key under its own name.

    Args:
        clock: What ``exp`` is counted from.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._mint = TokenMint(ISSUER, algorithm="ES256", clock=clock)
        self.pems: dict[str, bytes] = {}
        self.kid = self.rotate()

    @property
    def keys_url(self) -> str:
        """What is before the name of a key."""
        assert self._address is not None
        return f"{self._address}/keys"

    def rotate(self) -> str:
        """Publish a new key, and sign with it."""
        self._mint.rotate()
        self.kid = str(uuid.uuid4())
        self.pems[self.kid] = self._mint.key().public_pem()
        return self.kid

    def token(
        self,
        *,
        header: Mapping[str, object] = {},
        padded: bool = True,
        stranger: bool = False,
        **claims: object,
    ) -> str:
        """A token, but for the changes; ``ABSENT`` leaves a member out."""
        end = int(self._clock.now().wall) + 120
        said = {
            "typ": "JWT",
            "kid": self.kid,
            "alg": "ES256",
            "iss": ISSUER,
            "client": CLIENT,
            "signer": ARN,
            "exp": end,
        }
        whose = {"sub": "u1", "email": "ann@example.com", "username": "ann", "exp": end, "iss": ISSUER}
        parts = [
            _segment(
                encode_json({name: value for name, value in both.items() if value is not ABSENT}), padded
            )
            for both in ({**said, **header}, {**whose, **claims})
        ]
        key = self._mint.stranger() if stranger else self._mint.key()
        covered = ".".join(parts)
        return f"{covered}.{_segment(key.sign(covered.encode(), 'ES256'), padded)}"

    def _truth(self, asked: Asked) -> Answer:
        pem = self.pems.get(asked.path.removeprefix("/keys/"))
        return Answer(status=404) if pem is None else Answer(pem, content_type="application/x-pem-file")


def _segment(data: bytes, padded: bool) -> str:
    text = base64.urlsafe_b64encode(data).decode()
    return text if padded else text.rstrip("=")
