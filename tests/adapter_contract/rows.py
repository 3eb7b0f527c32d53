"""The contract that every adapter keeps (Law 9.3): what is sent, who is let in, and how it ends."""

from __future__ import annotations

from tests.adapter_contract.mixes import MIXES
from tests.adapter_contract.row import Row
from tests.adapter_contract.rows_judged import ALLOWED, MODES, OPTIONAL, REFUSED
from tests.adapter_contract.rows_keys import KEYS
from tests.adapter_contract.rows_presented import INVALID, MALFORMED, NOTHING, OUTAGES, REVOKED

__all__ = ["ROWS"]

ROWS: tuple[Row, ...] = (
    *NOTHING,
    *MALFORMED,
    *INVALID,
    *REVOKED,
    *OUTAGES,
    *ALLOWED,
    *REFUSED,
    *OPTIONAL,
    *MODES,
    *MIXES,
    *KEYS,
)
