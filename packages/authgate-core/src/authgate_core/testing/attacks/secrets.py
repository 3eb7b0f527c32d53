"""Attacks on an issuer whose tokens are signed with a shared secret (Law 3.2)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator

from ...errors import AlgorithmRefused, BadSignature
from ..shapes import encode_segment
from ..tokens import TokenMint
from .attack import Attack, Forge
from .confusion import mac, well_known_secrets

__all__ = ["on_a_secret"]


def on_a_secret(mint: TokenMint, secret: bytes) -> Iterator[Attack]:
    """Secrets that are nearly right or that anybody would guess, and keys where a secret is asked for.

    Args:
        mint: Whose name and audience the tokens have; its own keys are nobody's here.
        secret: 32 bytes, long enough for HS256 alone.
    """
    forge = Forge(mint, "secret")
    for what, wrong in {**well_known_secrets(mint), **_near(secret)}.items():
        header, claims = forge.header(alg="HS256"), forge.claims()
        message = forge.message(header, claims)
        yield forge.attack(
            what, "3.2", mac(message, wrong), BadSignature, "the signature of", twin=mac(message, secret)
        )
    for algorithm in ("HS384", "HS512"):
        header, claims = forge.header(alg="HS256"), forge.claims()
        token = mac(forge.message({**header, "alg": algorithm}, claims), secret, algorithm)
        twin = mac(forge.message(header, claims), secret)
        reason = "the key of this kid does not verify"
        yield forge.attack(f"too short for {algorithm}", "3.2", token, AlgorithmRefused, reason, twin=twin)
    for what, alg in (("a key", forge.key.algorithm), ("none", "none"), ("another hash", "HS1")):
        header, claims = forge.header(alg=alg), forge.claims()
        twin = mac(forge.message({**header, "alg": "HS256"}, claims), secret)
        token = forge.signed(header, claims)
        yield forge.attack(what, "3.2", token, AlgorithmRefused, "the header's alg (", twin=twin)
    message = forge.message(forge.header(alg="HS256"), forge.claims())
    twin = mac(message, secret)
    good = hmac.digest(secret, message.encode("ascii"), "sha256")
    for what, wrong in (
        ("half", good[:16]),
        ("none of", b""),
        ("more than", good + b"\x00"),
        ("zeros for", bytes(32)),
    ):
        token = f"{message}.{encode_segment(wrong)}"
        yield forge.attack(f"{what} the HMAC", "3.2", token, BadSignature, "the signature of", twin=twin)


def _near(secret: bytes) -> dict[str, bytes]:
    """Secrets that some normalisation takes for this one. HMAC itself pads with zeros, and so cannot tell them."""
    return {
        "half of it": secret[:16],
        "all but a byte": secret[:-1],
        "a newline more": secret + b"\n",
        "twice": secret + secret,
        "in upper case": secret.upper(),
        "backwards": secret[::-1],
        "in base64": base64.b64encode(secret),
        "in hex": secret.hex().encode(),
        "its SHA-256": hashlib.sha256(secret).digest(),
    }
