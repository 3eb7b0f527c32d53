"""What a token says of the key that it is bound to (RFC 7800 section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

__all__ = ["CONFIRMATIONS", "DPOP", "MTLS", "Confirmation"]

DPOP: Final = "jkt"
MTLS: Final = "x5t#S256"

CONFIRMATIONS: Final[Mapping[str, str]] = {"dpop": DPOP, "mtls": MTLS}
"""The member of ``cnf`` that each way to show possession is for (RFC 9449 section 6.1, RFC 8705 section 3.1)."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The keys that a verified token is bound to.

    Args:
        jkt: The thumbprint of a key that proofs are made with; None for none.
        certificate: The SHA-256 of a client certificate, in base64url; None for none.
    """

    jkt: str | None = None
    certificate: str | None = None

    @classmethod
    def of(cls, claims: Mapping[str, Any]) -> Confirmation:
        """What claims say that ``jose.claims`` has checked; Any because they are JSON."""
        cnf = cast("Mapping[str, str]", claims.get("cnf") or {})
        return cls(cnf.get(DPOP), cnf.get(MTLS))
