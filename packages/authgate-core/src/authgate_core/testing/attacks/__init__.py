"""Hostile tokens: one for each way in which a verifier somewhere was once fooled, each beside its honest twin.

The same mint gives the same attacks in the same order, and but for signatures that are random by nature, the
same bytes at the same time. A gate that trusts the mint refuses each for its reason, and accepts each twin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from ..tokens import TokenMint
from .algorithms import other_algorithms, unsigned
from .attack import Attack
from .claims import dates, identities
from .confusion import confusion
from .embedded import embedded_keys, extensions
from .kinds import bound, kinds
from .names import audiences, issuers, key_names
from .segments import base64url, encrypted, outsized, segments
from .signatures import signatures, strangers, tampered
from .texts import duplicates, encodings, not_json

__all__ = ["Attack", "attacks"]

_CLASSES: Final[tuple[Callable[[TokenMint], Iterator[Attack]], ...]] = (
    unsigned,
    other_algorithms,
    confusion,
    embedded_keys,
    extensions,
    not_json,
    duplicates,
    encodings,
    base64url,
    segments,
    outsized,
    encrypted,
    signatures,
    strangers,
    tampered,
    key_names,
    audiences,
    kinds,
    bound,
    dates,
    identities,
)


def attacks(mint: TokenMint, other: TokenMint | None = None) -> tuple[Attack, ...]:
    """Every attack on a gate that trusts this issuer with the options that it has by default.

    Args:
        mint: The issuer. Attacks on a kind of key are made where it publishes one of that kind.
        other: Another issuer that the same gate trusts, whose name and keys are then tried as well.
    """
    found = [attack for each in _CLASSES for attack in each(mint)]
    return (*found, *issuers(mint, other))
