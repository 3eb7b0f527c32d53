"""An issuer that is the same in every process, so that an input that broke a promise breaks it again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import authgate_core as ag
from authgate_core.errors import MalformedToken
from authgate_core.jose.compact import decode_segment
from authgate_core.testing import ManualClock, SigningKey, TokenMint
from authgate_core.testing.attacks import Attack, attacks

__all__ = ["MINT", "NOW", "hostile_payloads", "hostile_tokens", "open_gate", "twins"]

_CLOCK: Final = ManualClock()
NOW: Final = _CLOCK.now().wall
"""When everything happens, Unix seconds."""


class _FixedMint(TokenMint):
    """Signs with a key that everybody knows."""

    def __init__(self) -> None:
        super().__init__("https://id.test", algorithm="EdDSA", clock=_CLOCK)
        self._keys[self.kid] = self._known(b"a key that everybody may know...")
        self._strangers["EdDSA"] = self._known(b"another, which is not published.")

    def _known(self, seed: bytes) -> SigningKey:
        return SigningKey(self.kid, "EdDSA", Ed25519PrivateKey.from_private_bytes(seed))


MINT: Final[TokenMint] = _FixedMint()


def open_gate() -> ag.Gate:
    """A gate that trusts the mint."""
    issuer = ag.Issuer.static(MINT.jwks(), issuer=MINT.url, audience=MINT.audience, name="id")
    return ag.Gate(ag.GateConfig(issuers=[issuer]), clock=_CLOCK)


@cache
def _attacks() -> tuple[Attack, ...]:
    """Those that are no larger than what a fuzzer changes with profit."""
    return tuple(attack for attack in attacks(MINT) if len(attack.token) < 4000)


@cache
def twins() -> frozenset[str]:
    """What was signed and is good: header and payload of each token."""
    return frozenset(attack.twin.rpartition(".")[0] for attack in _attacks())


def hostile_tokens() -> Iterator[str]:
    """Hostile tokens, each after its honest twin."""
    for attack in _attacks():
        yield attack.twin
        yield attack.token


def hostile_payloads() -> Iterator[bytes]:
    """What the payloads of all of them say, each once, where they are base64url at all."""
    seen: dict[bytes, None] = {}
    for token in hostile_tokens():
        with suppress(MalformedToken):
            seen[decode_segment(f"{token}..".split(".")[1])] = None
    return iter(seen)
