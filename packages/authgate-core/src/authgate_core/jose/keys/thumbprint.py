"""What names a key by its contents alone."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["thumbprint"]

# RFC 7638 section 3.2, and RFC 8037 section 2 for OKP: what a key of each type is made of.
_MEMBERS: Final = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n"), "OKP": ("crv", "kty", "x")}


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """The SHA-256 thumbprint of a public key, as ``cnf.jkt`` holds it (RFC 7638 section 3).

    Args:
        jwk: A JWK that was read as a key already; Any because it is JSON.
    """
    members = {name: jwk[name] for name in _MEMBERS[jwk["kty"]]}
    text = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
