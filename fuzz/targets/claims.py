"""The claims of a token with a good signature, and the principal that is made of them (Laws 3.5 to 3.9, 3.11)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

import authgate_core as ag
from authgate_core.testing.shapes import encode_json

from ..honest import MINT, NOW, hostile_payloads, open_gate
from ..target import hold

__all__ = ["probe", "seeds"]

_GATE: Final = open_gate()
_HEADER: Final = encode_json(MINT.header())


def probe(data: bytes) -> None:
    """Whoever is let in is who the token says, for this API and at this time."""
    try:
        admission = _GATE.verify_token(MINT.raw_token(_HEADER, data))
    except ag.InvalidToken:
        return
    claims = json.loads(data)
    audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    hold("the user is who the token says", kept=admission.user.id == claims["sub"] != "")
    hold("the issuer is the one that is trusted", kept=claims["iss"] == MINT.url)
    hold("the token is for this API", kept=MINT.audience in audience)
    hold("it has not expired", kept=not isinstance(claims["exp"], bool) and claims["exp"] + 30 > NOW)
    hold(
        "it is an access token",
        kept=claims.keys().isdisjoint({"at_hash", "c_hash", "s_hash", "events", "cnf"}),
    )
    for name in ("nbf", "iat", "auth_time"):
        hold(
            f"{name} is over", kept=not isinstance(claims.get(name), bool) and claims.get(name, 0) <= NOW + 30
        )
    hold("its roles are names", kept=all(isinstance(role, str) for role in admission.user.roles))


def seeds() -> Iterator[bytes]:
    """The payloads of hostile tokens and of their twins."""
    yield from hostile_payloads()
