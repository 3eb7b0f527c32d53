"""Verifying a token that is not remembered, over its signature alone and over what the usual libraries take.

The memory of verified tokens is switched off: what is measured is parsing, the signature, all claims, the principal
and revocation. ``cold_rs256_first_seen_over_raw`` has it on, and also pays for looking a token up and keeping it.
"""

from __future__ import annotations

from typing import Final

from .issued import Issued, by_turns, show
from .peers import check, peers, raw
from .rounds import Work, ratio, ratios

FEW: Final = 16
"""So few tokens are remembered that each is forgotten before its next turn."""


def measured() -> dict[str, float]:
    """Every key, with what was measured."""
    return {**_rs256(), **_over_raw("ES256", "es256"), **_over_raw("EdDSA", "eddsa")}


def _rs256() -> dict[str, float]:
    issued = Issued.by("RS256")
    found = _over_raw("RS256", "rs256", issued)
    others = {name: by_turns(issued.tokens, verify) for name, verify in peers(issued).items()}
    over = ratios(_verified(issued, 0), others)
    return {
        **found,
        "cold_rs256_over_pyjwt": over["pyjwt"],
        "cold_rs256_over_best_peer": max(over.values()),
        **{f"cold_rs256_over_{name}": over[name] for name in over},
        "cold_rs256_first_seen_over_raw": ratio(_verified(issued, FEW), raw(issued)),
    }


def _over_raw(algorithm: str, name: str, issued: Issued | None = None) -> dict[str, float]:
    """Ours and every peer's over the signature alone, in the same rounds."""
    issued = issued or Issued.by(algorithm)
    verifiers = peers(issued)
    check({**verifiers, "authgate": issued.gate(verified_tokens=0).verify_token}, issued)
    key = f"cold_{name}_over_raw"
    ours = {key: _verified(issued, 0)}
    theirs = {f"{key}_by_{peer}": by_turns(issued.tokens, verify) for peer, verify in verifiers.items()}
    found = ratios(raw(issued), {**ours, **theirs})
    return {name: 1 / ratio for name, ratio in found.items()}


def _verified(issued: Issued, remembered: int) -> Work:
    return by_turns(issued.tokens, issued.gate(verified_tokens=remembered).verify_token)


if __name__ == "__main__":
    show(measured())
