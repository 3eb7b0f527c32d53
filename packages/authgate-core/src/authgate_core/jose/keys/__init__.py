"""Keys: what each may verify, sets of them, and how they are read from documents, PEM and shared secrets."""

from __future__ import annotations

from .keyset import Key, KeySet
from .private import PrivateKey, private_key
from .reading import (
    KeyDocument,
    UnusableKeys,
    key_from_jwk,
    key_from_pem,
    key_from_secret,
    read_key_set,
)
from .thumbprint import thumbprint

__all__ = [
    "Key",
    "KeyDocument",
    "KeySet",
    "PrivateKey",
    "UnusableKeys",
    "key_from_jwk",
    "key_from_pem",
    "key_from_secret",
    "private_key",
    "read_key_set",
    "thumbprint",
]
